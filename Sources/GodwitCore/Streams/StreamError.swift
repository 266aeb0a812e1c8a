/// Why an operation of the application on a stream failed (RFC 9000 section 2.4).
public enum StreamError: Error, Hashable, Sendable {
    /// The stream was never opened, or has ended in both directions and is forgotten.
    case unknownStream
    /// The stream flows only towards us.
    case receiveOnly
    /// The stream flows only towards the peer.
    case sendOnly
    /// The application has already written the end of the stream.
    case sendingEnded
    /// The application has already reset the stream.
    case sendingReset
    /// The peer asked to stop, which reset the stream (RFC 9000 section 3.5).
    case stoppedByPeer(code: UInt64)
    /// The application has already asked the peer to stop.
    case receivingStopped
    /// The peer reset the stream (RFC 9000 section 3.2). What was not read is gone.
    case resetByPeer(code: UInt64)
    /// An application error code above 2^62 - 1, which no frame can carry.
    case invalidErrorCode
}
