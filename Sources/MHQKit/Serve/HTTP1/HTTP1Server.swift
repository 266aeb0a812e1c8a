import GodwitHTTP3
import HTTPTypes
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Serves HTTP/1.1 over TCP, with TLS or without: for browsers, which come this way first, and for metrics.
final class HTTP1Server: Sendable {
    typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    /// Answers a request. It is given to one handler at a time.
    typealias Handler =
        nonisolated(nonsending) @Sendable (HTTP1Exchange, _ remote: String) async throws -> Void

    struct Configuration: Sendable {
        /// Nil for no TLS.
        var tls: NIOSSLContext?
        /// Connections beyond are closed at once.
        var maxConnections = 1000
        var requestHeadTime = TimeAmount.seconds(10)
        var idleTime = TimeAmount.seconds(30)
        /// Fields that every answer gets.
        var commonFields = HTTPHeaders()
        var logger = Logger(label: "mhq.HTTP1")
    }

    let localAddress: NetworkAddress
    private let listening: NIOAsyncChannel<Connection, Never>
    private let configuration: Configuration
    private let connections = NIOLockedValueBox(ConnectionTable())

    private init(
        _ listening: NIOAsyncChannel<Connection, Never>, _ address: NetworkAddress,
        _ configuration: Configuration
    ) {
        self.listening = listening
        localAddress = address
        self.configuration = configuration
    }

    // MARK: Binding

    /// - Parameter option: is named in the failure.
    static func bind(
        to address: NetworkAddress, option: String, configuration: Configuration, group: any EventLoopGroup
    ) async throws -> HTTP1Server {
        do {
            let listening = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: "\(address.ip)", port: Int(address.port)) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.setUp(channel, configuration) }
                }
            let port = UInt16(clamping: listening.channel.localAddress?.port ?? 0)
            return HTTP1Server(listening, NetworkAddress(ip: address.ip, port: port), configuration)
        } catch let error as IOError {
            let code = error.errnoCode == EACCES ? ExitCode.noPermission : ExitCode.system
            let reason = String(cString: strerror(error.errnoCode))
            throw Failure(code, "\(option): cannot listen at TCP \(address): \(reason)")
        }
    }

    private static func setUp(_ channel: any Channel, _ configuration: Configuration) throws -> Connection {
        let pipeline = channel.pipeline.syncOperations
        if let tls = configuration.tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
        try pipeline.addHandler(
            ConnectionClock(requestHeadTime: configuration.requestHeadTime, idleTime: configuration.idleTime))
        return try Connection(wrappingChannelSynchronously: channel)
    }

    // MARK: Serving

    /// Serves until it is drained, or the task cancelled.
    func run(_ handler: @escaping Handler) async throws {
        try await listening.executeThenClose { incoming in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in incoming {
                    group.addTask { await self.serve(connection, handler) }
                }
            }
        }
    }

    private func serve(_ connection: Connection, _ handler: Handler) async {
        guard
            let id = connections.withLockedValue({
                $0.admit(connection.channel, self.configuration.maxConnections)
            })
        else {
            configuration.logger.notice("limit hit", metadata: ["limit": "maxConnections"])
            return await refuse(connection)
        }
        do {
            try await connection.executeThenClose { requests, responses in
                try await answer(requests.makeAsyncIterator(), responses, on: connection.channel, id, handler)
            }
        } catch {
            configuration.logger.debug("connection failed", metadata: ["error": "\(error)"])
        }
        connections.withLockedValue { $0.remove(id) }
    }

    private func refuse(_ connection: Connection) async {
        try? await connection.executeThenClose { _, _ in }
    }

    private func answer(
        _ requests: HTTP1Exchange.Requests, _ responses: HTTP1Exchange.Responses, on channel: any Channel,
        _ id: Int, _ handler: Handler
    ) async throws {
        var requests = requests
        let remote = channel.remoteAddress.map { "\($0.hostAndPort)" } ?? ""
        while let part = try await requests.next() {
            guard case .head(let head) = part else { continue }
            let isLast = connections.withLockedValue { $0.begin(id) }
            let exchange = HTTP1Exchange(
                head, scheme: configuration.tls == nil ? "http" : "https", requests, responses,
                commonFields: configuration.commonFields, keepsAlive: !isLast)
            try await answer(exchange, head, remote, handler)
            guard try await exchange.skipRest(), connections.withLockedValue({ $0.end(id) }) else { return }
            requests = exchange.takeRequests()
        }
    }

    private func answer(
        _ exchange: HTTP1Exchange, _ head: HTTPRequestHead, _ remote: String, _ handler: Handler
    ) async throws {
        // RFC 9112 section 3.2.
        guard head.version != .http1_1 || head.headers["host"].count == 1 else {
            return try await exchange.refuse(.badRequest)
        }
        do {
            try await handler(exchange, remote)
        } catch {
            // What was begun can only be broken off.
            guard exchange.tally.status == nil else { throw error }
            configuration.logger.error("a request's handler failed", metadata: ["error": "\(error)"])
            return try await exchange.refuse(.internalServerError)
        }
    }

    // MARK: Ending

    /// Takes no more connections; those that there are end behind the answer that is under way.
    func drain() {
        listening.channel.close(promise: nil)
        for channel in connections.withLockedValue({ $0.drain() }) { channel.close(promise: nil) }
    }

    /// Closes what is left.
    func closeAll() {
        for channel in connections.withLockedValue({ $0.all }) { channel.close(promise: nil) }
    }
}

/// The connections of a server.
private struct ConnectionTable {
    private var channels: [Int: any Channel] = [:]
    private var busy: Set<Int> = []
    private var nextID = 0
    private var isDraining = false

    /// Nil if there are so many already.
    mutating func admit(_ channel: any Channel, _ limit: Int) -> Int? {
        guard channels.count < limit, !isDraining else { return nil }
        nextID += 1
        channels[nextID] = channel
        return nextID
    }

    mutating func remove(_ id: Int) {
        channels[id] = nil
        busy.remove(id)
    }

    /// A request has come; true if it has to be the connection's last.
    mutating func begin(_ id: Int) -> Bool {
        busy.insert(id)
        return isDraining
    }

    /// A request was answered; false if the connection has to end.
    mutating func end(_ id: Int) -> Bool {
        busy.remove(id)
        return !isDraining
    }

    /// The connections that can be closed now.
    mutating func drain() -> [any Channel] {
        isDraining = true
        return channels.filter { !busy.contains($0.key) }.map(\.value)
    }

    var all: [any Channel] { Array(channels.values) }
}

extension SocketAddress {
    /// As in a URL.
    fileprivate var hostAndPort: String {
        guard let ipAddress, let port else { return "" }
        return ipAddress.contains(":") ? "[\(ipAddress)]:\(port)" : "\(ipAddress):\(port)"
    }
}
