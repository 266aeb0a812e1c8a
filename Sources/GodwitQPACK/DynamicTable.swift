/// The table that an encoder builds at its decoder (RFC 9204 section 3.2), as both ends keep it.
///
/// Entries lie in a ring of slots by absolute index, their names and values one behind the other in a buffer.
/// What is evicted leaves a gap at the front of the buffer, which closes when the end is reached. The buffer
/// holds at most twice the capacity and one entry, so closing moves no more bytes than were inserted since.
struct DynamicTable: Sendable {
    /// An entry: its name at `start` of the buffer, its value right behind.
    struct Slot: Sendable {
        var start: Int
        var nameCount: UInt32
        var valueCount: UInt32

        var byteCount: Int { Int(nameCount) + Int(valueCount) }
        /// RFC 9204 section 3.2.1.
        var size: Int { byteCount + DynamicTable.overheadPerEntry }
    }

    /// What an entry counts on top of its name and value (RFC 9204 section 3.2.1).
    static let overheadPerEntry = 32

    /// What the entries may come to, set by the encoder (RFC 9204 section 3.2.2).
    private(set) var capacity = 0
    /// What they come to now.
    private(set) var size = 0
    /// How many entries were ever inserted; also the absolute index of the next.
    private(set) var insertCount: UInt64 = 0
    /// How many were evicted; also the absolute index of the oldest entry.
    private(set) var droppedCount: UInt64 = 0

    private var slots: [Slot] = []
    private var storage: [UInt8] = []
    private var end = 0

    init() {}

    /// A table of `entries`, before which `droppedCount` others were evicted. They must fit.
    init(_ entries: FieldSection, droppedCount: UInt64, capacity: Int) {
        self.capacity = capacity
        self.droppedCount = droppedCount
        self.insertCount = droppedCount
        entries.forEachUnsafeLine { insert(name: $0.name, value: $0.value) }
    }

    /// How many entries there are.
    var count: Int { Int(insertCount - droppedCount) }
    /// How long the buffer is.
    var bufferCount: Int { storage.count }
    /// How many there can be before the ring grows; a power of two, so that an index is masked to its slot.
    var slotCount: Int { slots.count }

    /// Whether the entry with that absolute index is there.
    @inline(__always)
    func contains(_ index: UInt64) -> Bool { index >= droppedCount && index < insertCount }

    /// The slot of an entry that is there.
    @inline(__always)
    func slot(_ index: UInt64) -> Slot { slots[Int(truncatingIfNeeded: index) & (slots.count - 1)] }

    /// Calls `body` with name and value of an entry that is there.
    @inline(__always)
    func withEntry<R, E: Error>(
        _ index: UInt64,
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let slot = slot(index)
        return try storage.withUnsafeBufferPointer { (bytes) throws(E) -> R in
            let all = UnsafeRawBufferPointer(bytes)
            let value = slot.start + Int(slot.nameCount)
            return try body(
                UnsafeRawBufferPointer(rebasing: all[slot.start..<value]),
                UnsafeRawBufferPointer(rebasing: all[value..<value + Int(slot.valueCount)]))
        }
    }
}

// MARK: Changes

extension DynamicTable {
    /// Sets the capacity and evicts what no longer fits (RFC 9204 section 3.2.2).
    mutating func setCapacity(_ capacity: Int) {
        self.capacity = capacity
        evict(toFit: 0)
    }

    /// Evicts from the oldest on until an entry of `newSize` fits (RFC 9204 section 3.2.2).
    mutating func evict(toFit newSize: Int) {
        while size > 0, size + newSize > capacity { evictOldest() }
    }

    private mutating func evictOldest() {
        size -= slot(droppedCount).size
        droppedCount += 1
    }

    /// Inserts an entry that lies in someone else's buffer and is no larger than the capacity.
    mutating func insert(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        withRoom(for: name.count + value.count) { room, _ in
            room.copyMemory(from: name)
            UnsafeMutableRawBufferPointer(rebasing: room[name.count...]).copyMemory(from: value)
        }
        commit(nameCount: name.count, valueCount: value.count)
    }

    /// Inserts an entry once more (RFC 9204 section 4.3.4).
    mutating func duplicate(_ index: UInt64) {
        let count = slot(index).byteCount
        makeRoom(for: count)
        // Making room may have moved the entry.
        let slot = slot(index)
        withRoom(for: count) { room, all in
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[slot.start..<slot.start + count]))
        }
        commit(nameCount: Int(slot.nameCount), valueCount: Int(slot.valueCount))
    }

    /// Lets `body` fill `count` bytes, behind which the entries in place lie for it to copy from. What it
    /// writes becomes an entry with ``commit(nameCount:valueCount:)``; nothing is evicted before, so that a
    /// name may come from an entry that the new one evicts (RFC 9204 section 3.2.2).
    mutating func withRoom<R, E: Error>(
        for count: Int,
        _ body: (_ room: UnsafeMutableRawBufferPointer, _ all: UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        makeRoom(for: count)
        let start = end
        return try storage.withUnsafeMutableBufferPointer { (bytes) throws(E) -> R in
            let all = UnsafeMutableRawBufferPointer(bytes)
            return try body(
                UnsafeMutableRawBufferPointer(rebasing: all[start..<start + count]),
                UnsafeRawBufferPointer(all))
        }
    }

    /// Makes the bytes that were written last an entry, which must not be larger than the capacity.
    mutating func commit(nameCount: Int, valueCount: Int) {
        let slot = Slot(start: end, nameCount: UInt32(nameCount), valueCount: UInt32(valueCount))
        evict(toFit: slot.size)
        if count == slots.count { growSlots() }
        slots[Int(truncatingIfNeeded: insertCount) & (slots.count - 1)] = slot
        end += slot.byteCount
        size += slot.size
        insertCount += 1
    }
}

// MARK: Room

extension DynamicTable {
    /// Sees to `count` free bytes at the end of the buffer. Entries may move.
    mutating func makeRoom(for count: Int) {
        guard storage.count - end < count else { return }
        let liveStart = self.count == 0 ? end : slot(droppedCount).start
        let largest = 2 * capacity + count
        if liveStart < storage.count / 2, storage.count < largest {
            let wanted = min(max(end + count, 2 * storage.count, 256), max(largest, end + count))
            storage.append(contentsOf: repeatElement(0, count: wanted - storage.count))
        } else {
            closeGap(liveStart)
            guard storage.count - end < count else { return }
            storage.append(contentsOf: repeatElement(0, count: count - (storage.count - end)))
        }
    }

    private mutating func closeGap(_ liveStart: Int) {
        let live = end - liveStart
        storage.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress, live > 0 else { return }
            base.copyMemory(from: base + liveStart, byteCount: live)
        }
        end = live
        for index in droppedCount..<insertCount {
            slots[Int(truncatingIfNeeded: index) & (slots.count - 1)].start -= liveStart
        }
    }

    private mutating func growSlots() {
        let empty = Slot(start: 0, nameCount: 0, valueCount: 0)
        var grown = [Slot](repeating: empty, count: max(16, 2 * slots.count))
        for index in droppedCount..<insertCount {
            grown[Int(truncatingIfNeeded: index) & (grown.count - 1)] = slot(index)
        }
        slots = grown
    }
}
