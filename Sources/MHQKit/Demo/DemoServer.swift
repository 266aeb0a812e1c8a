import Foundation
public import GodwitHTTP3
import GodwitSimulator
import HTTPTypes
import Logging
import NIOCore
import NIOPosix

/// The server of a demo, in a process of its own. Its operator's socket and its certificate are files in a
/// folder.
public struct DemoServer: Sendable {
    private let folder: DemoFolder
    private let address: NetworkAddress
    private let pool: [NetworkAddress]
    private let traffic: DemoTraffic
    private let moves: Bool

    /// - Parameters:
    ///   - folder: where operator's socket and certificate are to be.
    ///   - address: where to listen, a single address.
    ///   - pool: where the server may go without further notice.
    ///   - seed: the demo's.
    ///   - isCaptured: whether transfers are to be small.
    ///   - moves: whether migration is on.
    public init(
        folder: String, address: NetworkAddress, pool: [NetworkAddress], seed: UInt64, isCaptured: Bool,
        moves: Bool
    ) {
        self.folder = DemoFolder(path: folder)
        self.address = address
        self.pool = pool
        traffic = DemoTraffic(seed: seed, isCaptured: isCaptured)
        self.moves = moves
    }

    /// Serves until the operator or the end of standard input says that it is enough.
    public func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let server = try await HTTP3Server.bind(
            to: address, configuration: try configuration(), eventLoopGroup: group)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let service = OperatorService(server: server, logger: Logger(label: "mhq.demo")) { end.yield() }
        let socket = try await OperatorSocket.bind(to: folder.control, on: group, service.logger)
        Self.onEndOfInput { end.yield() }
        await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await socket.run { await answer($0, service) } }
            tasks.addTask { try await server.run { try await serve($0, $1, $2) } }
            for await _ in ends { break }
            await server.shutdown(gracePeriod: .zero)
            tasks.cancelAll()
        }
        try await group.shutdownGracefully()
    }

    private func configuration() throws -> HTTP3ServerConfiguration {
        let made = try SelfSignedCertificate.make(names: ["localhost"])
        try Data(made.certificate.pem.utf8).write(to: URL(fileURLWithPath: folder.certificate))
        var configuration = try HTTP3ServerConfiguration(certificate: try made.identity())
        guard moves else { return configuration }
        guard let pool = AddressPool(pool) else { throw DemoFault("the pool has an address that is none") }
        configuration.quic.migration = ServerMigrationSettings(ServerMigrationNegotiation(), pool: pool)
        configuration.quic.allowedDestinations = AllowedDestinations(
            [AddressPrefix("127.0.0.0/8")].compactMap { $0 })
        return configuration
    }

    /// Whoever started the process holds the other end.
    private static func onEndOfInput(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) > 0 {}
            body()
        }
    }

    // MARK: The operator

    /// Beside the operator's commands there are two for a server that knows nothing of moves: it stops and
    /// goes on elsewhere without a word to anybody.
    private func answer(_ line: String, _ service: OperatorService) async -> String {
        let words = line.split(separator: " ")
        switch words.first {
        case "stop":
            await service.server.quic.hold()
            await service.server.quic.releaseAddress()
            return "stopped"
        case "go":
            guard let address = words.last.flatMap({ NetworkAddress($0) }) else { return "where?" }
            do { try await service.server.quic.resume(at: address) } catch { return "\(error)" }
            return "gone"
        default: return await service.answer(line)
        }
    }

    // MARK: Requests

    nonisolated(nonsending) private func serve(
        _ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter
    ) async throws {
        let parts = (request.path ?? "").split(separator: "/")
        guard parts.count == 2, let exchange = UInt64(parts[1]) else {
            return try await response.respond(.notFound)
        }
        let pattern = traffic.pattern(exchange, from: .server)
        switch parts[0] {
        case "small":
            try await response.respond(
                .ok, body: ByteBuffer(bytes: pattern.bytes(0..<UInt64(traffic.smallSize))))
        case "download":
            let writer = try await response.send(HTTPResponse(status: .ok))
            try await traffic.send(traffic.downloadSize, of: pattern, to: writer)
        case "upload":
            var check = DemoCheck(traffic.pattern(exchange, from: .client))
            for try await bytes in body { try check.take(bytes) }
            try await response.respond(.ok, body: "\(check.count)")
        default: try await response.respond(.notFound)
        }
    }
}

/// What a demo keeps in files while it runs.
struct DemoFolder: Hashable, Sendable {
    let path: String
    /// The operator's socket.
    var control: String { path + "/control" }
    /// The server's certificate.
    var certificate: String { path + "/certificate.pem" }
    /// What the server's process writes to standard error.
    var complaints: String { path + "/server.log" }
}
