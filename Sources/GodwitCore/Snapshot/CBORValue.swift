/// A CBOR data item (RFC 8949), as far as snapshots use them.
indirect enum CBORValue: Equatable {
    case unsigned(UInt64)
    /// The value -1 - n.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    case map([Entry])
    case bool(Bool)
    case null
    case double(Double)

    struct Entry: Equatable {
        var key: String
        var value: CBORValue
    }

    /// Deeper nesting than this in bytes from outside is refused rather than followed.
    static let maxDepth = 64
}

// MARK: Writing

extension CBORValue {
    func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .unsigned(let value): Self.writeHead(0, value, to: &bytes)
        case .negative(let value): Self.writeHead(1, value, to: &bytes)
        case .bytes(let content):
            Self.writeHead(2, UInt64(content.count), to: &bytes)
            bytes += content
        case .text(let text):
            Self.writeHead(3, UInt64(text.utf8.count), to: &bytes)
            bytes += text.utf8
        case .array(let items):
            Self.writeHead(4, UInt64(items.count), to: &bytes)
            for item in items { item.write(to: &bytes) }
        case .map(let entries):
            Self.writeHead(5, UInt64(entries.count), to: &bytes)
            for entry in entries {
                CBORValue.text(entry.key).write(to: &bytes)
                entry.value.write(to: &bytes)
            }
        case .bool(let value): bytes.append(value ? 0xf5 : 0xf4)
        case .null: bytes.append(0xf6)
        case .double(let value):
            bytes.append(0xfb)
            Self.append(value.bitPattern, to: &bytes)
        }
    }

    private static func writeHead(_ major: UInt8, _ argument: UInt64, to bytes: inout [UInt8]) {
        let top = major << 5
        switch argument {
        case 0..<24: bytes.append(top | UInt8(argument))
        case 24...0xff:
            bytes.append(top | 24)
            bytes.append(UInt8(argument))
        case 0x100...0xffff:
            bytes.append(top | 25)
            append(UInt16(argument), to: &bytes)
        case 0x1_0000...0xffff_ffff:
            bytes.append(top | 26)
            append(UInt32(argument), to: &bytes)
        default:
            bytes.append(top | 27)
            append(argument, to: &bytes)
        }
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
    }
}

// MARK: Reading

/// Why bytes are not a snapshot.
struct CBORError: Error, Equatable {
    var reason: String
    var offset: Int
}

extension CBORValue {
    /// Reads one item that fills `bytes` entirely.
    init(parsing bytes: [UInt8]) throws(CBORError) {
        var parser = CBORParser(bytes: bytes)
        self = try parser.readItem(depth: 0)
        guard parser.offset == bytes.count else { throw parser.failure("bytes behind the end") }
    }
}

private struct CBORParser {
    let bytes: [UInt8]
    var offset = 0

    func failure(_ reason: String) -> CBORError { CBORError(reason: reason, offset: offset) }

    mutating func readItem(depth: Int) throws(CBORError) -> CBORValue {
        guard depth < CBORValue.maxDepth else { throw failure("nested too deeply") }
        guard offset < bytes.count else { throw failure("ends too early") }
        let head = bytes[offset]
        offset += 1
        if head >> 5 == 7 { return try readSimple(head & 0x1f) }
        let argument = try readArgument(head & 0x1f)
        switch head >> 5 {
        case 0: return .unsigned(argument)
        case 1: return .negative(argument)
        case 2: return .bytes([UInt8](try readContent(argument)))
        case 3: return .text(String(decoding: try readContent(argument), as: UTF8.self))
        case 4: return .array(try readItems(argument, depth: depth))
        case 5: return .map(try readEntries(argument, depth: depth))
        default: throw failure("an item of a kind that snapshots do not use")
        }
    }

    private mutating func readSimple(_ kind: UInt8) throws(CBORError) -> CBORValue {
        switch kind {
        case 20: return .bool(false)
        case 21: return .bool(true)
        case 22: return .null
        case 27: return .double(Double(bitPattern: try readInteger(8)))
        default: throw failure("a simple value that snapshots do not use")
        }
    }

    private mutating func readArgument(_ kind: UInt8) throws(CBORError) -> UInt64 {
        switch kind {
        case 0..<24: UInt64(kind)
        case 24...27: try readInteger(1 << Int(kind - 24))
        default: throw failure("an item of indefinite length")
        }
    }

    private mutating func readInteger(_ size: Int) throws(CBORError) -> UInt64 {
        guard bytes.count - offset >= size else { throw failure("ends too early") }
        defer { offset += size }
        return bytes[offset..<offset + size].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func readContent(_ count: UInt64) throws(CBORError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - offset) else { throw failure("ends too early") }
        defer { offset += Int(count) }
        return bytes[offset..<offset + Int(count)]
    }

    private mutating func readItems(_ count: UInt64, depth: Int) throws(CBORError) -> [CBORValue] {
        // Every item takes a byte at least, so a count beyond what is left is a lie.
        guard count <= UInt64(bytes.count - offset) else { throw failure("ends too early") }
        var items: [CBORValue] = []
        items.reserveCapacity(Int(count))
        for _ in 0..<count { items.append(try readItem(depth: depth + 1)) }
        return items
    }

    private mutating func readEntries(_ count: UInt64, depth: Int) throws(CBORError) -> [CBORValue.Entry] {
        guard count <= UInt64(bytes.count - offset) else { throw failure("ends too early") }
        var entries: [CBORValue.Entry] = []
        for _ in 0..<count {
            guard case .text(let key) = try readItem(depth: depth + 1) else {
                throw failure("a key that is not text")
            }
            entries.append(.init(key: key, value: try readItem(depth: depth + 1)))
        }
        return entries
    }
}
