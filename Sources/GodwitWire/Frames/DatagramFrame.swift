/// The DATAGRAM frame (RFC 9221 section 4), whose decoded form is nothing but its data.
public enum DatagramFrame {
    @inlinable
    static func decode(
        type: UInt64, from reader: inout ByteReader
    ) throws(TransportError) -> UnsafeRawBufferPointer {
        type == FrameType.datagramWithLength ? try reader.lengthPrefixedBytes(of: type) : reader.readRest()
    }

    /// Writes `data` as a frame with its length. The caller has checked that it fits.
    @inlinable
    public static func encode(_ data: UnsafeRawBufferPointer, into writer: inout ByteWriter) {
        encodeHeader(length: data.count, into: &writer)
        writer.writeBytes(data)
    }

    /// How many bytes stand before the data. Nil for `length` leaves the length out.
    @inlinable
    public static func headerSize(length: Int?) -> Int {
        1 + (length.map { VariableLengthInteger.size(UInt64($0)) } ?? 0)
    }

    /// Writes what stands before the data; the `length` bytes of data have to follow.
    ///
    /// Nil for `length` leaves the length out: the frame then reaches to the end of the packet and must be
    /// its last.
    @inlinable
    public static func encodeHeader(length: Int?, into writer: inout ByteWriter) {
        writer.writeVarint(length == nil ? FrameType.datagram : FrameType.datagramWithLength)
        if let length { writer.writeVarint(UInt64(length)) }
    }

    /// How many bytes of data fit into a frame of `space` bytes; nil when not even an empty one fits.
    @inlinable
    public static func dataCapacity(hasLength: Bool, space: Int) -> Int? {
        if hasLength { return VariableLengthInteger.prefixedCapacity(space - 1) }
        return space >= 1 ? space - 1 : nil
    }
}
