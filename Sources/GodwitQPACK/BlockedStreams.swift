/// Streams with the insert count each waits for: at the decoder those that are blocked, at the encoder those
/// that may be (RFC 9204 section 2.1.2). Few enough to search one by one.
struct BlockedStreams: Sendable, Codable {
    private struct Entry: Sendable, Codable {
        var stream: UInt64
        var requiredInsertCount: UInt64
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }

    func contains(_ stream: UInt64) -> Bool { entries.contains { $0.stream == stream } }

    /// Has `stream` wait for at least `requiredInsertCount`.
    mutating func insert(_ stream: UInt64, requiredInsertCount: UInt64) {
        if let index = entries.firstIndex(where: { $0.stream == stream }) {
            entries[index].requiredInsertCount = max(entries[index].requiredInsertCount, requiredInsertCount)
        } else {
            entries.append(Entry(stream: stream, requiredInsertCount: requiredInsertCount))
        }
    }

    mutating func remove(_ stream: UInt64) {
        guard !entries.isEmpty, let index = entries.firstIndex(where: { $0.stream == stream }) else { return }
        entries.remove(at: index)
    }

    /// Removes a stream that need not wait any more, the one that came first.
    mutating func removeFirst(waitingFor insertCount: UInt64) -> UInt64? {
        guard let index = entries.firstIndex(where: { $0.requiredInsertCount <= insertCount }) else {
            return nil
        }
        return entries.remove(at: index).stream
    }

    /// Removes all that need not wait any more.
    mutating func removeAll(waitingFor insertCount: UInt64) {
        guard !entries.isEmpty else { return }
        entries.removeAll { $0.requiredInsertCount <= insertCount }
    }
}
