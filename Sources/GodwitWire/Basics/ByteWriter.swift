/// A cursor that writes into a buffer of fixed size that someone else owns.
///
/// Callers ask ``remaining`` before they write a frame; a write past the end is a programming error of ours,
/// never something that a peer can cause, and traps.
@frozen
public struct ByteWriter {
    @usableFromInline let base: UnsafeMutableRawPointer
    @usableFromInline let limit: UnsafeMutableRawPointer
    @usableFromInline var cursor: UnsafeMutableRawPointer
    @usableFromInline var end: UnsafeMutableRawPointer

    /// A writer at the first byte of `buffer`.
    @inlinable
    public init(_ buffer: UnsafeMutableRawBufferPointer) {
        let base = buffer.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1)!
        self.base = base
        self.limit = base + buffer.count
        self.cursor = base
        self.end = base + buffer.count
    }

    /// How many bytes were written.
    @inlinable
    public var count: Int { cursor - base }
    /// How many bytes fit before the end, what ``reserveTail(_:)`` keeps free not counted.
    @inlinable
    public var remaining: Int { end - cursor }
    /// What was written so far.
    @inlinable
    public var written: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: count)
    }

    /// Moves the end closer, so that `count` bytes are kept free behind it.
    @inlinable
    public mutating func reserveTail(_ count: Int) {
        precondition(count >= 0 && count <= remaining)
        end -= count
    }

    /// Moves the end back out after ``reserveTail(_:)``.
    @inlinable
    public mutating func releaseTail(_ count: Int) {
        precondition(count >= 0 && count <= limit - end)
        end += count
    }

    /// Writes a byte.
    @inlinable
    public mutating func writeUInt8(_ value: UInt8) {
        precondition(remaining >= 1)
        cursor.storeBytes(of: value, as: UInt8.self)
        cursor += 1
    }

    /// Writes a fixed-width integer in network byte order.
    @inlinable
    public mutating func writeInteger<T: FixedWidthInteger>(_ value: T) {
        precondition(remaining >= MemoryLayout<T>.size)
        cursor.storeBytes(of: value.bigEndian, as: T.self)
        cursor += MemoryLayout<T>.size
    }

    /// Writes a variable-length integer in its shortest form (RFC 9000 section 16).
    @inlinable
    public mutating func writeVarint(_ value: UInt64) {
        switch value {
        case 0..<0x40: writeUInt8(UInt8(truncatingIfNeeded: value))
        case 0x40..<0x4000: writeInteger(UInt16(truncatingIfNeeded: value) | 0x4000)
        case 0x4000..<0x4000_0000: writeInteger(UInt32(truncatingIfNeeded: value) | 0x8000_0000)
        default:
            precondition(value <= VariableLengthInteger.max)
            writeInteger(value | 0xc000_0000_0000_0000)
        }
    }

    /// Writes a variable-length integer below 16,384 in two bytes, so that a length known only later can be
    /// filled in with ``patchTwoByteVarint(_:at:)``.
    @inlinable
    public mutating func writeTwoByteVarint(_ value: Int) {
        precondition(value >= 0 && value < 0x4000)
        writeInteger(UInt16(truncatingIfNeeded: value) | 0x4000)
    }

    /// Fills in what ``writeTwoByteVarint(_:)`` left open at `offset` from the start of the buffer.
    @inlinable
    public func patchTwoByteVarint(_ value: Int, at offset: Int) {
        precondition(value >= 0 && value < 0x4000 && offset >= 0 && offset + 2 <= count)
        (base + offset).storeBytes(
            of: (UInt16(truncatingIfNeeded: value) | 0x4000).bigEndian, as: UInt16.self)
    }

    /// Replaces the byte written at `offset` from the start of the buffer.
    @inlinable
    public func patchUInt8(_ value: UInt8, at offset: Int) {
        precondition(offset >= 0 && offset < count)
        (base + offset).storeBytes(of: value, as: UInt8.self)
    }

    /// Copies `bytes` in.
    @inlinable
    public mutating func writeBytes(_ bytes: UnsafeRawBufferPointer) {
        precondition(remaining >= bytes.count)
        guard let source = bytes.baseAddress else { return }
        cursor.copyMemory(from: source, byteCount: bytes.count)
        cursor += bytes.count
    }

    /// Copies `bytes` in.
    @inlinable
    public mutating func writeBytes(_ bytes: [UInt8]) { bytes.withUnsafeBytes { writeBytes($0) } }

    /// Writes the count of `bytes` as a variable-length integer, then the bytes.
    @inlinable
    public mutating func writeLengthPrefixedBytes(_ bytes: UnsafeRawBufferPointer) {
        writeVarint(UInt64(bytes.count))
        writeBytes(bytes)
    }

    /// Writes zeros, which is also what PADDING frames are.
    @inlinable
    public mutating func writeZeros(_ count: Int) {
        precondition(count >= 0 && remaining >= count)
        cursor.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        cursor += count
    }

    /// Hands out the next `count` bytes to be filled in by the caller.
    @inlinable
    public mutating func claim(_ count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(count >= 0 && remaining >= count)
        defer { cursor += count }
        return UnsafeMutableRawBufferPointer(start: cursor, count: count)
    }

    /// Gives back what was written past `count`.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        cursor = base + count
    }
}
