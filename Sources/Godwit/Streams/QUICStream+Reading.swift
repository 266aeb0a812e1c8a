public import NIOCore

extension QUICStream {
    /// How much a read takes unless it is told otherwise, in bytes.
    public static let defaultReadLimit = 64 << 10

    /// Reads what has come, and waits if nothing has.
    ///
    /// - Parameter limit: how many bytes to take at most; at least 1.
    /// - Returns: one byte or more; nil at the end of the stream.
    /// - Throws: ``QUICError``: the peer reset the stream, or the connection is over and everything that came
    ///   in order was read. `CancellationError` when the task is cancelled, which gives the stream up.
    nonisolated(nonsending) public func read(
        upTo limit: Int = QUICStream.defaultReadLimit
    ) async throws -> ByteBuffer? {
        var buffer = ByteBuffer()
        return try await read(into: &buffer, upTo: limit) == nil ? nil : buffer
    }

    /// Reads what has come behind what a buffer holds, and waits if nothing has. A buffer that is used again
    /// costs no allocation.
    ///
    /// - Parameters:
    ///   - buffer: what is read is put behind its readable bytes.
    ///   - limit: how many bytes to take at most; at least 1.
    /// - Returns: how many bytes were read, one or more; nil at the end of the stream.
    /// - Throws: as ``read(upTo:)``.
    nonisolated(nonsending) public func read(
        into buffer: inout ByteBuffer, upTo limit: Int = QUICStream.defaultReadLimit
    ) async throws -> Int? {
        while driver.driver.isCurrent {
            if Task.isCancelled { throw giveUpReading() }
            if let outcome = try readNow(into: &buffer, upTo: limit) { return outcome.count }
            await driver.driver.suspend({ driver.readers.append($0) }) { [driver] in driver.readers.wakeAll()
            }
        }
        let read = try await driver.driver.run { try await self.read(upTo: limit) }
        guard var read else { return nil }
        return buffer.writeBuffer(&read)
    }

    private struct ReadOutcome {
        /// Nil at the end of the stream.
        var count: Int?
    }

    /// Nil if there is nothing to read yet.
    private func readNow(into buffer: inout ByteBuffer, upTo limit: Int) throws -> ReadOutcome? {
        let limit = Swift.max(1, limit)
        let room = Swift.min(driver.readableBytes, limit)
        if room > 0 { buffer.reserveCapacity(minimumWritableBytes: room) }
        var left = limit
        let count = try driver.read { bytes in
            let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(left))
            left -= part.count
            return buffer.writeBytes(part)
        }
        guard count == 0 else { return ReadOutcome(count: count) }
        if let reason = driver.connection.closeReason { throw QUICError.connectionClosed(reason) }
        return nil
    }

    private func giveUpReading() -> CancellationError {
        driver.stop(code: driver.connection.loop.settings.cancellationCode)
        return CancellationError()
    }
}

/// The bytes of a stream in pieces, as they come; ends with the stream.
extension QUICStream: AsyncSequence {
    /// A piece of the stream, never empty.
    public typealias Element = ByteBuffer
    /// What ``QUICStream/read(upTo:)`` throws.
    public typealias Failure = any Error

    /// Reads one piece after the other, each of at most ``QUICStream/defaultReadLimit`` bytes.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let stream: QUICStream

        /// The next piece; nil at the end of the stream.
        public mutating func next() async throws -> ByteBuffer? { try await next(isolation: nil) }

        /// The next piece; nil at the end of the stream.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error)
            -> ByteBuffer?
        {
            try await stream.read()
        }
    }

    /// Iterators share the stream: a piece goes to one of them.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }

    /// Reads the stream to its end.
    ///
    /// - Parameter limit: how many bytes to take at most.
    /// - Throws: ``StreamTooLong`` when there are more, after having given the stream up; else as
    ///   ``read(upTo:)``.
    nonisolated(nonsending) public func collect(upTo limit: Int) async throws -> ByteBuffer {
        var buffer = ByteBuffer()
        while try await read(into: &buffer, upTo: QUICStream.defaultReadLimit) != nil {
            guard buffer.readableBytes <= limit else {
                await stopSending(code: driver.connection.loop.settings.cancellationCode)
                throw StreamTooLong(limit: limit)
            }
        }
        return buffer
    }
}

/// A stream has more bytes than were asked for.
public struct StreamTooLong: Error, Hashable, Sendable {
    /// How many bytes would have been taken.
    public var limit: Int
}
