import Logging

extension QUICListener {
    /// The connections that clients open, each when its handshake is complete or its early data has come.
    /// Ends when the listener is shut down; throws if its sockets fail.
    ///
    /// When the application takes them too slowly, new clients are refused.
    public var connections: Connections { Connections(listener: self) }

    /// The connections that clients open.
    public struct Connections: AsyncSequence, Sendable {
        /// A connection that a client opened.
        public typealias Element = QUICConnection
        /// What is thrown when the listener's sockets fail.
        public typealias Failure = any Error

        let listener: QUICListener

        /// Takes one connection after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let listener: QUICListener

            /// The next connection; nil when the listener was shut down or the task cancelled.
            public mutating func next() async throws -> QUICConnection? { try await next(isolation: nil) }

            /// The next connection; nil when the listener was shut down or the task cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(any Error) -> QUICConnection? {
                try await listener.acceptQueue.next(on: nil).map { QUICConnection($0) }
            }
        }

        /// Iterators share the listener: a connection goes to one of them.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(listener: listener) }
    }

    /// Serves connections until the listener is shut down, each in a task of its own on the connection's
    /// event loop.
    ///
    /// When `handler` returns, its connection is closed as soon as what was finished is delivered; when it
    /// throws, at once. A handler must not block: every connection of its event loop would wait for it.
    ///
    /// - Throws: ``QUICError/socket(_:)`` if the listener's sockets fail, `CancellationError` when cancelled,
    ///   which cancels the handlers.
    public func run(_ handler: @escaping @Sendable (QUICConnection) async throws -> Void) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for (index, loop) in loops.enumerated() {
                group.addTask(executorPreference: loop.driver) { try await self.serve(index, handler) }
            }
        }
        try Task.checkCancellation()
    }

    private func serve(
        _ index: Int, _ handler: @escaping @Sendable (QUICConnection) async throws -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while let driver = try await acceptQueue.next(on: index) {
                let connection = QUICConnection(driver)
                group.addTask { await self.serve(connection, handler) }
            }
        }
    }

    private func serve(
        _ connection: QUICConnection, _ handler: @Sendable (QUICConnection) async throws -> Void
    ) async {
        do {
            try await handler(connection)
            await connection.closeWhenDelivered(code: configuration.cancellationCode)
        } catch {
            logFailure(error)
            await connection.close(code: configuration.cancellationCode)
        }
    }

    // By itself, because what a function that waits keeps is memory of every idle connection.
    private func logFailure(_ error: any Error) {
        configuration.logger.debug("a connection's handler failed", metadata: ["error": "\(error)"])
    }
}
