import GodwitWire

/// Whose turn it is to send (RFC 9000 section 2.3, RFC 9218 section 10).
///
/// A stream stands in one of three queues of its urgency level, or in none when it has nothing that it may
/// send. Lost data goes before new data of the same level, but not for so long that a small request waits for
/// the megabytes that were lost with a path: see ``longestResend``. The schedule only holds slots; ``Streams``
/// says what each has.
struct SendSchedule: Sendable {
    enum Queue: Int, Sendable {
        /// Lost data or a bare end, which need no credit.
        case resend
        /// New data of streams that are not incremental, in the order of their ids.
        case ordered
        /// New data of incremental streams, in turns.
        case incremental
    }

    /// After so many packets in a row that begin with lost data, one begins with new data.
    static let longestResend: UInt8 = 4

    private static let levelCount = 8
    private var lists = SlotLists(listCount: Int8(levelCount * 3))
    /// A bit for each level whose resend queue holds somebody.
    private var resendLevels: UInt8 = 0
    /// A bit for each level where somebody has new data.
    private var freshLevels: UInt8 = 0
    /// What packets began with so far, as far as it matters.
    struct Turns: Codable, Sendable, Equatable {
        /// A bit for each level whose last packet began with an ordered stream: the incremental ones come next.
        var orderedWentLast: UInt8 = 0
        /// How many packets in a row began with lost data.
        var resent: UInt8 = 0
    }

    var turns = Turns()

    private static func list(_ level: Int, _ queue: Queue) -> Int { level * 3 + queue.rawValue }

    var hasFreshData: Bool { freshLevels != 0 }

    /// Whether somebody may send, given whether the connection has credit for new data.
    func isReady(withCredit: Bool) -> Bool { resendLevels != 0 || (withCredit && freshLevels != 0) }

    /// The slot whose turn it is.
    func next(withCredit: Bool) -> Int? {
        let levels = withCredit ? resendLevels | freshLevels : resendLevels
        guard levels != 0 else { return nil }
        let level = levels.trailingZeroBitCount
        let isFreshDue = turns.resent >= Self.longestResend && withCredit && freshLevels & (1 << level) != 0
        if resendLevels & (1 << level) != 0, !isFreshDue { return lists.first(Self.list(level, .resend)) }
        let ordered = lists.first(Self.list(level, .ordered))
        let incremental = lists.first(Self.list(level, .incremental))
        // RFC 9218 section 10: neither kind is to starve the other.
        if turns.orderedWentLast & (1 << level) != 0, incremental != nil { return incremental }
        return ordered ?? incremental
    }

    /// A packet begins with this slot: the next one is for the other kind of its level, if there are both.
    mutating func beginTurn(of slot: Int) {
        guard let list = lists.list(of: slot) else { return }
        let bit: UInt8 = 1 << (list / 3)
        switch Queue(rawValue: list % 3) {
        case .ordered: turns = Turns(orderedWentLast: turns.orderedWentLast | bit)
        case .incremental: turns = Turns(orderedWentLast: turns.orderedWentLast & ~bit)
        case .resend: if turns.resent < Self.longestResend { turns.resent += 1 }
        case nil: break
        }
    }

    /// The packet that began with this slot is full: an incremental stream goes behind its level's others, and one that
    /// has lost data behind those that have.
    mutating func endTurn(of slot: Int) {
        guard let list = lists.list(of: slot), list % 3 != Queue.ordered.rawValue else { return }
        lists.moveToEnd(slot)
    }

    /// Puts a slot where it belongs now; nil for a stream with nothing to send.
    mutating func place(_ slot: Int, level: UInt8, queue: Queue?, in table: StreamTable) {
        let list = queue.map { Self.list(Int(level), $0) }
        let current = lists.list(of: slot)
        if current == list { return }
        if let current {
            lists.remove(slot)
            updateBits(Int(current) / 3)
        }
        guard let list, let queue else { return }
        if queue == .ordered {
            lists.insert(slot, behind: predecessor(of: slot, in: list, table), in: list)
        } else {
            lists.append(slot, to: list)
        }
        updateBits(Int(level))
    }

    /// Most streams join in the order of their ids, hence from the end.
    private func predecessor(of slot: Int, in list: Int, _ table: StreamTable) -> Int? {
        var other = lists.last(list)
        while let candidate = other, table.slots[candidate].id > table.slots[slot].id {
            other = lists.previous(candidate)
        }
        return other
    }

    private mutating func updateBits(_ level: Int) {
        let bit: UInt8 = 1 << level
        let isFresh =
            !lists.isEmpty(Self.list(level, .ordered)) || !lists.isEmpty(Self.list(level, .incremental))
        resendLevels = lists.isEmpty(Self.list(level, .resend)) ? resendLevels & ~bit : resendLevels | bit
        freshLevels = isFresh ? freshLevels | bit : freshLevels & ~bit
    }

    /// The slots in the order of their turns, for a snapshot.
    var slots: [Int] { (0..<Self.levelCount * 3).flatMap { lists.slots(in: $0) } }

    /// Gives up memory when nobody is waiting.
    mutating func releaseSpareMemory() {
        if !isReady(withCredit: true) { lists.removeAll() }
    }
}
