import ServiceLifecycle

/// What services that serve until they are shut down have in common.
package enum GracefulRun {
    /// Serves until the group of services is shut down and what is under way has ended.
    ///
    /// - Parameters:
    ///   - serve: returns when `shutdown` has taken effect.
    ///   - shutdown: has `serve` end; not gracefully when `serve` has failed or the task is cancelled.
    package static func run(
        _ serve: @Sendable () async throws -> Void,
        shutdown: @escaping @Sendable (_ isGraceful: Bool) async -> Void
    ) async throws {
        let (shutdowns, continuation) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in shutdowns { return await shutdown(true) }
                await shutdown(false)
            }
            defer { continuation.finish() }
            try await withGracefulShutdownHandler {
                try await serve()
            } onGracefulShutdown: {
                continuation.yield()
            }
            continuation.finish()
            try await group.waitForAll()
        }
    }
}
