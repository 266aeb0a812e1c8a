import GodwitHTTP3Core
import HTTPTypes
import NIOCore

/// A task that answers requests, one after the other. So a request needs no new task, and its handler is
/// nevertheless the only thing that its task does at the time, and can be cancelled alone.
final class RequestWorker: @unchecked Sendable {
    // Touched on the event loop alone.

    /// The task itself, while it runs.
    private var task: UnsafeCurrentTask?
    private var waiting: UnsafeContinuation<ServerExchange?, Never>?

    /// Answers requests until there are too many idle workers, or the task was cancelled: a cancelled task is
    /// of no use to another request.
    nonisolated(nonsending) func run(on loop: ServerLoop) async {
        withUnsafeCurrentTask { task = $0 }
        while let exchange = await next(on: loop) {
            await loop.answer(exchange, by: self)
            if Task.isCancelled { break }
        }
        task = nil
    }

    nonisolated(nonsending) private func next(on loop: ServerLoop) async -> ServerExchange? {
        if let exchange = loop.takeWaiting() { return exchange }
        guard loop.mayIdle else { return nil }
        return await withUnsafeContinuation { continuation in
            waiting = continuation
            loop.idle.append(self)
        }
    }

    /// Gives a request to an idle worker, or nil to have it end.
    func resume(with exchange: ServerExchange?) {
        let continuation = waiting
        waiting = nil
        continuation?.resume(returning: exchange)
    }

    /// Cancels what the worker does.
    func cancel() { task?.cancel() }
}
