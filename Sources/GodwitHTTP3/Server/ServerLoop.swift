import Godwit
import GodwitHTTP3Core
import HTTPTypes
import Logging
import NIOCore

/// A server on one of its event loops: the connections there, and the tasks that answer their requests.
final class ServerLoop: @unchecked Sendable {
    // But for what never changes, all of it is touched on the event loop alone.

    let listener: ListenerLoop
    let configuration: HTTP3ServerConfiguration
    private let handler: HTTP3Server.Handler

    var date = HTTPDate()
    var metrics: ServerTally
    private var connections: [ObjectIdentifier: ServerConnection] = [:]

    /// Requests for which there was no idle worker.
    private var waiting = CircularBuffer<ServerExchange>()
    var idle: [RequestWorker] = []
    /// How many workers are wanted besides those that there are.
    private var wantedWorkers = 0
    private var runningWorkers = 0
    private var isAccepting = true
    private var isDraining = false
    private var isCancelled = false
    private var changes = Waiters()
    private var ticker: RepeatedTask?
    private var refusedClients: UInt64 = 0

    private static let idleWorkers = 256

    init(
        _ listener: ListenerLoop, _ configuration: HTTP3ServerConfiguration, _ metrics: HTTP3ServerMetrics,
        _ handler: @escaping HTTP3Server.Handler
    ) {
        self.listener = listener
        self.configuration = configuration
        self.handler = handler
        self.metrics = ServerTally(metrics)
        date.update()
    }

    // MARK: Running

    /// Serves until no more connections come and those that there are have ended; to be called on the event
    /// loop.
    func run() async throws {
        startTicking()
        defer { stopTicking() }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.accept() }
            while await hasMoreToDo() {
                while wantedWorkers > 0 {
                    wantedWorkers -= 1
                    runningWorkers += 1
                    group.addTask { await self.work() }
                }
            }
        }
    }

    private func accept() async throws {
        defer {
            isAccepting = false
            changes.wakeAll()
        }
        while let quic = try await listener.nextConnection() {
            let connection = ServerConnection(quic, on: self)
            connections[ObjectIdentifier(connection)] = connection
            connection.begin()
            if isDraining { connection.drain() }
        }
    }

    nonisolated(nonsending) private func work() async {
        await RequestWorker().run(on: self)
        runningWorkers -= 1
        changes.wakeAll()
    }

    /// Waits until workers are wanted; false when everything is over.
    private func hasMoreToDo() async -> Bool {
        while wantedWorkers == 0 {
            if Task.isCancelled { cancelEverything() }
            if !isAccepting, connections.isEmpty {
                dismissIdle()
                if runningWorkers == 0 { return false }
            }
            await waitForChange()
        }
        return true
    }

    private func waitForChange() async {
        // Of a cancellation that is known already nobody needs to hear again.
        if isCancelled { return await withUnsafeContinuation { changes.append($0) } }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { changes.append($0) }
        } onCancel: {
            listener.eventLoop.execute { self.changes.wakeAll() }
        }
    }

    private func cancelEverything() {
        guard !isCancelled else { return }
        isCancelled = true
        for connection in connections.values { connection.close(.noError) }
    }

    private func dismissIdle() {
        let idle = self.idle
        self.idle.removeAll()
        for worker in idle { worker.resume(with: nil) }
    }

    // MARK: Requests

    /// Has a request answered.
    func dispatch(_ exchange: ServerExchange) {
        if let worker = idle.popLast() { return worker.resume(with: exchange) }
        waiting.append(exchange)
        wantedWorkers += 1
        changes.wakeAll()
    }

    func takeWaiting() -> ServerExchange? {
        guard let exchange = waiting.popFirst() else { return nil }
        // The worker that was wanted for it is not any more, unless it has come.
        if wantedWorkers > waiting.count { wantedWorkers = waiting.count }
        return exchange
    }

    /// Whether a worker without a request may wait for one.
    var mayIdle: Bool { idle.count < Self.idleWorkers && !(connections.isEmpty && !isAccepting) }

    nonisolated(nonsending) func answer(_ exchange: ServerExchange, by worker: RequestWorker) async {
        guard let request = exchange.request else { return }
        exchange.request = nil
        exchange.worker = worker
        guard !exchange.isOver, exchange.outbound.failure == nil else { return exchange.handlerReturned() }
        do {
            try await handler(request, HTTP3Body(exchange), HTTP3ResponseWriter(exchange: exchange))
            exchange.handlerReturned()
        } catch {
            log(error, of: exchange)
            exchange.handlerFailed(error)
        }
    }

    private func log(_ error: any Error, of exchange: ServerExchange) {
        // What a client did, or its leaving, is no fault of the handler.
        let isExpected = error is CancellationError || error is HTTP3Failure
        configuration.logger.log(
            level: isExpected ? .debug : .error, "a request's handler failed",
            metadata: exchange.driver.metadata(of: exchange, ["error": "\(error)"]))
    }

    // MARK: Connections

    func connectionClosed(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        changes.wakeAll()
    }

    /// Has every connection end when its requests have been answered.
    func drain() {
        isDraining = true
        for connection in connections.values { connection.drain() }
    }

    /// Has connections end that will not outlive a move of the server (Specs/server-migration.md 7.6).
    /// Clients see from the GOAWAY which requests were not begun (RFC 9114 section 5.2).
    ///
    /// - Returns: the longest round trip of those connections.
    func sendAway(_ ids: Set<ConnectionID>) -> Duration {
        var longest = Duration.zero
        for connection in connections.values where ids.contains(connection.port.originalDestinationID) {
            connection.drain()
            longest = max(longest, connection.port.roundTripTime)
        }
        return longest
    }

    // MARK: Once a second

    private func startTicking() {
        ticker = listener.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            self.tick()
        }
    }

    private func stopTicking() {
        ticker?.cancel()
        tick()
    }

    private func tick() {
        date.update()
        noteRefusedClients()
        metrics.report()
    }

    private func noteRefusedClients() {
        let count = listener.refusedClients
        guard count > refusedClients else { return }
        configuration.logger.notice(
            "limit hit", metadata: ["limit": "connections", "refused": "\(count - refusedClients)"])
        metrics.noteLimit("connections")
        refusedClients = count
    }
}
