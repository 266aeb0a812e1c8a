/// Finds lines and names in the static table by their hashes.
///
/// Built at first use: open addressing in arrays so large that a second step is rare.
enum StaticTableIndex {
    /// For each slot the index of a line and one more, 0 where there is none.
    private static let lineSlots = makeSlots(count: 512) { lineHash($0) }
    /// The same for the first line of each name.
    private static let nameSlots = makeSlots(count: 256) { isFirstOfName($0) ? nameHash($0) : nil }

    /// The index of the line of that name and value; `hash` is theirs combined.
    static func line(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        search(lineSlots, hash) { $0.value.hasSameBytes(as: value) && $0.name.hasSameBytes(as: name) }
    }

    /// The lowest index of a line of that name.
    static func name(_ name: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        search(nameSlots, hash) { $0.name.hasSameBytes(as: name) }
    }

    @inline(__always)
    private static func search(_ slots: [UInt8], _ hash: UInt64, _ isMatch: (StaticTable.Entry) -> Bool)
        -> Int?
    {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if isMatch(StaticTable.entries[index]) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private static func makeSlots(count: Int, hash: (Int) -> UInt64?) -> [UInt8] {
        var slots = [UInt8](repeating: 0, count: count)
        for index in StaticTable.entries.indices {
            guard let hash = hash(index) else { continue }
            var slot = Int(truncatingIfNeeded: hash) & (count - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (count - 1) }
            slots[slot] = UInt8(index + 1)
        }
        return slots
    }

    private static func nameHash(_ index: Int) -> UInt64 { ByteHash.hash(StaticTable.entries[index].name) }

    private static func lineHash(_ index: Int) -> UInt64 {
        ByteHash.combine(nameHash(index), ByteHash.hash(StaticTable.entries[index].value))
    }

    private static func isFirstOfName(_ index: Int) -> Bool {
        let name = StaticTable.entries[index].name
        return !StaticTable.entries[..<index].contains { $0.name.hasSameBytes(as: name) }
    }
}
