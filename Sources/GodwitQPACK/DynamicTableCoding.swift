extension DynamicTable: Codable {
    private enum CodingKeys: String, CodingKey {
        case capacity
        case droppedCount
        case entries
    }

    /// Reads what ``encode(to:)`` wrote.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let entries = try container.decode(FieldSection.self, forKey: .entries)
        let dropped = try container.decode(UInt64.self, forKey: .droppedCount)
        let capacity = try container.decode(Int.self, forKey: .capacity)
        guard entries.size <= capacity, capacity <= Int(UInt32.max), dropped <= UInt64(Int64.max) else {
            throw DecodingError.dataCorruptedError(
                forKey: .entries, in: container, debugDescription: "a table larger than its capacity")
        }
        self.init(entries, droppedCount: dropped, capacity: capacity)
    }

    /// Writes the entries as a section, the oldest first.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(capacity, forKey: .capacity)
        try container.encode(droppedCount, forKey: .droppedCount)
        try container.encode(entries, forKey: .entries)
    }

    /// All entries, the oldest first.
    var entries: FieldSection {
        var section = FieldSection()
        for index in droppedCount..<insertCount {
            withEntry(index) { section.append(name: $0, value: $1) }
        }
        return section
    }
}
