/// What every version of QUIC has in common in a long header (RFC 8999 section 5.1).
///
/// The connection ids are views into the datagram: versions to come may have up to 255 bytes of them, and a
/// server has to answer those too (RFC 9000 section 17.2.1).
@frozen
public struct InvariantLongHeader {
    /// The first byte, of which only the highest bit means the same in every version.
    public var firstByte: FirstByte
    /// The version, or ``QUICVersion/negotiation``.
    public var version: QUICVersion
    /// Up to 255 bytes.
    public var destinationID: UnsafeRawBufferPointer
    /// Up to 255 bytes.
    public var sourceID: UnsafeRawBufferPointer

    @inlinable
    init(
        firstByte: FirstByte, version: QUICVersion, destinationID: UnsafeRawBufferPointer,
        sourceID: UnsafeRawBufferPointer
    ) {
        self.firstByte = firstByte
        self.version = version
        self.destinationID = destinationID
        self.sourceID = sourceID
    }
}

extension InvariantLongHeader {
    /// Reads the header of the packet that `packet` begins with; nil when it is cut off or a short one.
    @inlinable
    public static func decode(_ packet: UnsafeRawBufferPointer) -> InvariantLongHeader? {
        var reader = ByteReader(packet)
        return decode(&reader)
    }

    @inlinable
    static func decode(_ reader: inout ByteReader) -> InvariantLongHeader? {
        guard let first = reader.readUInt8().map(FirstByte.init(rawValue:)), first.isLongHeader,
            let version = reader.readInteger(UInt32.self),
            let destinationID = reader.readShortBytes(),
            let sourceID = reader.readShortBytes()
        else { return nil }
        return InvariantLongHeader(
            firstByte: first, version: QUICVersion(rawValue: version), destinationID: destinationID,
            sourceID: sourceID)
    }
}

extension ByteReader {
    /// A view of as many bytes as the byte before them says.
    @inlinable
    mutating func readShortBytes() -> UnsafeRawBufferPointer? {
        guard let length = readUInt8() else { return nil }
        return readBytes(Int(length))
    }
}

extension ByteWriter {
    /// Writes up to 255 bytes behind a byte with their count.
    @inlinable
    mutating func writeShortBytes(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= 255)
        writeUInt8(UInt8(truncatingIfNeeded: bytes.count))
        writeBytes(bytes)
    }
}
