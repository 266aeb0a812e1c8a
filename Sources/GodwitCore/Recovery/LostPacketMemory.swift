import GodwitWire

/// Packets that were declared lost not long ago, so that a late acknowledgment of one is recognised as a sign
/// that nothing was lost (RFC 9002 appendix A.1).
struct LostPacketMemory: Codable, Sendable {
    /// A burst of more losses than this is not the reordering that the memory is for.
    static let limit = 256

    struct Entry: Codable, Sendable {
        var number: UInt64
        var path: PathID
        var timeSent: Instant
        var timeDeclared: Instant
        var wasDeclaredByTime: Bool
        var isAcknowledged = false
    }

    /// In ascending order of packet numbers, because losses are declared in that order.
    private var entries = IndexedRing<Entry>()

    var isEmpty: Bool { entries.isEmpty }
    var smallest: UInt64? { entries.first?.number }

    mutating func insert(_ entry: Entry) {
        if entries.count == Self.limit { entries.removeFirst() }
        entries.append(entry)
    }

    mutating func forget(declaredBefore time: Instant) {
        while let first = entries.first, first.timeDeclared < time { entries.removeFirst() }
    }

    mutating func removeAll() { entries.removeAll(below: entries.endIndex) }

    mutating func releaseStorage() { entries.removeAll() }

    /// Visits the entries with numbers from `smallest` to `largest` that were not acknowledged before, newest
    /// first, starting below `cursor`; leaves `cursor` where the next lower range goes on.
    mutating func acknowledge(
        _ smallest: UInt64, _ largest: UInt64, cursor: inout UInt64, _ report: (Entry) -> Void
    ) {
        while cursor > entries.startIndex, entries[cursor - 1].number > largest { cursor -= 1 }
        while cursor > entries.startIndex, entries[cursor - 1].number >= smallest {
            cursor -= 1
            if entries[cursor].isAcknowledged { continue }
            entries[cursor].isAcknowledged = true
            report(entries[cursor])
        }
    }

    /// The cursor for the newest range of an ACK frame.
    var cursor: UInt64 { entries.endIndex }
}

/// The latest packet numbers that were left out on purpose: only a peer that acknowledges what it did not
/// receive acknowledges one of them (RFC 9000 section 21.4).
struct SkippedNumbers: Codable, Sendable {
    /// An attacker acknowledges what it expects to be sent, so the latest few are enough.
    static let limit = 16

    private var numbers: ContiguousArray<UInt64> = []

    var smallest: UInt64? { numbers.first }

    mutating func insert(_ number: UInt64) {
        if numbers.count == Self.limit { numbers.removeFirst() }
        numbers.append(number)
    }

    /// Whether any of the numbers lies in the range; `cursor` goes down from ``count`` over an ACK frame.
    func intersects(_ smallest: UInt64, _ largest: UInt64, cursor: inout Int) -> Bool {
        while cursor > 0, numbers[cursor - 1] > largest { cursor -= 1 }
        return cursor > 0 && numbers[cursor - 1] >= smallest
    }

    var count: Int { numbers.count }
}
