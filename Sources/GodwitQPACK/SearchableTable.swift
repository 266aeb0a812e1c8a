/// The encoder's dynamic table: a ``DynamicTable`` that finds entries by name and line, and knows which may
/// be evicted.
///
/// Entries with the same hash are chained from the newest to the oldest. Since the oldest are evicted first,
/// a chain ends at the first entry that is gone, and eviction has nothing to undo.
struct SearchableTable: Sendable {
    private struct Link: Sendable {
        var nameHash: UInt64 = 0
        var lineHash: UInt64 = 0
        /// The absolute index of the next older entry in the chain and one more, 0 at the end.
        var olderName: UInt64 = 0
        var olderLine: UInt64 = 0
        /// The size of all entries that were inserted before.
        var position = 0
        /// How many outstanding sections have this entry as their oldest reference.
        var references = 0
    }

    /// How many entries of a chain a search looks at.
    private static let maximumSteps = 16

    private(set) var table = DynamicTable()
    private var links: [Link] = []
    private var nameChains: [UInt64] = []
    private var lineChains: [UInt64] = []
    private var insertedSize = 0

    init() {}

    var capacity: Int { table.capacity }
    var insertCount: UInt64 { table.insertCount }

    mutating func setCapacity(_ capacity: Int) { table.setCapacity(capacity) }
}

// MARK: Search

extension SearchableTable {
    /// The newest entry with that name and value, of those before the absolute index `limit`.
    func line(_ line: UnsafeFieldLine, _ hash: UInt64, before limit: UInt64 = .max) -> UInt64? {
        guard !lineChains.isEmpty else { return nil }
        var next = lineChains[chain(hash)]
        for _ in 0..<Self.maximumSteps {
            guard next > table.droppedCount else { return nil }
            let link = links[slot(next - 1)]
            if link.lineHash == hash, next <= limit, holds(next - 1, line) { return next - 1 }
            next = link.olderLine
        }
        return nil
    }

    /// The newest entry with that name.
    func name(_ name: UnsafeRawBufferPointer, _ hash: UInt64) -> UInt64? {
        guard !nameChains.isEmpty else { return nil }
        var next = nameChains[chain(hash)]
        for _ in 0..<Self.maximumSteps {
            guard next > table.droppedCount else { return nil }
            let link = links[slot(next - 1)]
            if link.nameHash == hash, table.withEntry(next - 1, { entry, _ in entry.hasSameBytes(as: name) })
            {
                return next - 1
            }
            next = link.olderName
        }
        return nil
    }

    /// Whether an entry is in the oldest quarter of the table. New references would keep it from being
    /// evicted; a duplicate is better (RFC 9204 section 2.1.1.1).
    func isDraining(_ index: UInt64) -> Bool {
        insertedSize - links[slot(index)].position > capacity - capacity / 4
    }

    private func holds(_ index: UInt64, _ line: UnsafeFieldLine) -> Bool {
        table.withEntry(index) { $0.hasSameBytes(as: line.name) && $1.hasSameBytes(as: line.value) }
    }

    @inline(__always)
    private func slot(_ index: UInt64) -> Int { Int(truncatingIfNeeded: index) & (links.count - 1) }

    @inline(__always)
    private func chain(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (nameChains.count - 1) }
}

// MARK: References and insertion

extension SearchableTable {
    /// A section was sent whose oldest reference is `index`.
    mutating func addReference(_ index: UInt64) { links[slot(index)].references += 1 }

    /// A section whose oldest reference is `index` needs it no longer.
    mutating func removeReference(_ index: UInt64) { links[slot(index)].references -= 1 }

    /// Whether `size` bytes can be made free by evicting only entries that the decoder has acknowledged and
    /// that no section refers to (RFC 9204 section 2.1.1); `oldestReference` is that of the section being
    /// encoded.
    func canMakeRoom(for size: Int, knownReceivedCount: UInt64, oldestReference: UInt64) -> Bool {
        guard size <= capacity else { return false }
        var free = capacity - table.size
        var index = table.droppedCount
        while free < size {
            guard index < min(knownReceivedCount, oldestReference), links[slot(index)].references == 0 else {
                return false
            }
            free += table.slot(index).size
            index += 1
        }
        return true
    }

    /// Inserts an entry for which there is room, and returns its absolute index.
    mutating func insert(_ line: UnsafeFieldLine, nameHash: UInt64, lineHash: UInt64) -> UInt64 {
        table.insert(name: line.name, value: line.value)
        return linkNewest(nameHash, lineHash)
    }

    /// Inserts an entry again, for which there is room, and returns the absolute index of the duplicate.
    mutating func duplicate(_ index: UInt64) -> UInt64 {
        let link = links[slot(index)]
        table.duplicate(index)
        return linkNewest(link.nameHash, link.lineHash)
    }

    private mutating func linkNewest(_ nameHash: UInt64, _ lineHash: UInt64) -> UInt64 {
        let index = table.insertCount - 1
        if table.slotCount != links.count { growLinks() }
        links[slot(index)] = Link(nameHash: nameHash, lineHash: lineHash, position: insertedSize)
        insertedSize += table.slot(index).size
        chainEntry(index)
        return index
    }

    private mutating func chainEntry(_ index: UInt64) {
        let (place, link) = (slot(index), links[slot(index)])
        links[place].olderName = nameChains[chain(link.nameHash)]
        links[place].olderLine = lineChains[chain(link.lineHash)]
        nameChains[chain(link.nameHash)] = index + 1
        lineChains[chain(link.lineHash)] = index + 1
    }

    /// Follows the table to its new number of slots, the newest entry being without a link yet.
    private mutating func growLinks() {
        let old = links
        links = [Link](repeating: Link(), count: table.slotCount)
        nameChains = [UInt64](repeating: 0, count: 2 * table.slotCount)
        lineChains = nameChains
        for index in table.droppedCount..<table.insertCount - 1 {
            links[slot(index)] = old[Int(truncatingIfNeeded: index) & (old.count - 1)]
            chainEntry(index)
        }
    }
}

extension SearchableTable: Codable {
    /// Reads what ``encode(to:)`` wrote. References are counted anew by the owner of the sections.
    init(from decoder: any Decoder) throws {
        let stored = try DynamicTable(from: decoder)
        table = DynamicTable(FieldSection(), droppedCount: stored.droppedCount, capacity: stored.capacity)
        stored.entries.forEachUnsafeLine { line in
            let nameHash = ByteHash.hash(line.name)
            _ = insert(
                line, nameHash: nameHash, lineHash: ByteHash.combine(nameHash, ByteHash.hash(line.value)))
        }
    }

    /// Writes the table alone; what finds entries is rebuilt from it.
    func encode(to encoder: any Encoder) throws { try table.encode(to: encoder) }
}
