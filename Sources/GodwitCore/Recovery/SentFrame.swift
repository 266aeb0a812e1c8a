import GodwitWire

/// What a sent packet carried, as far as its acknowledgement or loss matters to somebody.
///
/// The packet number space of the packet says which level a `crypto` record belongs to. Frames that are neither
/// retransmitted nor awaited (PADDING, PING, PATH_CHALLENGE, mostly PATH_RESPONSE) leave no record.
enum SentFrame: Codable, Sendable, Equatable {
    /// An ACK frame; once it is acknowledged itself, ranges up to `largest` need not be reported any more.
    case ack(largest: UInt64)
    case crypto(offset: UInt64, length: UInt32)
    case stream(StreamID, offset: UInt64, length: UInt32, fin: Bool)
    case resetStream(StreamID)
    case stopSending(StreamID)
    case maxData(UInt64)
    case maxStreamData(StreamID, UInt64)
    case maxStreams(StreamID.Direction, UInt64)
    case dataBlocked(UInt64)
    case streamDataBlocked(StreamID, UInt64)
    case streamsBlocked(StreamID.Direction, UInt64)
    case newConnectionID(sequenceNumber: UInt64)
    case retireConnectionID(sequenceNumber: UInt64)
    case newToken
    case handshakeDone
    /// A DATAGRAM frame, by the number its sender gave it.
    case datagram(UInt64)
    /// A frame by which a server moves, by the number that its machine gave it.
    case migration(UInt32)
    /// A PATH_RESPONSE, where its acknowledgement tells that a move is over.
    case pathResponse

    /// Whether an application waits for what it says to arrive.
    var isOfApplication: Bool {
        switch self {
        case .stream, .resetStream, .stopSending, .datagram: true
        case .ack, .crypto, .maxData, .maxStreamData, .maxStreams, .dataBlocked, .streamDataBlocked,
            .streamsBlocked,
            .newConnectionID, .retireConnectionID, .newToken, .handshakeDone, .migration, .pathResponse:
            false
        }
    }
}

/// The records of the packet under construction. One list is reused for every packet.
typealias SentFrameList = ContiguousArray<SentFrame>
