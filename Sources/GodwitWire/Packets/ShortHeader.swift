/// The header of a 1-RTT packet before its protection is removed (RFC 9000 section 17.3.1).
///
/// Offsets count from the start of the datagram that the packet came in.
@frozen
public struct ShortHeader: Hashable, Sendable {
    /// The first byte as received, its lower five bits still protected.
    public var firstByte: FirstByte
    /// The connection id of the receiver, of the length that the receiver gives to all of its own.
    public var destinationID: ConnectionID
    /// Where the packet begins.
    public var packetOffset: Int
    /// Where the packet ends, which is always where the datagram ends.
    public var packetEnd: Int

    @inlinable
    init(firstByte: FirstByte, destinationID: ConnectionID, packetOffset: Int, packetEnd: Int) {
        self.firstByte = firstByte
        self.destinationID = destinationID
        self.packetOffset = packetOffset
        self.packetEnd = packetEnd
    }

    /// Where the packet number begins.
    @inlinable
    public var packetNumberOffset: Int { packetOffset + 1 + destinationID.length }

    /// The bytes of packet number, payload and authentication tag.
    @inlinable
    public var length: Int { packetEnd - packetNumberOffset }

    /// Whether the packet is long enough for header protection to be removed: 4 bytes and the sample of 16
    /// behind them. A shorter one is to be discarded (RFC 9001 section 5.4.2).
    @inlinable
    public var hasSample: Bool { length >= 20 }
}

extension ShortHeader {
    /// Reads the header of the packet at `offset` of a datagram; nil when it is cut off or a long one.
    ///
    /// - Parameter connectionIDLength: How long the receiver's own connection ids are, 0 to 20: the header
    ///   doesn't say.
    @inlinable
    public static func decode(
        _ datagram: UnsafeRawBufferPointer, at offset: Int = 0, connectionIDLength: Int
    ) -> ShortHeader? {
        guard offset >= 0, offset < datagram.count else { return nil }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: datagram[offset...]))
        guard let first = reader.readUInt8().map(FirstByte.init(rawValue:)), !first.isLongHeader,
            let id = reader.readConnectionID(length: connectionIDLength)
        else { return nil }
        return ShortHeader(
            firstByte: first, destinationID: id, packetOffset: offset, packetEnd: datagram.count)
    }

    /// How many bytes
    /// ``encode(destinationID:spinBit:keyPhase:packetNumber:packetNumberLength:fixedBit:into:)`` writes.
    @inlinable
    public static func encodedSize(destinationID: ConnectionID, packetNumberLength: Int) -> Int {
        1 + destinationID.length + packetNumberLength
    }

    /// Writes a header up to and with the packet number. The caller has checked that it fits.
    ///
    /// - Parameters:
    ///   - packetNumberLength: 1 to 4; see ``PacketNumber/encodedLength(_:largestAcknowledged:)``.
    ///   - fixedBit: False only towards peers that sent `grease_quic_bit` (RFC 9287 section 3.1).
    @inlinable
    public static func encode(
        destinationID: ConnectionID, spinBit: Bool, keyPhase: Bool, packetNumber: UInt64,
        packetNumberLength: Int, fixedBit: Bool = true, into writer: inout ByteWriter
    ) -> PacketLayout {
        let start = writer.count
        let first = FirstByte(
            spinBit: spinBit, keyPhase: keyPhase, packetNumberLength: packetNumberLength, fixedBit: fixedBit)
        writer.writeUInt8(first.rawValue)
        writer.writeConnectionID(destinationID)
        let packetNumberOffset = writer.count
        writer.writePacketNumber(packetNumber, length: packetNumberLength)
        return PacketLayout(
            packetOffset: start, lengthOffset: nil, packetNumberOffset: packetNumberOffset,
            packetNumberLength: packetNumberLength)
    }
}
