/// A QUIC frame as decoded from a packet (RFC 9000 section 19, RFC 9221).
///
/// Byte content is a view into the packet it was decoded from and is valid only while that packet's buffer
/// is.
@frozen
public enum Frame {
    /// A run of PADDING frames.
    case padding(count: Int)
    /// A PING frame.
    case ping
    /// An ACK frame of either type.
    case ack(AckFrame)
    /// A RESET_STREAM frame.
    case resetStream(ResetStreamFrame)
    /// A STOP_SENDING frame.
    case stopSending(StopSendingFrame)
    /// A CRYPTO frame.
    case crypto(CryptoFrame)
    /// The token of a NEW_TOKEN frame, never empty.
    case newToken(UnsafeRawBufferPointer)
    /// A STREAM frame of any type.
    case stream(StreamFrame)
    /// A MAX_DATA frame.
    case maxData(UInt64)
    /// A MAX_STREAM_DATA frame.
    case maxStreamData(StreamID, maximum: UInt64)
    /// A MAX_STREAMS frame of either type; the maximum is at most 2^60.
    case maxStreams(StreamID.Direction, maximum: UInt64)
    /// A DATA_BLOCKED frame.
    case dataBlocked(limit: UInt64)
    /// A STREAM_DATA_BLOCKED frame.
    case streamDataBlocked(StreamID, limit: UInt64)
    /// A STREAMS_BLOCKED frame of either type; the limit is at most 2^60.
    case streamsBlocked(StreamID.Direction, limit: UInt64)
    /// A NEW_CONNECTION_ID frame.
    case newConnectionID(NewConnectionIDFrame)
    /// A RETIRE_CONNECTION_ID frame.
    case retireConnectionID(sequenceNumber: UInt64)
    /// The data of a PATH_CHALLENGE frame, first byte most significant.
    case pathChallenge(UInt64)
    /// The data of a PATH_RESPONSE frame, first byte most significant.
    case pathResponse(UInt64)
    /// A CONNECTION_CLOSE frame of either type.
    case connectionClose(ConnectionCloseFrame)
    /// A HANDSHAKE_DONE frame.
    case handshakeDone
    /// The data of a DATAGRAM frame, which may be empty.
    case datagram(UnsafeRawBufferPointer)
}
