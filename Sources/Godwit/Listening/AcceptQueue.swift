import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// The connections that clients have opened and the application has not taken.
///
/// Each waits on its own event loop. Whoever takes connections says of which loop, or that any will do.
final class AcceptQueue: Sendable {
    private struct Waiter {
        let token: UInt64
        let loop: Int?
        let continuation: UnsafeContinuation<ConnectionDriver?, any Error>
    }

    fileprivate enum End {
        case finished
        case failed(any Error)
    }

    private struct State {
        var pending: [CircularBuffer<ConnectionDriver>]
        var count = 0
        var waiters: [Waiter] = []
        var nextToken: UInt64 = 0
        var end: End?
    }

    private let state: NIOLockedValueBox<State>
    private let capacity: Int
    private let closesDoor = Atomic<Bool>(false)

    /// - Parameter capacity: how many connections may wait; further clients are refused.
    init(loopCount: Int, capacity: Int) {
        state = NIOLockedValueBox(State(pending: Array(repeating: CircularBuffer(), count: loopCount)))
        self.capacity = max(1, capacity)
    }

    /// Whether new clients are to be refused: the application is behind with those that there are, or takes
    /// no more.
    var refusesClients: Bool { closesDoor.load(ordering: .relaxed) }

    // MARK: Giving

    func offer(_ connection: ConnectionDriver) {
        let loop = connection.loop.place?.index ?? 0
        let isTaken = state.withLockedValue { state in
            guard state.end == nil else { return false }
            if let index = state.waiters.firstIndex(where: { $0.loop == nil || $0.loop == loop }) {
                state.waiters.remove(at: index).continuation.resume(returning: connection)
                return true
            }
            state.pending[loop].append(connection)
            state.count += 1
            if state.count >= capacity { closesDoor.store(true, ordering: .relaxed) }
            return true
        }
        if !isTaken { connection.abandon() }
    }

    /// Takes no more connections. Those that wait are closed.
    func finish() { end(.finished) }

    /// Takes no more connections, and tells those who wait for them why.
    func fail(_ error: any Error) { end(.failed(error)) }

    private func end(_ end: End) {
        let (waiters, pending) = state.withLockedValue { state in
            guard state.end == nil else { return ([Waiter](), [ConnectionDriver]()) }
            state.end = end
            closesDoor.store(true, ordering: .relaxed)
            defer { (state.waiters, state.pending, state.count) = ([], state.pending.map { _ in [] }, 0) }
            return (state.waiters, state.pending.flatMap { $0 })
        }
        for waiter in waiters { waiter.continuation.resume(with: end.result) }
        for connection in pending { connection.driver.execute { connection.abandon() } }
    }

    // MARK: Taking

    /// The next connection, of an event loop if one is named; nil when there will be no more or the task is
    /// cancelled.
    nonisolated(nonsending) func next(on loop: Int?) async throws -> ConnectionDriver? {
        let token = state.withLockedValue { state in
            state.nextToken += 1
            return state.nextToken
        }
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                wait(Waiter(token: token, loop: loop, continuation: continuation))
            }
        } onCancel: {
            cancel(token)
        }
    }

    private func wait(_ waiter: Waiter) {
        let result: Result<ConnectionDriver?, any Error>? = state.withLockedValue { state in
            if let connection = take(on: waiter.loop, from: &state) { return .success(connection) }
            if let end = state.end { return end.result }
            // The handler of a cancellation that came before now has found nobody waiting.
            if Task.isCancelled { return .success(nil) }
            state.waiters.append(waiter)
            return nil
        }
        if let result { waiter.continuation.resume(with: result) }
    }

    private func take(on loop: Int?, from state: inout State) -> ConnectionDriver? {
        let loops = loop.map { $0...$0 } ?? 0...state.pending.count - 1
        guard let index = loops.first(where: { !state.pending[$0].isEmpty }) else { return nil }
        state.count -= 1
        // Not as soon as there is room for one, so that the door does not swing with every client.
        if state.count <= capacity / 2, state.end == nil { closesDoor.store(false, ordering: .relaxed) }
        return state.pending[index].removeFirst()
    }

    private func cancel(_ token: UInt64) {
        let waiter = state.withLockedValue { state in
            state.waiters.firstIndex { $0.token == token }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: nil)
    }
}

extension AcceptQueue.End {
    fileprivate var result: Result<ConnectionDriver?, any Error> {
        switch self {
        case .finished: .success(nil)
        case .failed(let error): .failure(error)
        }
    }
}
