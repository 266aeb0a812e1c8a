package import NIOCore

// For protocols of this package that serve connections without a task for each.
extension QUICListener {
    /// The listener on each of its event loops.
    package var eventLoops: [ListenerLoop] {
        loops.enumerated().map { ListenerLoop(loop: $1, queue: acceptQueue, index: $0) }
    }
}

/// A listener on one of its event loops.
package struct ListenerLoop: Sendable {
    fileprivate let loop: EndpointLoop
    fileprivate let queue: AcceptQueue
    fileprivate let index: Int

    /// Runs tasks on the event loop.
    package var executor: any TaskExecutor { loop.driver }
    /// The event loop itself.
    package var eventLoop: any EventLoop { loop.driver.eventLoop }

    /// The next connection that a client opened and that lives on this loop; nil when there will be no more
    /// or the task is cancelled.
    ///
    /// - Throws: ``QUICError/socket(_:)`` if the listener's sockets fail.
    nonisolated(nonsending) package func nextConnection() async throws -> QUICConnection? {
        try await queue.next(on: index).map { QUICConnection($0) }
    }

    /// How many clients were refused for want of room; to be asked on the event loop.
    package var refusedClients: UInt64 { loop.endpoint.statistics.refused }

    /// Does something on the loop: at once if the caller is there, soon if not.
    package func execute(_ body: @escaping @Sendable () -> Void) { loop.driver.execute(body) }
}
