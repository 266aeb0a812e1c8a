extension QPACKEncoder: Codable {
    private enum CodingKeys: String, CodingKey {
        case tableCapacityLimit, blockedStreamLimit, encoderStreamCredit
        case maximumTableCapacity, maximumBlockedStreams
        case table, isCapacityAnnounced, knownReceivedCount
        case outstanding, blocking, cancelled
        case encoderStream, partialInstruction
    }

    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let tableCapacity = try values.decode(Int.self, forKey: .tableCapacityLimit)
        let blockedStreams = try values.decode(Int.self, forKey: .blockedStreamLimit)
        guard Self.sizes ~= tableCapacity, blockedStreams >= 0 else {
            throw DecodingError.dataCorruptedError(
                forKey: .tableCapacityLimit, in: values, debugDescription: "limits that no encoder has")
        }
        self.init(tableCapacityLimit: tableCapacity, blockedStreamLimit: blockedStreams)
        encoderStreamCredit = try values.decode(Int.self, forKey: .encoderStreamCredit)
        maximumTableCapacity = try values.decode(UInt64.self, forKey: .maximumTableCapacity)
        maximumBlockedStreams = try values.decode(Int.self, forKey: .maximumBlockedStreams)
        table = try values.decode(SearchableTable.self, forKey: .table)
        isCapacityAnnounced = try values.decode(Bool.self, forKey: .isCapacityAnnounced)
        knownReceivedCount = try values.decode(UInt64.self, forKey: .knownReceivedCount)
        outstanding = try values.decode(OutstandingSections.self, forKey: .outstanding)
        blocking = try values.decode(BlockedStreams.self, forKey: .blocking)
        cancelled = try values.decode(CancelledStreams.self, forKey: .cancelled)
        encoderStream = try values.decode([UInt8].self, forKey: .encoderStream)
        partialInstruction = try values.decode(PartialInstruction.self, forKey: .partialInstruction)
        guard restoreReferences(), knownReceivedCount <= table.insertCount,
            table.capacity <= tableCapacityLimit
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .outstanding, in: values, debugDescription: "references to no entry of the table")
        }
    }

    /// Writes everything but the history of lines, without which the encoder compresses a little less.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(tableCapacityLimit, forKey: .tableCapacityLimit)
        try values.encode(blockedStreamLimit, forKey: .blockedStreamLimit)
        try values.encode(encoderStreamCredit, forKey: .encoderStreamCredit)
        try values.encode(maximumTableCapacity, forKey: .maximumTableCapacity)
        try values.encode(maximumBlockedStreams, forKey: .maximumBlockedStreams)
        try values.encode(table, forKey: .table)
        try values.encode(isCapacityAnnounced, forKey: .isCapacityAnnounced)
        try values.encode(knownReceivedCount, forKey: .knownReceivedCount)
        try values.encode(outstanding, forKey: .outstanding)
        try values.encode(blocking, forKey: .blocking)
        try values.encode(cancelled, forKey: .cancelled)
        try values.encode(encoderStream, forKey: .encoderStream)
        try values.encode(partialInstruction, forKey: .partialInstruction)
    }

    private mutating func restoreReferences() -> Bool {
        for section in outstanding.all {
            guard table.table.contains(section.oldestReference) else { return false }
            table.addReference(section.oldestReference)
        }
        return true
    }
}
