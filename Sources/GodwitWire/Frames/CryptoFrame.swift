/// A CRYPTO frame (RFC 9000 section 19.6).
@frozen
public struct CryptoFrame {
    /// Where the data begins in the handshake bytes of its level.
    public var offset: UInt64
    /// The handshake bytes.
    public var data: UnsafeRawBufferPointer

    /// A frame with `data` at `offset`.
    @inlinable
    public init(offset: UInt64, data: UnsafeRawBufferPointer) {
        self.offset = offset
        self.data = data
    }

    /// The offset behind the last byte. Decoding checks that it is at most 2^62 - 1.
    @inlinable
    public var endOffset: UInt64 { offset + UInt64(data.count) }
}

extension CryptoFrame {
    @inlinable
    static func decode(from reader: inout ByteReader) throws(TransportError) -> CryptoFrame {
        let offset = try reader.varint(of: FrameType.crypto)
        let data = try reader.lengthPrefixedBytes(of: FrameType.crypto)
        // RFC 9000 section 19.6.
        guard UInt64(data.count) <= VariableLengthInteger.max - offset else {
            throw .malformedFrame("the data reaches beyond offset 2^62 - 1", type: FrameType.crypto)
        }
        return CryptoFrame(offset: offset, data: data)
    }

    /// How many bytes ``encode(into:)`` writes.
    @inlinable
    public var encodedSize: Int { CryptoFrame.headerSize(offset: offset, length: data.count) + data.count }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    @inlinable
    public func encode(into writer: inout ByteWriter) {
        CryptoFrame.encodeHeader(offset: offset, length: data.count, into: &writer)
        writer.writeBytes(data)
    }

    /// How many bytes stand before the data.
    @inlinable
    public static func headerSize(offset: UInt64, length: Int) -> Int {
        1 + VariableLengthInteger.size(offset) + VariableLengthInteger.size(UInt64(length))
    }

    /// Writes what stands before the data; the `length` bytes of data have to follow.
    @inlinable
    public static func encodeHeader(offset: UInt64, length: Int, into writer: inout ByteWriter) {
        writer.writeVarint(FrameType.crypto)
        writer.writeVarint(offset)
        writer.writeVarint(UInt64(length))
    }

    /// How many bytes of data fit into a frame of `space` bytes; nil when not even an empty one fits.
    @inlinable
    public static func dataCapacity(offset: UInt64, space: Int) -> Int? {
        VariableLengthInteger.prefixedCapacity(space - 1 - VariableLengthInteger.size(offset))
    }
}
