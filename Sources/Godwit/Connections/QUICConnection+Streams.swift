import GodwitWire

extension QUICConnection {
    // MARK: Opening

    /// Opens a stream on which both sides send. Waits while the peer allows no more of them (RFC 9000 section
    /// 4.6).
    ///
    /// Opening sends nothing: the peer learns of the stream from what is written to it.
    ///
    /// - Throws: ``QUICError/connectionClosed(_:)``, or `CancellationError` when cancelled while waiting.
    nonisolated(nonsending) public func openStream() async throws -> QUICStream {
        try await open(.bidirectional)
    }

    /// Opens a stream on which only this side sends. Waits while the peer allows no more of them (RFC 9000
    /// section 4.6).
    ///
    /// - Throws: ``QUICError/connectionClosed(_:)``, or `CancellationError` when cancelled while waiting.
    nonisolated(nonsending) public func openUnidirectionalStream() async throws -> QUICStream {
        try await open(.unidirectional)
    }

    nonisolated(nonsending) private func open(_ direction: StreamID.Direction) async throws -> QUICStream {
        let driver = driver
        while driver.driver.isCurrent {
            if let stream = try driver.openStream(direction) { return QUICStream(stream, of: self) }
            try Task.checkCancellation()
            await driver.driver.suspend({ driver.streamCreditWaiters.append($0) }) {
                driver.streamCreditWaiters.wakeAll()
            }
        }
        return try await driver.driver.run { try await self.open(direction) }
    }

    // MARK: Accepting

    /// The streams that the peer opens, of both kinds, in the order of their coming; ends with the
    /// connection. Then ``closed`` tells why.
    ///
    /// The peer can have no more streams open than the configuration allows. So streams that are not taken
    /// here keep it from opening others, and nothing piles up. A stream that the peer resets before it is
    /// taken here is gone.
    public var incomingStreams: IncomingStreams { IncomingStreams(connection: self) }

    /// The streams that the peer opens.
    public struct IncomingStreams: AsyncSequence, Sendable {
        /// A stream that the peer opened.
        public typealias Element = QUICStream
        /// It never fails; it ends with the connection.
        public typealias Failure = Never

        let connection: QUICConnection

        /// Takes one stream after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let connection: QUICConnection

            /// The next stream; nil when the connection is over or the task cancelled.
            public mutating func next() async -> QUICStream? { await next(isolation: nil) }

            /// The next stream; nil when the connection is over or the task cancelled.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws(Never)
                -> QUICStream?
            {
                await connection.nextIncomingStream()
            }
        }

        /// Iterators share the connection: a stream goes to one of them.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: connection) }
    }

    nonisolated(nonsending) private func nextIncomingStream() async -> QUICStream? {
        let driver = driver
        while driver.driver.isCurrent {
            if let stream = driver.takeIncoming() { return QUICStream(stream, of: self) }
            if driver.closeReason != nil || Task.isCancelled { return nil }
            await driver.driver.suspend({ driver.incomingWaiters.append($0) }) {
                driver.incomingWaiters.wakeAll()
            }
        }
        return await driver.driver.run { await self.nextIncomingStream() }
    }
}
