/// What a packet is, as far as can be told without keys.
///
/// The fixed bit is reported (``FirstByte/hasFixedBit``) and not judged: whether it may be clear depends on
/// what was negotiated with the peer (RFC 9287).
@frozen
public enum PacketHeader {
    /// An Initial, 0-RTT or Handshake packet.
    case long(LongHeader)
    /// A 1-RTT packet.
    case short(ShortHeader)
    /// A Retry packet.
    case retry(RetryPacket)
    /// A Version Negotiation packet.
    case versionNegotiation(VersionNegotiationPacket)
    /// A packet with a long header of a version whose layout is not known. It takes all that is left of its
    /// datagram, since nothing says where it ends.
    case unknownVersion(InvariantLongHeader)
}

extension PacketHeader {
    /// Reads the header of the packet at `offset` of a datagram; nil when the packet is malformed and has to
    /// be discarded, with all that follows it.
    ///
    /// - Parameter connectionIDLength: How long the receiver's own connection ids are, 0 to 20: short headers
    ///   don't say.
    @inlinable
    public static func decode(
        _ datagram: UnsafeRawBufferPointer, at offset: Int = 0, connectionIDLength: Int
    ) -> PacketHeader? {
        guard offset >= 0, offset < datagram.count else { return nil }
        guard datagram[offset] & 0x80 == 0 else { return decodeLong(datagram, at: offset) }
        return ShortHeader.decode(datagram, at: offset, connectionIDLength: connectionIDLength).map {
            .short($0)
        }
    }

    @usableFromInline
    static func decodeLong(_ datagram: UnsafeRawBufferPointer, at offset: Int) -> PacketHeader? {
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: datagram[offset...]))
        guard let header = InvariantLongHeader.decode(&reader) else { return nil }
        guard header.version != .negotiation else {
            return VersionNegotiationPacket(header, versions: reader.rest).map { .versionNegotiation($0) }
        }
        guard header.version.hasKnownLayout else { return .unknownVersion(header) }
        let type = LongPacketType(bits: header.firstByte.longTypeBits, version: header.version)
        let position = datagram.count - reader.remaining
        if type == .retry {
            return RetryPacket.decode(header, from: &reader, at: position).map { .retry($0) }
        }
        return LongHeader.decode(header, type: type, from: &reader, at: position).map { .long($0) }
    }

    /// Where the packet ends in its datagram; nil when it takes all of it.
    @inlinable
    public var packetEnd: Int? {
        if case .long(let header) = self { return header.packetEnd }
        return nil
    }

    /// The connection id of the receiver; nil when it is longer than any that we give out.
    @inlinable
    public var destinationID: ConnectionID? {
        switch self {
        case .long(let header): header.destinationID
        case .short(let header): header.destinationID
        case .retry(let packet): packet.destinationID
        case .versionNegotiation(let packet): ConnectionID(packet.destinationID)
        case .unknownVersion(let header): ConnectionID(header.destinationID)
        }
    }
}
