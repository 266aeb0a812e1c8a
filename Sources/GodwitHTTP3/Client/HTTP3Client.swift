public import Godwit
public import GodwitHTTP3Core
import GodwitWire
public import HTTPTypes
public import NIOCore
public import NIOPosix
import Synchronization

/// A connection to an HTTP/3 server (RFC 9114), for any number of requests at once.
///
/// ```swift
/// try await HTTP3Client.connect(to: "localhost", port: 4433, trust: .file("ca.pem")) { client in
///     let request = HTTPRequest(method: .get, scheme: "https", authority: "localhost", path: "/")
///     let (response, body) = try await client.send(request)
///     print(response.status, try await body.collect(upTo: 1 << 20).readableBytes)
/// }
/// ```
///
/// For requests to many servers, or connections that are made anew by themselves, there is
/// ``HTTP3ClientPool``.
///
/// When the last reference to a client goes its connection is closed, and the requests that are under way
/// fail.
public final class HTTP3Client: Sendable {
    let driver: ClientConnection

    init(_ driver: ClientConnection) { self.driver = driver }

    deinit {
        let driver = driver
        if !driver.port.isOver { driver.port.execute { driver.close(.noError) } }
    }

    // MARK: Connecting

    /// Connects to a server. All addresses of its name are tried (RFC 8305).
    ///
    /// - Parameters:
    ///   - host: a host name, or an IP address without brackets. The server's certificate has to be for it.
    ///   - port: the server's UDP port.
    ///   - configuration: whom to trust, what to offer, how long to wait.
    ///   - resumption: what an earlier connection to the server has left. With it, requests with a safe
    ///     method go out before the handshake is complete, as early data (0-RTT), if the server allows it.
    ///   - offersEarlyData: false to have all requests wait for the handshake.
    ///   - eventLoopGroup: where the connection lives.
    /// - Throws: `QUICError.nameNotFound`, `QUICError.connectFailed` with each address and why, or
    ///   `CancellationError`.
    public static func connect(
        to host: String, port: UInt16 = 443, configuration: HTTP3ClientConfiguration,
        resumption: HTTP3Resumption? = nil, offersEarlyData: Bool = true,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> HTTP3Client {
        let quic = try await QUICConnection.connect(
            to: host, port: port, configuration: configuration.transport, resumption: resumption?.quic,
            offersEarlyData: offersEarlyData && resumption != nil, eventLoopGroup: eventLoopGroup)
        let driver = ClientConnection(quic, configuration, remembered: resumption?.settings)
        await driver.port.run { driver.begin() }
        return HTTP3Client(driver)
    }

    /// Connects to a server, and closes the connection when `body` is done.
    ///
    /// What `body` does runs on the connection's event loop, where calls cost least; it must not block there.
    ///
    /// - Parameters: as ``connect(to:port:configuration:resumption:offersEarlyData:eventLoopGroup:)``.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, or what connecting does.
    public static func connect<Result: Sendable>(
        to host: String, port: UInt16 = 443, configuration: HTTP3ClientConfiguration,
        resumption: HTTP3Resumption? = nil, offersEarlyData: Bool = true,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        try await QUICConnection.connect(
            to: host, port: port, configuration: configuration.transport, resumption: resumption?.quic,
            offersEarlyData: offersEarlyData && resumption != nil, eventLoopGroup: eventLoopGroup
        ) { quic in
            // On the event loop already: what `body` sends before it waits for anything goes out with the
            // first datagrams.
            let driver = ClientConnection(quic, configuration, remembered: resumption?.settings)
            driver.begin()
            let client = HTTP3Client(driver)
            defer { driver.close(.noError) }
            return try await body(client)
        }
    }

    /// Connects to a server, and closes the connection when `body` is done; as
    /// ``connect(to:port:configuration:resumption:offersEarlyData:eventLoopGroup:_:)``.
    ///
    /// - Parameters:
    ///   - host: a host name, or an IP address without brackets.
    ///   - port: the server's UDP port.
    ///   - trust: which certificates to believe: those of the system, of a file (`.file("ca.pem")`), any.
    ///   - body: what to do with the connection.
    public static func connect<Result: Sendable>(
        to host: String, port: UInt16 = 443, trust: TrustPolicy = .system,
        _ body: @Sendable (HTTP3Client) async throws -> Result
    ) async throws -> Result {
        try await connect(
            to: host, port: port, configuration: HTTP3ClientConfiguration(trust: trust), body)
    }

    // MARK: Requests

    /// Sends a request and waits for the head of its response.
    ///
    /// While the server allows no more requests at once this waits. A server that does not want the request
    /// in early data (425) gets it once more after the handshake (RFC 8470 section 5.2). Cancelling the task
    /// gives the request up (H3_REQUEST_CANCELLED), and so does letting go of the body before its end.
    ///
    /// - Parameters:
    ///   - request: what to ask; with `https` as scheme, authority and path (RFC 9114 section 4.3.1). The
    ///     server's certificate was checked for the host that the connection was made to: that it may be
    ///     asked for another is the caller's to know (RFC 9114 section 3.3), and ``HTTP3ClientPool`` never
    ///     does.
    ///   - content: the request's content.
    ///   - options: priority, interim responses, times.
    /// - Returns: the head of the final response, and its content as it comes.
    /// - Throws: ``HTTP3Failure``; what the request's content throws; `CancellationError`.
    nonisolated(nonsending) public func send(
        _ request: HTTPRequest, body content: HTTP3Content = .none, options: HTTP3RequestOptions = .init()
    ) async throws -> (HTTPResponse, HTTP3Body) {
        guard driver.port.isCurrent else {
            return try await driver.port.run { try await self.send(request, body: content, options: options) }
        }
        let exchange = try await driver.start(request, content, options)
        let response = try await exchange.response()
        guard response.status.code == 425, exchange.isEarly, content.isRepeatable else {
            return (response, HTTP3Body(exchange, keeper: BodyKeeper(exchange)))
        }
        driver.bodyDropped(exchange)
        try await driver.waitForHandshake()
        return try await send(request, body: content, options: options)
    }

    /// Begins a request and leaves it to the caller to write its content and to wait for the response, in any
    /// order: for tunnels (CONNECT, extended CONNECT) and conversations.
    ///
    /// - Throws: as ``send(_:body:options:)``.
    nonisolated(nonsending) public func begin(
        _ request: HTTPRequest, options: HTTP3RequestOptions = .init()
    ) async throws -> HTTP3ClientRequest {
        guard driver.port.isCurrent else {
            return try await driver.port.run { try await self.begin(request, options: options) }
        }
        return HTTP3ClientRequest(try await driver.start(request, .toCome, options))
    }

    // MARK: State

    /// Whether more requests can be sent: the connection is open, and the server is not shutting down. It may
    /// change at any moment.
    public var isUsable: Bool { driver.isUsable.load(ordering: .relaxed) }

    /// Waits until no more requests can be sent, as ``isUsable`` tells, or the task is cancelled.
    nonisolated(nonsending) public func waitUntilUnusable() async { await driver.waitUntilUnusable() }

    /// The connection, for its handshake, its addresses and its statistics, and to move it. Its streams are
    /// HTTP/3's.
    public var quic: QUICConnection { driver.quic }

    /// What the server says of itself; nil until it has.
    nonisolated(nonsending) public var settings: HTTP3Settings? {
        get async {
            if driver.port.isCurrent { return driver.settings }
            return await driver.port.run { self.driver.settings }
        }
    }

    /// What to keep for the next connection to the same server, as the server gives it out; ends with the
    /// connection.
    public var resumptions: Resumptions { Resumptions(driver: driver) }

    /// What a server gives out for later connections.
    public struct Resumptions: AsyncSequence, Sendable {
        /// What to keep for a later connection.
        public typealias Element = HTTP3Resumption
        /// It never fails; it ends with the connection.
        public typealias Failure = Never

        let driver: ClientConnection

        /// Takes one after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let driver: ClientConnection

            /// The next one; nil when the connection is over or the task cancelled.
            public mutating func next() async -> HTTP3Resumption? { await next(isolation: nil) }

            /// The next one; nil when the connection is over or the task cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(Never) -> HTTP3Resumption? { await driver.nextResumption() }
        }

        /// Iterators share the connection: each thing goes to one of them.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(driver: driver) }
    }

    // MARK: Ending

    /// Closes the connection at once (H3_NO_ERROR). Requests under way fail. The server has been told when
    /// the call returns, as far as one datagram can do that.
    nonisolated(nonsending) public func close() async { await driver.closeNow() }

    /// Sends no more requests, lets those under way come to an end, and closes the connection. When the task
    /// is cancelled it is closed at once.
    nonisolated(nonsending) public func shutdown() async { await driver.shutdown() }
}

/// A request that is under way in both directions.
///
/// When the last reference to it goes before the response has been waited for, the request is given up.
public final class HTTP3ClientRequest: Sendable {
    private let exchange: ClientExchange
    private let keeper: BodyKeeper

    init(_ exchange: ClientExchange) {
        self.exchange = exchange
        keeper = BodyKeeper(exchange)
    }

    /// Sends the request's content, and its end.
    public var writer: HTTP3BodyWriter { HTTP3BodyWriter(exchange: exchange) }

    /// The request's datagrams (RFC 9297).
    public var datagrams: HTTP3Datagrams { HTTP3Datagrams(exchange: exchange) }

    /// Waits for the head of the response.
    ///
    /// - Throws: ``HTTP3Failure``, or `CancellationError` when cancelled, which gives the request up.
    nonisolated(nonsending) public func response() async throws -> (HTTPResponse, HTTP3Body) {
        let response = try await exchange.response()
        return (response, HTTP3Body(exchange, keeper: keeper))
    }

    /// Gives the request up.
    ///
    /// - Parameter code: tells the server why.
    nonisolated(nonsending) public func cancel(_ code: HTTP3ErrorCode = .requestCancelled) async {
        await exchange.onLoop {
            exchange.client.cancel(exchange, .cancelled(stream: exchange.id), code: code)
        }
    }

    /// Asks for another priority of the response (RFC 9218 section 7.2).
    nonisolated(nonsending) public func setPriority(_ priority: HTTP3Priority) async throws {
        try await exchange.onLoop { try exchange.client.setPriority(priority, of: exchange) }
    }
}
