import GodwitWire

/// Priorities of requests that have not come yet (RFC 9218 section 7): the last one for each, and not too
/// many.
struct PendingPriorities: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        let id: StreamID
        var priority: Priority
    }

    private var entries: [Entry] = []

    /// Keeps a priority, unless there is no room for one more stream.
    mutating func keep(_ priority: Priority, for id: StreamID, limit: Int) {
        if let position = entries.firstIndex(where: { $0.id == id }) {
            entries[position].priority = priority
        } else if entries.count < limit {
            entries.append(Entry(id: id, priority: priority))
        }
    }

    /// Gives out what was kept for a stream.
    mutating func take(_ id: StreamID) -> Priority? {
        guard let position = entries.firstIndex(where: { $0.id == id }) else { return nil }
        return entries.remove(at: position).priority
    }
}
