import GodwitWire

/// When to look after which connection next.
///
/// A connection's deadline moves with nearly every packet, mostly later. So the heap is lazy: an entry is
/// pushed only when a deadline comes to lie before the connection's earliest entry, and an entry that comes
/// up too early is put back at the deadline that holds by then.
struct DeadlineHeap {
    private struct Entry {
        var deadline: Instant
        var slot: UInt32
    }

    private var entries: ContiguousArray<Entry> = []
    /// The deadline of each slot's earliest entry, `distantFuture` where there is none.
    private var earliest: ContiguousArray<Instant> = []

    var nextDeadline: Instant? { entries.first?.deadline }

    mutating func schedule(_ slot: UInt32, at deadline: Instant) {
        while earliest.count <= Int(slot) { earliest.append(.distantFuture) }
        guard deadline < earliest[Int(slot)] else { return }
        earliest[Int(slot)] = deadline
        entries.append(Entry(deadline: deadline, slot: slot))
        siftUp(entries.count - 1)
    }

    /// Takes out the first slot whose entry has come; the caller schedules it anew by its real deadline.
    mutating func popExpired(now: Instant) -> UInt32? {
        while let first = entries.first, first.deadline <= now {
            removeFirst()
            // A later entry of a slot that was rescheduled earlier is stale.
            guard earliest[Int(first.slot)] == first.deadline else { continue }
            earliest[Int(first.slot)] = .distantFuture
            return first.slot
        }
        return nil
    }

    mutating func removeAll() {
        entries.removeAll()
        earliest.removeAll()
    }

    private mutating func removeFirst() {
        let last = entries.removeLast()
        guard !entries.isEmpty else { return }
        entries[0] = last
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].deadline < entries[parent].deadline else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { return }
            if child + 1 < entries.count, entries[child + 1].deadline < entries[child].deadline { child += 1 }
            guard entries[child].deadline < entries[parent].deadline else { return }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}
