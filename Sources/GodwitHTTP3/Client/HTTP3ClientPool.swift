public import HTTPTypes
import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix

/// Sends requests to any number of servers, each over one connection that is opened when it is needed, used
/// for all requests to the server, and opened anew when it has ended.
///
/// ```swift
/// let pool = try HTTP3ClientPool(configuration: HTTP3ClientConfiguration())
/// let (response, body) = try await pool.send(request)
/// …
/// await pool.shutdown()
/// ```
///
/// Requests that the server has certainly not processed (RFC 9114 sections 4.1.1 and 5.2) are sent again, and
/// those with an idempotent method also when the connection ended before an answer (RFC 9110 section 9.2.2).
/// What servers give out for later connections is used for the next one to the same server: it takes a round
/// trip less, and requests with a safe method go out at once, as early data (0-RTT).
public final class HTTP3ClientPool: Sendable {
    /// What the connections are made with.
    public let configuration: HTTP3ClientConfiguration
    private let eventLoopGroup: any EventLoopGroup
    private let state = NIOLockedValueBox(State())

    /// How often a request is sent at most.
    private static let attempts = 3
    /// How many things to resume with are kept of a server.
    private static let resumptionsKept = 4

    private struct State {
        var slots: [HTTP3Origin: Slot] = [:]
        var resumptions: [HTTP3Origin: [HTTP3Resumption]] = [:]
        var nextToken: UInt64 = 0
        var isClosed = false
    }

    private struct Slot {
        var client: HTTP3Client?
        var connecting: Task<Void, Never>?
        var waiters: [UInt64: UnsafeContinuation<HTTP3Client, any Error>] = [:]
    }

    /// A pool without connections.
    public init(
        configuration: HTTP3ClientConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
    }

    // MARK: Requests

    /// Sends a request over the connection to its server, and waits for the head of its response.
    ///
    /// - Parameters:
    ///   - request: what to ask; its authority says which server.
    ///   - content: the request's content. One that is streamed is sent once only.
    ///   - options: priority, interim responses, times.
    /// - Returns: the head of the final response, and its content as it comes.
    /// - Throws: ``HTTP3Failure``, or what connecting throws; see
    ///   ``HTTP3Client/connect(to:port:configuration:resumption:offersEarlyData:eventLoopGroup:)``.
    public func send(
        _ request: HTTPRequest, body content: HTTP3Content = .none, options: HTTP3RequestOptions = .init()
    ) async throws -> (HTTPResponse, HTTP3Body) {
        guard let origin = HTTP3Origin(request) else {
            throw HTTP3Failure.notSent(.malformed(field: ":authority", reason: "names no https server"))
        }
        var attempt = 1
        while true {
            let client = try await client(for: origin)
            do {
                return try await client.send(request, body: content, options: options)
            } catch let failure as HTTP3Failure {
                guard attempt < Self.attempts, failure.allowsRetry(of: request, content) else {
                    throw failure
                }
                attempt += 1
            }
        }
    }

    /// The connection to a server, opened if there is none that can be used.
    public func client(for origin: HTTP3Origin) async throws -> HTTP3Client {
        let (ready, token) = state.withLockedValue { state in
            state.nextToken += 1
            return (state.slots[origin]?.client, state.nextToken)
        }
        if let ready, ready.isUsable { return ready }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait($0, token, origin) }
        } onCancel: {
            giveUp(token, origin)
        }
    }

    private func wait(
        _ continuation: UnsafeContinuation<HTTP3Client, any Error>, _ token: UInt64, _ origin: HTTP3Origin
    ) {
        let result: Result<HTTP3Client, any Error>? = state.withLockedValue { state in
            if state.isClosed { return .failure(HTTP3Failure.goingAway) }
            // The handler of a cancellation that came before now has found nobody waiting.
            if Task.isCancelled { return .failure(CancellationError()) }
            if let client = state.slots[origin]?.client, client.isUsable { return .success(client) }
            state.slots[origin, default: Slot()].waiters[token] = continuation
            startConnecting(to: origin, &state)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    private func giveUp(_ token: UInt64, _ origin: HTTP3Origin) {
        let waiter = state.withLockedValue { state in
            let waiter = state.slots[origin]?.waiters.removeValue(forKey: token)
            if let slot = state.slots[origin], slot.waiters.isEmpty { slot.connecting?.cancel() }
            return waiter
        }
        waiter?.resume(throwing: CancellationError())
    }

    // MARK: Connections

    private func startConnecting(to origin: HTTP3Origin, _ state: inout State) {
        guard state.slots[origin]?.connecting == nil else { return }
        retire(state.slots[origin]?.client)
        state.slots[origin]?.client = nil
        let resumption = state.resumptions[origin]?.popLast()
        state.slots[origin]?.connecting = Task { await self.connect(to: origin, resumption) }
    }

    private func connect(to origin: HTTP3Origin, _ resumption: HTTP3Resumption?) async {
        do {
            let client = try await HTTP3Client.connect(
                to: origin.host, port: origin.port, configuration: configuration, resumption: resumption,
                eventLoopGroup: eventLoopGroup)
            collectResumptions(of: client, for: origin)
            finishConnecting(to: origin, .success(client))
        } catch {
            finishConnecting(to: origin, .failure(error))
        }
    }

    private func finishConnecting(to origin: HTTP3Origin, _ result: Result<HTTP3Client, any Error>) {
        let waiters = state.withLockedValue { state in
            let waiters = state.slots[origin]?.waiters ?? [:]
            state.slots[origin] = state.isClosed ? nil : Slot(client: try? result.get())
            guard !waiters.isEmpty, !state.isClosed, result.isCancelled else { return Array(waiters.values) }
            // Those who gave up are gone, and others have come since.
            state.slots[origin]?.waiters = waiters
            startConnecting(to: origin, &state)
            return []
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    private func collectResumptions(of client: HTTP3Client, for origin: HTTP3Origin) {
        let resumptions = client.resumptions
        Task { [weak self] in
            for await resumption in resumptions { self?.remember(resumption, for: origin) }
        }
    }

    /// Lets what is under way on a connection come to an end.
    private func retire(_ client: HTTP3Client?) {
        guard let client else { return }
        Task { await client.shutdown() }
    }

    // MARK: Resumption

    /// Keeps something to resume with for the next connection to a server, as it was stored by an earlier
    /// run.
    public func remember(_ resumption: HTTP3Resumption, for origin: HTTP3Origin) {
        state.withLockedValue { state in
            state.resumptions[origin, default: []].append(resumption)
            if state.resumptions[origin]!.count > Self.resumptionsKept {
                state.resumptions[origin]!.removeFirst()
            }
        }
    }

    /// Takes what the pool has to resume with, to be stored for a later run.
    public func takeResumption(for origin: HTTP3Origin) -> HTTP3Resumption? {
        state.withLockedValue { $0.resumptions[origin]?.popLast() }
    }

    // MARK: Ending

    /// Opens no more connections and sends no more requests, lets those under way come to an end, and closes
    /// the connections. When the task is cancelled they are closed at once.
    public func shutdown() async {
        let clients = end()
        await withDiscardingTaskGroup { group in
            for client in clients { group.addTask { await client.shutdown() } }
        }
    }

    /// Closes all connections at once. Requests under way fail.
    public func close() async { for client in end() { await client.close() } }

    private func end() -> [HTTP3Client] {
        let slots = state.withLockedValue { state in
            defer { state.slots = [:] }
            state.isClosed = true
            return Array(state.slots.values)
        }
        for slot in slots {
            slot.connecting?.cancel()
            for waiter in slot.waiters.values { waiter.resume(throwing: HTTP3Failure.goingAway) }
        }
        return slots.compactMap(\.client)
    }
}

extension HTTP3Failure {
    /// Whether a request that failed so can be sent again.
    fileprivate func allowsRetry(of request: HTTPRequest, _ content: HTTP3Content) -> Bool {
        switch self {
        // Nothing was sent at all.
        case .goingAway: true
        case .rejected: content.isRepeatable
        case .connectionClosed: content.isRepeatable && request.isIdempotent
        default: false
        }
    }
}

extension Result where Failure == any Error {
    fileprivate var isCancelled: Bool {
        if case .failure(let error) = self { error is CancellationError } else { false }
    }
}
