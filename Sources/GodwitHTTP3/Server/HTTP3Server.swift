public import Godwit
import GodwitHTTP3Core
import GodwitWire
public import HTTPTypes
import Logging
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix

/// Serves HTTP/3 (RFC 9114).
///
/// ```swift
/// let server = try await HTTP3Server.bind(
///     to: NetworkAddress("[::]:443")!, certificate: .pem("cert.pem", key: "key.pem"))
/// try await server.run { request, body, response in
///     try await response.respond(.ok, body: "hello from \(request.path ?? "")\n")
/// }
/// ```
///
/// It works on every event loop of its group at once. A request is answered by a task on the event loop of
/// its connection, where nothing it does with the request changes threads; so a handler must not block. Work
/// that takes long belongs elsewhere, as in an actor or behind a `@concurrent` function.
///
/// Bound to `[::]` it serves IPv6 and IPv4. Certificates are replaced by ``credentials``, without touching
/// connections.
public final class HTTP3Server: Sendable {
    /// Answers a request. It is cancelled when nobody wants the answer any more: the client reset or stopped
    /// the stream, or the connection ended.
    ///
    /// - Parameters:
    ///   - request: the request's head.
    ///   - body: its content, as it comes.
    ///   - response: where the answer goes.
    public typealias Handler =
        nonisolated(nonsending) @Sendable (
            _ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter
        ) async throws -> Void

    /// The transport below, to listen at other addresses besides, to move it, to hold it while the process is
    /// frozen. Its connections are served by ``run(_:)``.
    public let quic: QUICListener
    /// What the server was made with.
    public let configuration: HTTP3ServerConfiguration

    private let metrics = HTTP3ServerMetrics()
    private let state = NIOLockedValueBox(State())

    private struct State {
        var loops: [ServerLoop] = []
        var isDraining = false
    }

    private init(_ quic: QUICListener, _ configuration: HTTP3ServerConfiguration) {
        self.quic = quic
        self.configuration = configuration
    }

    // MARK: Binding

    /// Binds to an address and begins to accept connections, which wait for ``run(_:)``.
    ///
    /// - Parameters:
    ///   - address: `[::]` or `0.0.0.0` for all of this machine; port 0 for any port.
    ///   - certificate: who the server is: `.pem("cert.pem", key: "key.pem")`.
    ///   - eventLoopGroup: where connections live.
    /// - Throws: `TLSConfigurationError`, `QUICError.socket` if the address can't be had.
    public static func bind(
        to address: NetworkAddress, certificate: Identity,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> HTTP3Server {
        let configuration = try HTTP3ServerConfiguration(certificate: certificate)
        return try await bind(to: address, configuration: configuration, eventLoopGroup: eventLoopGroup)
    }

    /// Binds to an address and begins to accept connections, which wait for ``run(_:)``.
    ///
    /// - Parameters:
    ///   - address: `[::]` or `0.0.0.0` for all of this machine; port 0 for any port.
    ///   - configuration: certificates, what is offered, and the limits.
    ///   - eventLoopGroup: where connections live.
    /// - Throws: `QUICError.socket` if the address can't be had.
    public static func bind(
        to address: NetworkAddress, configuration: HTTP3ServerConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> HTTP3Server {
        let loops = eventLoopGroup.makeIterator().reduce(0) { count, _ in count + 1 }
        let listener = try await QUICListener.bind(
            to: address, configuration: configuration.listener(loops: max(1, loops)),
            eventLoopGroup: eventLoopGroup)
        return HTTP3Server(listener, configuration)
    }

    /// Where the server can be reached, with the port that the system chose if none was asked for.
    public var localAddress: NetworkAddress { quic.localAddress }

    /// The certificates and keys by name. To replace them while connections live, call
    /// `credentials.replace(with:)`: handshakes that begin later get the new ones.
    public var credentials: ServerCredentials { configuration.credentials }

    // MARK: Running

    /// Serves requests until the server is shut down. To be called once.
    ///
    /// - Throws: `QUICError.socket` if the server's sockets fail, `CancellationError` when cancelled, which
    ///   closes all connections and cancels their handlers.
    public func run(_ handler: @escaping Handler) async throws {
        let loops = quic.eventLoops.map { ServerLoop($0, configuration, metrics, handler) }
        let isDraining = state.withLockedValue { state in
            state.loops = loops
            return state.isDraining
        }
        if isDraining { for loop in loops { loop.listener.execute { loop.drain() } } }
        defer { state.withLockedValue { $0.loops = [] } }
        try await withThrowingDiscardingTaskGroup { group in
            for loop in loops {
                group.addTask(executorPreference: loop.listener.executor) { try await loop.run() }
            }
        }
        try Task.checkCancellation()
    }

    /// Tells connections that their server goes away.
    ///
    /// - Returns: the longest round trip of those connections. After that they have all been told: where a window
    ///   is full, the acknowledgements of one make room.
    func sendAway(_ ids: Set<ConnectionID>) async -> Duration {
        guard !ids.isEmpty else { return .zero }
        var longest = Duration.zero
        for loop in state.withLockedValue({ $0.loops }) {
            let roundTrip = try? await loop.listener.eventLoop.submit { loop.sendAway(ids) }.get()
            longest = max(longest, roundTrip ?? .zero)
        }
        return longest
    }

    // MARK: Shutting down

    /// Takes no more connections and no more requests, lets those under way come to an end, closes what is
    /// left after a while, and lets go of the address.
    ///
    /// Clients are told in two steps (RFC 9114 section 5.2), so that no request is lost that they send while
    /// they are told. ``run(_:)`` returns when the last handler has ended. When the task is cancelled the
    /// while is over.
    ///
    /// - Parameter gracePeriod: how long requests may go on.
    public func shutdown(gracePeriod: Duration = .seconds(10)) async {
        let loops = state.withLockedValue { state in
            state.isDraining = true
            return state.loops
        }
        for loop in loops { loop.listener.execute { loop.drain() } }
        await quic.shutdown(gracePeriod: gracePeriod, code: HTTP3ErrorCode.noError.rawValue)
    }
}
