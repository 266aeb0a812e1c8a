import GodwitCore
public import NIOCore

// Unreliable datagrams (RFC 9221). Both sides have to allow them with `maxDatagramFrameSize`.
extension QUICConnection {
    /// Sends a datagram, once: nobody sends it again if it is lost.
    ///
    /// - Returns: false if it was dropped at once because too many wait to be sent.
    /// - Throws: ``QUICError/datagramsNotAccepted``, ``QUICError/datagramTooLarge(limit:)`` or
    ///   ``QUICError/connectionClosed(_:)``.
    @discardableResult
    nonisolated(nonsending) public func sendDatagram(_ bytes: ByteBuffer) async throws -> Bool {
        if driver.driver.isCurrent { return try driver.sendDatagram(bytes) }
        return try await driver.driver.run { try self.driver.sendDatagram(bytes) }
    }

    /// How large a datagram may be now, in bytes; nil if the peer takes none. It changes with the path.
    nonisolated(nonsending) public var maxDatagramSize: Int? {
        get async { await driver.onLoop { $0.core.maxDatagramSize } }
    }

    /// The datagrams that the peer sends, as they come; ends with the connection. If they are not taken soon
    /// enough some are dropped.
    public var datagrams: Datagrams { Datagrams(connection: self) }

    /// The datagrams that the peer sends.
    public struct Datagrams: AsyncSequence, Sendable {
        /// What one datagram held.
        public typealias Element = ByteBuffer
        /// It never fails; it ends with the connection.
        public typealias Failure = Never

        let connection: QUICConnection

        /// Takes one datagram after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let connection: QUICConnection

            /// The next datagram; nil when the connection is over or the task cancelled.
            public mutating func next() async -> ByteBuffer? { await next(isolation: nil) }

            /// The next datagram; nil when the connection is over or the task cancelled.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws(Never)
                -> ByteBuffer?
            {
                await connection.nextDatagram()
            }
        }

        /// Iterators share the connection: a datagram goes to one of them.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: connection) }
    }

    nonisolated(nonsending) private func nextDatagram() async -> ByteBuffer? {
        let driver = driver
        while driver.driver.isCurrent {
            if let bytes = driver.core.readDatagram() { return ByteBuffer(bytes: bytes) }
            if driver.closeReason != nil || Task.isCancelled { return nil }
            await driver.driver.suspend({ driver.datagramWaiters.append($0) }) {
                driver.datagramWaiters.wakeAll()
            }
        }
        return await driver.driver.run { await self.nextDatagram() }
    }
}

extension ConnectionDriver {
    func sendDatagram(_ bytes: ByteBuffer) throws -> Bool {
        try checkOpen()
        loop.markBusy()
        do {
            try bytes.withUnsafeReadableBytes { (bytes) throws(DatagramError) in try core.sendDatagram(bytes)
            }
            return true
        } catch {
            switch error {
            case .unsupportedByPeer: throw QUICError.datagramsNotAccepted
            case .tooLarge(let maximum): throw QUICError.datagramTooLarge(limit: maximum)
            case .queueFull: return false
            }
        }
    }
}
