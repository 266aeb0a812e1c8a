import NIOCore
package import NIOPosix

/// Runs `body` with event loops of its own.
package func withEventLoops<Result: Sendable>(
    _ count: Int, _ body: @Sendable (MultiThreadedEventLoopGroup) async throws -> Result
) async throws -> Result {
    try await takingTurn {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        do {
            let result = try await body(group)
            try await group.shutdownGracefully()
            return result
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }
}
