/// A Retry packet (RFC 9000 section 17.2.5).
///
/// Offsets count from the start of the datagram that the packet came in.
@frozen
public struct RetryPacket: Hashable, Sendable {
    /// The first byte, whose lower four bits mean nothing.
    public var firstByte: FirstByte
    /// The version, one of known layout.
    public var version: QUICVersion
    /// The connection id of the client.
    public var destinationID: ConnectionID
    /// The connection id that the server wants to be reached under.
    public var sourceID: ConnectionID
    /// Where the packet begins.
    public var packetOffset: Int
    /// Where the token is; it is not empty.
    public var tokenRange: Range<Int>

    /// How many bytes the Retry Integrity Tag has (RFC 9001 section 5.8).
    public static var tagLength: Int { 16 }

    /// Where the Retry Integrity Tag is.
    public var tagRange: Range<Int> { tokenRange.upperBound..<tokenRange.upperBound + RetryPacket.tagLength }
    /// All of the packet but the Retry Integrity Tag, for the pseudo-packet.
    public var rangeWithoutTag: Range<Int> { packetOffset..<tokenRange.upperBound }
}

extension RetryPacket {
    /// Nil when the packet is malformed or its token empty and it has to be discarded (RFC 9000 section
    /// 17.2.5.2).
    static func decode(
        _ header: InvariantLongHeader, from reader: inout ByteReader, at offset: Int
    ) -> RetryPacket? {
        let tokenLength = reader.remaining - tagLength
        guard tokenLength > 0, let destinationID = ConnectionID(header.destinationID),
            let sourceID = ConnectionID(header.sourceID)
        else { return nil }
        return RetryPacket(
            firstByte: header.firstByte, version: header.version, destinationID: destinationID,
            sourceID: sourceID,
            packetOffset: offset - (1 + 4 + 1 + destinationID.length + 1 + sourceID.length),
            tokenRange: offset..<offset + tokenLength)
    }

    /// How many bytes ``encode(version:destinationID:sourceID:token:random:into:)`` writes and the tag behind
    /// them takes.
    public static func encodedSize(destinationID: ConnectionID, sourceID: ConnectionID, tokenLength: Int)
        -> Int
    {
        1 + 4 + 1 + destinationID.length + 1 + sourceID.length + tokenLength + tagLength
    }

    /// Writes all of a packet but its Retry Integrity Tag, which has to follow. The caller has checked that
    /// it fits.
    ///
    /// - Parameters:
    ///   - destinationID: The client's source connection id.
    ///   - sourceID: A new connection id, other than the one that the client sent to.
    ///   - token: At least a byte.
    ///   - random: Fills the bits of the first byte that mean nothing.
    public static func encode(
        version: QUICVersion, destinationID: ConnectionID, sourceID: ConnectionID, token: [UInt8],
        random: UInt8,
        into writer: inout ByteWriter
    ) {
        precondition(!token.isEmpty)
        writer.writeUInt8(0xc0 | LongPacketType.retry.bits(in: version) << 4 | random & 0x0f)
        writer.writeInteger(version.rawValue)
        writer.writeLengthPrefixedConnectionID(destinationID)
        writer.writeLengthPrefixedConnectionID(sourceID)
        writer.writeBytes(token)
    }
}

/// What the Retry Integrity Tag is computed over (RFC 9001 section 5.8).
extension RetryPacket {
    /// How many bytes the pseudo-packet of a Retry packet has, of which `countWithoutTag` are its own.
    public static func pseudoPacketSize(originalDestinationID: ConnectionID, countWithoutTag: Int) -> Int {
        1 + originalDestinationID.length + countWithoutTag
    }

    /// Writes the pseudo-packet. The caller has checked that it fits.
    ///
    /// - Parameters:
    ///   - originalDestinationID: Where the client sent the Initial packet to that the Retry answers.
    ///   - packetWithoutTag: The Retry packet up to its tag.
    public static func encodePseudoPacket(
        originalDestinationID: ConnectionID, packetWithoutTag: UnsafeRawBufferPointer,
        into writer: inout ByteWriter
    ) {
        writer.writeLengthPrefixedConnectionID(originalDestinationID)
        writer.writeBytes(packetWithoutTag)
    }
}
