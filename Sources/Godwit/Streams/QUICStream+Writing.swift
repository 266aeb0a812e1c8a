public import NIOCore

extension QUICStream {
    /// Writes bytes, and waits while the stream's send buffer is full: it empties as the peer acknowledges.
    ///
    /// - Parameters:
    ///   - bytes: what to write.
    ///   - finish: whether the stream ends behind these bytes.
    /// - Throws: ``QUICError``: the peer stopped the stream, it has been finished or reset before, or the
    ///   connection is over. `CancellationError` when the task is cancelled, which resets the stream.
    nonisolated(nonsending) public func write(_ bytes: ByteBuffer, finish: Bool = false) async throws {
        try await write(bytes.readableBytes) { driver, offset in
            try bytes.withUnsafeReadableBytes { view in
                try driver.write(UnsafeRawBufferPointer(rebasing: view[offset...]), fin: finish)
            }
        }
    }

    /// Writes bytes, and waits while the stream's send buffer is full: it empties as the peer acknowledges.
    ///
    /// - Parameters:
    ///   - bytes: what to write.
    ///   - finish: whether the stream ends behind these bytes.
    /// - Throws: as ``write(_:finish:)-(ByteBuffer,_)``.
    nonisolated(nonsending) public func write(_ bytes: [UInt8], finish: Bool = false) async throws {
        try await write(bytes.count) { driver, offset in
            try bytes.withUnsafeBytes { view in
                try driver.write(UnsafeRawBufferPointer(rebasing: view[offset...]), fin: finish)
            }
        }
    }

    /// - Parameter attempt: writes from an offset on and returns how much was taken.
    nonisolated(nonsending) private func write(
        _ count: Int, from start: Int = 0, _ attempt: @Sendable (StreamDriver, Int) throws -> Int
    ) async throws {
        var offset = start
        while driver.driver.isCurrent {
            if Task.isCancelled { throw giveUpWriting() }
            offset += try attempt(driver, offset)
            if offset == count { return }
            await driver.driver.suspend({ driver.writers.append($0) }) { [driver] in driver.writers.wakeAll()
            }
        }
        let reached = offset
        try await driver.driver.run { try await self.write(count, from: reached, attempt) }
    }

    private func giveUpWriting() -> CancellationError {
        driver.reset(code: driver.connection.loop.settings.cancellationCode)
        return CancellationError()
    }
}
