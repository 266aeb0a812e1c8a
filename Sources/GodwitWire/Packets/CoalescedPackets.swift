/// The packets of a datagram, one after the other (RFC 9000 section 12.2).
///
/// A packet may be opened in place before the next is asked for.
@frozen
public struct CoalescedPackets {
    @usableFromInline let datagram: UnsafeRawBufferPointer
    @usableFromInline let connectionIDLength: Int
    @usableFromInline var offset = 0
    @usableFromInline var firstDestinationID: ConnectionID?

    /// The packets of `datagram`, for a receiver whose own connection ids have `connectionIDLength` bytes.
    @inlinable
    public init(_ datagram: UnsafeRawBufferPointer, connectionIDLength: Int) {
        self.datagram = datagram
        self.connectionIDLength = connectionIDLength
    }

    /// The next packet; nil behind the last and from the first malformed one on.
    ///
    /// Packets behind the first are passed over when they go to another connection id. Those that can only
    /// stand alone in a datagram, which a Retry or Version Negotiation packet and one of unknown version do,
    /// end it when they follow another.
    @inlinable
    public mutating func next() -> PacketHeader? {
        while let header = PacketHeader.decode(datagram, at: offset, connectionIDLength: connectionIDLength) {
            let isFirst = offset == 0
            offset = header.packetEnd ?? datagram.count
            if isFirst {
                firstDestinationID = header.destinationID
                return header
            }
            if header.mayFollow(destinationID: firstDestinationID) { return header }
        }
        offset = datagram.count
        return nil
    }
}

extension PacketHeader {
    @inlinable
    func mayFollow(destinationID: ConnectionID?) -> Bool {
        switch self {
        case .long(let header): header.destinationID == destinationID
        case .short(let header): header.destinationID == destinationID
        case .retry, .versionNegotiation, .unknownVersion: false
        }
    }
}
