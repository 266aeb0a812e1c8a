/// The PATH_CHALLENGE frames of a path that wait for their PATH_RESPONSE (RFC 9000 section 8.2.2).
///
/// A peer may send challenges faster than answers can leave; of a flood only the latest are answered. Whoever
/// validates a path sends again, so a lost answer costs time and nothing else.
struct PathResponses: Codable, Sendable, Equatable {
    static let capacity = 4

    private var waiting: ContiguousArray<UInt64> = []

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }
    var first: UInt64? { waiting.first }

    mutating func append(_ data: UInt64) {
        // RFC 9000 section 8.2.2: a challenge is answered once, and copies of a datagram are dropped as
        // duplicates before they come here; so equal data is a peer that sent the same frame twice.
        if waiting.contains(data) { return }
        if waiting.count == Self.capacity { waiting.removeFirst() }
        waiting.append(data)
    }

    mutating func removeFirst() -> UInt64? { waiting.isEmpty ? nil : waiting.removeFirst() }

    mutating func removeAll() { waiting.removeAll() }
}
