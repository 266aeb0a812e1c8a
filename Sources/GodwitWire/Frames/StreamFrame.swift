/// A STREAM frame (RFC 9000 section 19.8).
@frozen
public struct StreamFrame {
    /// The stream that the data belongs to.
    public var id: StreamID
    /// Where the data begins in the stream.
    public var offset: UInt64
    /// The data, which may be empty.
    public var data: UnsafeRawBufferPointer
    /// Whether the stream ends with this data.
    public var fin: Bool

    /// A frame with `data` at `offset` of the stream `id`.
    @inlinable
    public init(id: StreamID, offset: UInt64, data: UnsafeRawBufferPointer, fin: Bool) {
        self.id = id
        self.offset = offset
        self.data = data
        self.fin = fin
    }

    /// The offset behind the last byte. Decoding checks that it is at most 2^62 - 1.
    @inlinable
    public var endOffset: UInt64 { offset + UInt64(data.count) }
}

extension StreamFrame {
    @inlinable
    static func decode(type: UInt64, from reader: inout ByteReader) throws(TransportError) -> StreamFrame {
        let id = StreamID(rawValue: try reader.varint(of: type))
        let offset = type & FrameType.streamOffsetBit == 0 ? 0 : try reader.varint(of: type)
        let hasLength = type & FrameType.streamLengthBit != 0
        let data = hasLength ? try reader.lengthPrefixedBytes(of: type) : reader.readRest()
        // RFC 9000 section 19.8.
        guard UInt64(data.count) <= VariableLengthInteger.max - offset else {
            throw .malformedFrame("the data reaches beyond offset 2^62 - 1", type: type)
        }
        return StreamFrame(id: id, offset: offset, data: data, fin: type & FrameType.streamFinBit != 0)
    }

    /// The type under which ``encode(into:)`` writes the frame.
    @inlinable
    public var type: UInt64 { StreamFrame.type(offset: offset, hasLength: true, fin: fin) }

    /// How many bytes ``encode(into:)`` writes.
    @inlinable
    public var encodedSize: Int {
        StreamFrame.headerSize(id: id, offset: offset, length: data.count) + data.count
    }

    /// Writes the frame with its length. The caller has checked that ``encodedSize`` bytes fit.
    @inlinable
    public func encode(into writer: inout ByteWriter) {
        StreamFrame.encodeHeader(id: id, offset: offset, length: data.count, fin: fin, into: &writer)
        writer.writeBytes(data)
    }
}

/// The header alone, for senders that copy the data into the packet themselves.
extension StreamFrame {
    /// The type of a frame with these fields. An offset of 0 is left out.
    @inlinable
    public static func type(offset: UInt64, hasLength: Bool, fin: Bool) -> UInt64 {
        FrameType.stream | (offset == 0 ? 0 : FrameType.streamOffsetBit)
            | (hasLength ? FrameType.streamLengthBit : 0) | (fin ? FrameType.streamFinBit : 0)
    }

    /// How many bytes stand before the data. Nil for `length` leaves the length out.
    @inlinable
    public static func headerSize(id: StreamID, offset: UInt64, length: Int?) -> Int {
        1 + VariableLengthInteger.size(id.rawValue)
            + (offset == 0 ? 0 : VariableLengthInteger.size(offset))
            + (length.map { VariableLengthInteger.size(UInt64($0)) } ?? 0)
    }

    /// Writes what stands before the data; the `length` bytes of data have to follow.
    ///
    /// Nil for `length` leaves the length out: the frame then reaches to the end of the packet and must be
    /// its last.
    @inlinable
    public static func encodeHeader(
        id: StreamID, offset: UInt64, length: Int?, fin: Bool, into writer: inout ByteWriter
    ) {
        writer.writeVarint(type(offset: offset, hasLength: length != nil, fin: fin))
        writer.writeVarint(id.rawValue)
        if offset != 0 { writer.writeVarint(offset) }
        if let length { writer.writeVarint(UInt64(length)) }
    }

    /// How many bytes of data fit into a frame of `space` bytes; nil when not even an empty one fits.
    @inlinable
    public static func dataCapacity(id: StreamID, offset: UInt64, hasLength: Bool, space: Int) -> Int? {
        let rest = space - headerSize(id: id, offset: offset, length: nil)
        if hasLength { return VariableLengthInteger.prefixedCapacity(rest) }
        return rest >= 0 ? rest : nil
    }
}
