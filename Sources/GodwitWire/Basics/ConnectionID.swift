/// A connection id of 0 to 20 bytes (RFC 9000 section 5.1), stored in place.
@frozen
public struct ConnectionID: Hashable, Sendable {
    @usableFromInline var word0: UInt64
    @usableFromInline var word1: UInt64
    @usableFromInline var word2: UInt32
    @usableFromInline var byteCount: UInt8

    /// The longest connection id of QUIC versions 1 and 2.
    @inlinable
    public static var maxLength: Int { 20 }

    /// The zero-length connection id.
    @inlinable
    public static var empty: ConnectionID { ConnectionID() }

    @inlinable
    init() { (word0, word1, word2, byteCount) = (0, 0, 0, 0) }

    /// Nil when there are more than 20 bytes.
    @inlinable
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Self.maxLength else { return nil }
        self.init()
        byteCount = UInt8(truncatingIfNeeded: bytes.count)
        withUnsafeMutableBytes(of: &self) { destination in
            guard let source = bytes.baseAddress else { return }
            destination.baseAddress!.copyMemory(from: source, byteCount: bytes.count)
        }
    }

    /// Nil when there are more than 20 bytes.
    public init?(_ bytes: [UInt8]) {
        guard let id = bytes.withUnsafeBytes({ ConnectionID($0) }) else { return nil }
        self = id
    }

    /// The number of bytes, 0 to 20.
    @inlinable
    public var length: Int { Int(byteCount) }
    /// Whether this is the zero-length connection id.
    @inlinable
    public var isEmpty: Bool { byteCount == 0 }

    /// A copy of the bytes.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Calls `body` with the bytes in place.
    @inlinable
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try Swift.withUnsafeBytes(of: self) { try body(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
    }

    /// Whether both have the same bytes.
    @inlinable
    public static func == (lhs: ConnectionID, rhs: ConnectionID) -> Bool {
        lhs.word0 == rhs.word0 && lhs.word1 == rhs.word1 && lhs.word2 == rhs.word2
            && lhs.byteCount == rhs.byteCount
    }

    /// Hashes the bytes and their count.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(word0)
        hasher.combine(word1)
        hasher.combine(UInt64(word2) << 8 | UInt64(byteCount))
    }
}

extension ConnectionID: CustomStringConvertible {
    /// Lower-case hexadecimal.
    public var description: String { Hexadecimal.encode(bytes) }
}

extension ConnectionID: Codable {
    /// Reads what ``encode(to:)`` wrote.
    public init(from decoder: any Decoder) throws {
        let bytes = try decoder.singleValueContainer().decode([UInt8].self)
        guard let id = ConnectionID(bytes) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a connection id of \(bytes.count) bytes"))
        }
        self = id
    }

    /// Writes the bytes as one value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension ByteReader {
    /// Reads a connection id; nil when `length` is above 20 or more than what is left.
    @inlinable
    public mutating func readConnectionID(length: Int) -> ConnectionID? {
        guard length <= ConnectionID.maxLength, let bytes = readBytes(length) else { return nil }
        return ConnectionID(bytes)
    }
}

extension ByteWriter {
    /// Writes the bytes of `id`, without their count.
    @inlinable
    public mutating func writeConnectionID(_ id: ConnectionID) { id.withUnsafeBytes { writeBytes($0) } }

    /// Writes the bytes of `id` behind a byte with their count, as long headers and frames have it.
    @inlinable
    public mutating func writeLengthPrefixedConnectionID(_ id: ConnectionID) {
        writeUInt8(UInt8(truncatingIfNeeded: id.length))
        writeConnectionID(id)
    }
}
