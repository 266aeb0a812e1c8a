/// Turns CBOR back into `Codable` values. Bytes that are not what the type expects throw; they never trap.
struct CBORDecoder {
    static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try value(type, from: CBORValue(parsing: bytes))
    }

    fileprivate static func value<T: Decodable>(_ type: T.Type, from item: CBORValue) throws -> T {
        if type == [UInt8].self {
            guard case .bytes(let bytes) = item else { throw mismatch(type, item) }
            return bytes as! T
        }
        return try T(from: ItemDecoder(item: item))
    }

    fileprivate static func mismatch(_ type: Any.Type, _ item: CBORValue) -> DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "\(item.kind) where \(type) was expected"))
    }

    fileprivate static func integer<T: FixedWidthInteger>(_ type: T.Type, from item: CBORValue) throws -> T {
        switch item {
        case .unsigned(let value):
            if let result = T(exactly: value) { return result }
        case .negative(let value):
            if let signed = Int64(exactly: value), let result = T(exactly: -1 - signed) { return result }
        default: break
        }
        throw mismatch(type, item)
    }
}

extension CBORValue {
    fileprivate var kind: String {
        switch self {
        case .unsigned, .negative: "a number"
        case .bytes: "bytes"
        case .text: "text"
        case .array: "an array"
        case .map: "a map"
        case .bool: "a boolean"
        case .null: "null"
        case .double: "a floating-point number"
        }
    }
}

private struct ItemDecoder: Decoder {
    let item: CBORValue
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try MapDecoder<Key>(item))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try ArrayDecoder(item) }
    func singleValueContainer() -> any SingleValueDecodingContainer { ValueDecoder(item: item) }
}

private struct MapDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let values: [String: CBORValue]
    let allKeys: [Key]
    var codingPath: [any CodingKey] { [] }

    init(_ item: CBORValue) throws {
        guard case .map(let entries) = item else { throw CBORDecoder.mismatch([String: Any].self, item) }
        values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        allKeys = entries.compactMap { Key(stringValue: $0.key) }
    }

    private func item(_ key: some CodingKey) throws -> CBORValue {
        guard let item = values[key.stringValue] else {
            throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: "missing"))
        }
        return item
    }

    func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try item(key) == .null }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try CBORDecoder.value(type, from: item(key))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(try MapDecoder<Nested>(item(key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try ArrayDecoder(item(key))
    }

    func superDecoder() throws -> any Decoder { ItemDecoder(item: values["super"] ?? .null) }
    func superDecoder(forKey key: Key) throws -> any Decoder { ItemDecoder(item: try item(key)) }
}

private struct ArrayDecoder: UnkeyedDecodingContainer {
    private let items: [CBORValue]
    private(set) var currentIndex = 0
    var codingPath: [any CodingKey] { [] }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    init(_ item: CBORValue) throws {
        guard case .array(let items) = item else { throw CBORDecoder.mismatch([Any].self, item) }
        self.items = items
    }

    private mutating func next() throws -> CBORValue {
        guard !isAtEnd else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "an array that ends too early"))
        }
        defer { currentIndex += 1 }
        return items[currentIndex]
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, items[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try CBORDecoder.value(type, from: next())
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        KeyedDecodingContainer(try MapDecoder<Nested>(next()))
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try ArrayDecoder(next()) }
    mutating func superDecoder() throws -> any Decoder { ItemDecoder(item: try next()) }
}

private struct ValueDecoder: SingleValueDecodingContainer {
    let item: CBORValue
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { item == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value) = item else { throw CBORDecoder.mismatch(type, item) }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .text(let value) = item else { throw CBORDecoder.mismatch(type, item) }
        return value
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard case .double(let value) = item else { throw CBORDecoder.mismatch(type, item) }
        return value
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: Int8.Type) throws -> Int8 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: Int16.Type) throws -> Int16 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: Int32.Type) throws -> Int32 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: Int64.Type) throws -> Int64 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: UInt.Type) throws -> UInt { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try CBORDecoder.integer(type, from: item) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try CBORDecoder.integer(type, from: item) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try CBORDecoder.value(type, from: item) }
}
