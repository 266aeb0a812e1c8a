/// The header of an Initial, 0-RTT or Handshake packet before its protection is removed (RFC 9000 section
/// 17.2).
///
/// Offsets count from the start of the datagram that the packet came in.
@frozen
public struct LongHeader: Hashable, Sendable {
    /// The first byte as received, its lower four bits still protected.
    public var firstByte: FirstByte
    /// Initial, 0-RTT or Handshake.
    public var type: LongPacketType
    /// A version of known layout, whether or not it is spoken here.
    public var version: QUICVersion
    /// The connection id of the receiver.
    public var destinationID: ConnectionID
    /// The connection id of the sender.
    public var sourceID: ConnectionID
    /// Where the token of an Initial packet is; empty when it has none and for the other types.
    public var tokenRange: Range<Int>
    /// Where the packet begins.
    public var packetOffset: Int
    /// Where the packet number begins, and with it what the Length field counts.
    public var packetNumberOffset: Int
    /// Where the packet ends.
    public var packetEnd: Int

    @inlinable
    init(
        _ header: InvariantLongHeader, type: LongPacketType, destinationID: ConnectionID,
        sourceID: ConnectionID
    ) {
        self.firstByte = header.firstByte
        self.type = type
        self.version = header.version
        self.destinationID = destinationID
        self.sourceID = sourceID
        self.tokenRange = 0..<0
        self.packetOffset = 0
        self.packetNumberOffset = 0
        self.packetEnd = 0
    }

    /// The Length field: the bytes of packet number, payload and authentication tag.
    @inlinable
    public var length: Int { packetEnd - packetNumberOffset }

    /// Whether the packet is long enough for header protection to be removed: 4 bytes and the sample of 16
    /// behind them. A shorter one is to be discarded (RFC 9001 section 5.4.2).
    @inlinable
    public var hasSample: Bool { length >= 20 }
}

extension LongHeader {
    /// Reads what follows the part that is common to all versions; nil when the packet is malformed and has
    /// to be discarded.
    static func decode(
        _ header: InvariantLongHeader, type: LongPacketType, from reader: inout ByteReader, at offset: Int
    ) -> LongHeader? {
        // RFC 9000 section 17.2.
        guard let destinationID = ConnectionID(header.destinationID),
            let sourceID = ConnectionID(header.sourceID)
        else { return nil }
        let start = offset - (1 + 4 + 1 + destinationID.length + 1 + sourceID.length)
        let end = offset + reader.remaining
        var result = LongHeader(header, type: type, destinationID: destinationID, sourceID: sourceID)
        result.packetOffset = start
        if type == .initial {
            guard let token = reader.readLengthPrefixedBytes() else { return nil }
            result.tokenRange = end - reader.remaining - token.count..<end - reader.remaining
        }
        guard let length = reader.readVarint(), length <= UInt64(reader.remaining) else { return nil }
        result.packetNumberOffset = end - reader.remaining
        result.packetEnd = result.packetNumberOffset + Int(length)
        return result
    }
}

extension LongHeader {
    /// How many bytes
    /// ``encode(_:version:destinationID:sourceID:token:packetNumber:packetNumberLength:fixedBit:into:)``
    /// writes.
    public static func encodedSize(
        _ type: LongPacketType, destinationID: ConnectionID, sourceID: ConnectionID, tokenLength: Int = 0,
        packetNumberLength: Int
    ) -> Int {
        let token = type == .initial ? VariableLengthInteger.size(UInt64(tokenLength)) + tokenLength : 0
        return 1 + 4 + 1 + destinationID.length + 1 + sourceID.length + token + 2 + packetNumberLength
    }

    /// Writes a header up to and with the packet number, its Length field left open for
    /// ``PacketLayout/fillInLength(in:tagLength:)``. The caller has checked that it fits.
    ///
    /// - Parameters:
    ///   - type: Initial, 0-RTT or Handshake.
    ///   - token: Only Initial packets have one, and of those only a client's have one that is not empty.
    ///   - packetNumberLength: 1 to 4; see ``PacketNumber/encodedLength(_:largestAcknowledged:)``.
    ///   - fixedBit: False only towards peers that sent `grease_quic_bit` (RFC 9287 section 3.1).
    public static func encode(
        _ type: LongPacketType, version: QUICVersion, destinationID: ConnectionID, sourceID: ConnectionID,
        token: [UInt8] = [], packetNumber: UInt64, packetNumberLength: Int, fixedBit: Bool = true,
        into writer: inout ByteWriter
    ) -> PacketLayout {
        precondition(type != .retry && (token.isEmpty || type == .initial))
        let start = writer.count
        writer.writeUInt8(
            FirstByte(type, version: version, packetNumberLength: packetNumberLength, fixedBit: fixedBit)
                .rawValue)
        writer.writeInteger(version.rawValue)
        writer.writeLengthPrefixedConnectionID(destinationID)
        writer.writeLengthPrefixedConnectionID(sourceID)
        if type == .initial { token.withUnsafeBytes { writer.writeLengthPrefixedBytes($0) } }
        let lengthOffset = writer.count
        writer.writeTwoByteVarint(0)
        writer.writePacketNumber(packetNumber, length: packetNumberLength)
        return PacketLayout(
            packetOffset: start, lengthOffset: lengthOffset, packetNumberOffset: lengthOffset + 2,
            packetNumberLength: packetNumberLength)
    }
}
