/// A QUIC frame as decoded from a packet (RFC 9000 section 19, RFC 9221).
///
/// Byte content is a view into the packet it was decoded from and is valid only while that packet's buffer is.
@frozen
public enum Frame {
    /// A run of PADDING frames.
    case padding(count: Int)
    case ping
    case ack(AckFrame)
    case resetStream(ResetStreamFrame)
    case stopSending(StopSendingFrame)
    case crypto(CryptoFrame)
    /// The token of a NEW_TOKEN frame, never empty.
    case newToken(UnsafeRawBufferPointer)
    case stream(StreamFrame)
    case maxData(UInt64)
    case maxStreamData(StreamID, maximum: UInt64)
    case maxStreams(StreamID.Direction, maximum: UInt64)
    case dataBlocked(limit: UInt64)
    case streamDataBlocked(StreamID, limit: UInt64)
    case streamsBlocked(StreamID.Direction, limit: UInt64)
    case newConnectionID(NewConnectionIDFrame)
    case retireConnectionID(sequenceNumber: UInt64)
    case pathChallenge(UInt64)
    case pathResponse(UInt64)
    case connectionClose(ConnectionCloseFrame)
    case handshakeDone
    case datagram(UnsafeRawBufferPointer)
}
