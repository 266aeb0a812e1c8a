/// Turns `Codable` values into CBOR.
///
/// The core must not import Foundation, whose coders would serve otherwise. CBOR because byte strings are the bulk
/// of a snapshot, and because any CBOR tool then shows what is in one.
struct CBOREncoder {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        try item(for: value).serialized()
    }

    fileprivate static func item(for value: some Encodable) throws -> CBORValue {
        // The cast alone would take an empty array of anything for bytes.
        if type(of: value) == [UInt8].self, let bytes = value as? [UInt8] { return .bytes(bytes) }
        let node = Node()
        try value.encode(to: NodeEncoder(node: node))
        return node.finished
    }
}

/// A value under construction. Containers of `Codable` are handed out before they are filled, hence a class.
private final class Node {
    enum Content {
        case value(CBORValue)
        case map([(key: String, node: Node)])
        case array([Node])
    }

    var content = Content.map([])

    var finished: CBORValue {
        switch content {
        case .value(let value): value
        case .map(let entries): .map(entries.map { .init(key: $0.key, value: $0.node.finished) })
        case .array(let nodes): .array(nodes.map(\.finished))
        }
    }

    func child(_ key: String) -> Node {
        let node = Node()
        if case .map(var entries) = content {
            content = .value(.null)
            entries.append((key, node))
            content = .map(entries)
        } else {
            content = .map([(key, node)])
        }
        return node
    }

    func element() -> Node {
        let node = Node()
        if case .array(var nodes) = content {
            content = .value(.null)
            nodes.append(node)
            content = .array(nodes)
        } else {
            content = .array([node])
        }
        return node
    }

    func set(_ value: some Encodable) throws { content = .value(try CBOREncoder.item(for: value)) }
    func setInteger(_ value: some BinaryInteger) {
        content = .value(value < 0 ? .negative(UInt64(-1 - Int64(value))) : .unsigned(UInt64(value)))
    }
}

private struct NodeEncoder: Encoder {
    let node: Node
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(MapEncoder(node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.content = .array([])
        return ArrayEncoder(node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ValueEncoder(node: node) }
}

private struct MapEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: Node
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) { node.child(key.stringValue).content = .value(.null) }
    func encode(_ value: some Encodable, forKey key: Key) throws {
        try node.child(key.stringValue).set(value)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy keyType: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(MapEncoder<Nested>(node: node.child(key.stringValue)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        NodeEncoder(node: node.child(key.stringValue)).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { NodeEncoder(node: node.child("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { NodeEncoder(node: node.child(key.stringValue)) }
}

private struct ArrayEncoder: UnkeyedEncodingContainer {
    let node: Node
    private(set) var count = 0
    var codingPath: [any CodingKey] { [] }

    init(node: Node) { self.node = node }

    private mutating func next() -> Node {
        count += 1
        return node.element()
    }

    mutating func encodeNil() { next().content = .value(.null) }
    mutating func encode(_ value: some Encodable) throws { try next().set(value) }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy keyType: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(MapEncoder<Nested>(node: next()))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        NodeEncoder(node: next()).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { NodeEncoder(node: next()) }
}

private struct ValueEncoder: SingleValueEncodingContainer {
    let node: Node
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { node.content = .value(.null) }
    func encode(_ value: Bool) { node.content = .value(.bool(value)) }
    func encode(_ value: String) { node.content = .value(.text(value)) }
    func encode(_ value: Double) { node.content = .value(.double(value)) }
    func encode(_ value: Float) { node.content = .value(.double(Double(value))) }
    func encode(_ value: Int) { node.setInteger(value) }
    func encode(_ value: Int8) { node.setInteger(value) }
    func encode(_ value: Int16) { node.setInteger(value) }
    func encode(_ value: Int32) { node.setInteger(value) }
    func encode(_ value: Int64) { node.setInteger(value) }
    func encode(_ value: UInt) { node.setInteger(value) }
    func encode(_ value: UInt8) { node.setInteger(value) }
    func encode(_ value: UInt16) { node.setInteger(value) }
    func encode(_ value: UInt32) { node.setInteger(value) }
    func encode(_ value: UInt64) { node.setInteger(value) }
    func encode(_ value: some Encodable) throws { try node.set(value) }
}
