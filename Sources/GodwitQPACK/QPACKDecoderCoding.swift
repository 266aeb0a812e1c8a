extension QPACKDecoder: Codable {
    private enum CodingKeys: String, CodingKey {
        case maximumTableCapacity, maximumBlockedStreams, maximumFieldSectionSize
        case table, blocked, acknowledgedInserts
        case decoderStream, partialInstruction, isOverloaded
    }

    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let tableCapacity = try values.decode(Int.self, forKey: .maximumTableCapacity)
        let sectionSize = try values.decode(Int.self, forKey: .maximumFieldSectionSize)
        let blockedStreams = try values.decode(Int.self, forKey: .maximumBlockedStreams)
        let table = try values.decode(DynamicTable.self, forKey: .table)
        guard Self.sizes ~= tableCapacity, Self.sizes ~= sectionSize, blockedStreams >= 0,
            table.capacity <= tableCapacity
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .table, in: values, debugDescription: "limits that no decoder has")
        }
        self.init(
            maximumTableCapacity: tableCapacity, maximumBlockedStreams: blockedStreams,
            maximumFieldSectionSize: sectionSize)
        self.table = table
        blocked = try values.decode(BlockedStreams.self, forKey: .blocked)
        acknowledgedInserts = try values.decode(UInt64.self, forKey: .acknowledgedInserts)
        decoderStream = try values.decode([UInt8].self, forKey: .decoderStream)
        partialInstruction = try values.decode(PartialInstruction.self, forKey: .partialInstruction)
        isOverloaded = try values.decode(Bool.self, forKey: .isOverloaded)
    }

    /// Writes all that the decoder knows.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(maximumTableCapacity, forKey: .maximumTableCapacity)
        try values.encode(maximumBlockedStreams, forKey: .maximumBlockedStreams)
        try values.encode(maximumFieldSectionSize, forKey: .maximumFieldSectionSize)
        try values.encode(table, forKey: .table)
        try values.encode(blocked, forKey: .blocked)
        try values.encode(acknowledgedInserts, forKey: .acknowledgedInserts)
        try values.encode(decoderStream, forKey: .decoderStream)
        try values.encode(partialInstruction, forKey: .partialInstruction)
        try values.encode(isOverloaded, forKey: .isOverloaded)
    }
}
