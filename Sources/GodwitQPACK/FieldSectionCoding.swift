extension FieldSection: Codable {
    private enum CodingKeys: String, CodingKey {
        case bytes
        case shape
    }

    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        storage = try container.decode([UInt8].self, forKey: .bytes)
        let shape = try container.decode([UInt32].self, forKey: .shape)
        guard restoreLines(shape) else {
            throw DecodingError.dataCorruptedError(
                forKey: .shape, in: container, debugDescription: "lines that do not fill their bytes")
        }
    }

    /// Writes the bytes as one value and three numbers a line.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Array(storage[..<byteCount]), forKey: .bytes)
        try container.encode(
            lines.flatMap { [$0.nameCount, $0.valueCount, $0.isNeverIndexed ? 1 : 0] }, forKey: .shape)
    }

    private mutating func restoreLines(_ shape: [UInt32]) -> Bool {
        guard shape.count.isMultiple(of: 3), storage.count <= Int(UInt32.max) else { return false }
        for index in stride(from: 0, to: shape.count, by: 3) {
            let (nameCount, valueCount) = (Int(shape[index]), Int(shape[index + 1]))
            guard nameCount + valueCount <= storage.count - byteCount else { return false }
            appendLine(nameCount: nameCount, valueCount: valueCount, neverIndexed: shape[index + 2] != 0)
        }
        return byteCount == storage.count
    }
}
