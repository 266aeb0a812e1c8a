/// A bounds-checked cursor over bytes that someone else owns.
///
/// Every read either succeeds and advances, or returns nil and leaves the cursor where it was. The bytes must
/// outlive the reader and every view taken from it; a reader is made for one datagram and dropped with it.
@frozen
public struct ByteReader {
    @usableFromInline var cursor: UnsafeRawPointer
    @usableFromInline let end: UnsafeRawPointer

    /// A reader at the first of `bytes`.
    @inlinable
    public init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no base address; any address serves, since nothing is read from it.
        let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        self.cursor = base
        self.end = base + bytes.count
    }

    /// How many bytes are left.
    @inlinable
    public var remaining: Int { end - cursor }
    /// Whether no byte is left.
    @inlinable
    public var isAtEnd: Bool { cursor == end }

    /// What is left, without advancing.
    @inlinable
    public var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: cursor, count: remaining) }

    /// The next byte, without advancing.
    @inlinable
    public func peekUInt8() -> UInt8? { cursor < end ? cursor.load(as: UInt8.self) : nil }

    /// Reads a byte.
    @inlinable
    public mutating func readUInt8() -> UInt8? {
        guard cursor < end else { return nil }
        defer { cursor += 1 }
        return cursor.load(as: UInt8.self)
    }

    /// Reads a fixed-width integer in network byte order.
    @inlinable
    public mutating func readInteger<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T? {
        guard remaining >= MemoryLayout<T>.size else { return nil }
        defer { cursor += MemoryLayout<T>.size }
        return T(bigEndian: cursor.loadUnaligned(as: T.self))
    }

    /// Reads a variable-length integer (RFC 9000 section 16).
    @inlinable
    public mutating func readVarint() -> UInt64? {
        guard cursor < end else { return nil }
        let first = cursor.load(as: UInt8.self)
        // One constant advance a case lets the processor speculate on the length; half the time of a shift.
        switch first >> 6 {
        case 0:
            cursor += 1
            return UInt64(first)
        case 1:
            guard remaining >= 2 else { return nil }
            let value = UInt16(bigEndian: cursor.loadUnaligned(as: UInt16.self)) & 0x3fff
            cursor += 2
            return UInt64(value)
        case 2:
            guard remaining >= 4 else { return nil }
            let value = UInt32(bigEndian: cursor.loadUnaligned(as: UInt32.self)) & 0x3fff_ffff
            cursor += 4
            return UInt64(value)
        default:
            guard remaining >= 8 else { return nil }
            let value = UInt64(bigEndian: cursor.loadUnaligned(as: UInt64.self)) & 0x3fff_ffff_ffff_ffff
            cursor += 8
            return value
        }
    }

    /// A view of the next `count` bytes. It shares the lifetime of the reader's buffer.
    @inlinable
    public mutating func readBytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= remaining else { return nil }
        defer { cursor += count }
        return UnsafeRawBufferPointer(start: cursor, count: count)
    }

    /// A view of as many bytes as the variable-length integer before them says.
    @inlinable
    public mutating func readLengthPrefixedBytes() -> UnsafeRawBufferPointer? {
        let start = cursor
        guard let length = readVarint(), length <= UInt64(remaining) else {
            cursor = start
            return nil
        }
        return readBytes(Int(length))
    }

    /// A view of all that is left.
    @inlinable
    public mutating func readRest() -> UnsafeRawBufferPointer {
        defer { cursor = end }
        return rest
    }

    /// Passes over `count` bytes; false when there are fewer.
    @inlinable
    public mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, count <= remaining else { return false }
        cursor += count
        return true
    }

    /// Passes over the zeros that come next and returns how many there were.
    @inlinable
    public mutating func skipZeros() -> Int {
        let start = cursor
        // Padding fills whole datagrams; a word at a time is worth it.
        while remaining >= 8, cursor.loadUnaligned(as: UInt64.self) == 0 { cursor += 8 }
        while cursor < end, cursor.load(as: UInt8.self) == 0 { cursor += 1 }
        return cursor - start
    }
}
