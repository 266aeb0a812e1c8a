/// Carries what one task of a test has seen to another.
package struct Report<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    package init() { (stream, continuation) = AsyncStream.makeStream() }

    package func send(_ value: Value) { continuation.yield(value) }

    /// The next value; to be called by one task only.
    package func next() async -> Value? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}

extension Report<Void> {
    package func send() { send(()) }
}

/// What an asynchronous operation throws; nil if it does not.
package func failure<Result>(of operation: () async throws -> Result) async -> (any Error)? {
    do {
        _ = try await operation()
        return nil
    } catch {
        return error
    }
}
