import NIOCore

/// Writes a line for each transfer to standard output. Lines that come while others are being written go out
/// together.
actor ReportLines {
    private var pending = ByteBuffer()
    private var writing: Task<Void, Never>?
    private var failure: (any Error)?

    /// How many bytes may wait before transfers do.
    private static let room = 1 << 20

    /// - Throws: what an earlier line came to grief on.
    func write(_ line: String) async throws {
        if let failure { throw failure }
        pending.writeString(line)
        pending.writeString("\n")
        if writing == nil { writing = Task { await self.writePending() } }
        if pending.readableBytes > Self.room { try await flush() }
    }

    /// Waits until everything is written.
    ///
    /// - Throws: a ``Failure`` if it can't be.
    func flush() async throws {
        while let writing { await writing.value }
        if let failure { throw failure }
    }

    private func writePending() async {
        defer { writing = nil }
        while pending.readableBytes > 0, failure == nil {
            let lines = pending
            pending = ByteBuffer()
            do { try await StreamSink.standardOutput.write(lines) } catch { failure = error }
        }
    }
}
