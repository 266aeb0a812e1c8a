/// Runs something, and cancels it when it takes too long.
///
/// - Throws: ``HTTP3Failure/timedOut(_:)`` then.
func withTimeLimit<Result: Sendable>(
    _ limit: Duration, for timeout: HTTP3Timeout, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw HTTP3Failure.timedOut(timeout)
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
