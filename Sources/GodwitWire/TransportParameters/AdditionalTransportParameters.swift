/// Transport parameters of extensions, by identifier, as they are on the wire.
///
/// A set of at most ``maxCount`` with at most ``maxLength`` bytes each: they are kept as long as the
/// connection is, so their size must not be the peer's to choose.
public struct AdditionalTransportParameters: Hashable, Sendable {
    /// How many parameters there can be.
    public static let maxCount = 8
    /// How many bytes the value of one can have.
    public static let maxLength = 256

    /// By rising identifier, so that equal sets have one form.
    private var entries: [Entry] = []

    private struct Entry: Hashable, Sendable, Codable {
        var id: UInt64
        var value: [UInt8]
    }

    /// The empty set.
    public init() {}

    /// How many parameters there are.
    public var count: Int { entries.count }
    /// Whether there is none.
    public var isEmpty: Bool { entries.isEmpty }
    /// The identifiers, rising.
    public var ids: [UInt64] { entries.map(\.id) }

    /// The value of the parameter `id`; nil when it is not sent, which differs from an empty value.
    ///
    /// Setting one that breaks a bound, or that ``TransportParameters`` has a property for, is a programming
    /// error.
    public subscript(id: UInt64) -> [UInt8]? {
        get { entries.first { $0.id == id }?.value }
        set {
            entries.removeAll { $0.id == id }
            guard let newValue else { return }
            precondition(Self.canHold(id: id, value: newValue) && count < Self.maxCount)
            let position = entries.firstIndex { $0.id > id } ?? entries.endIndex
            entries.insert(Entry(id: id, value: newValue), at: position)
        }
    }

    private static func canHold(id: UInt64, value: [UInt8]) -> Bool {
        id <= VariableLengthInteger.max && !TransportParameterID.isKnown(id) && value.count <= maxLength
    }
}

extension AdditionalTransportParameters: Codable {
    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let entries = try decoder.singleValueContainer().decode([Entry].self)
        let isRising = zip(entries, entries.dropFirst()).allSatisfy { $0.id < $1.id }
        guard entries.count <= Self.maxCount, isRising,
            entries.allSatisfy({ Self.canHold(id: $0.id, value: $0.value) })
        else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "transport parameters out of bounds"))
        }
        self.entries = entries
    }

    /// Writes a list of identifiers and values.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(entries)
    }
}
