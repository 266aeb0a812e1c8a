/// Why a message, or a part of one, was not written. Nothing has changed when one of these is thrown.
public enum HTTP3SendError: Error, Hashable, Sendable {
    /// The stream is no request stream that is open: it was never opened, or has ended or failed.
    case unknownStream
    /// The sending side has ended: by us, by a reset, or because the peer asked to stop.
    case sendingEnded
    /// The message is not at the point where this part may come (RFC 9114 section 4.1).
    case outOfOrder
    /// The message would be malformed (RFC 9114 section 4.1.2). `field` is the name of the field that is
    /// wrong.
    case malformed(field: String, reason: String)
    /// The field section is larger than the peer takes (RFC 9114 section 4.2.2). Both numbers count in bytes.
    case fieldSectionTooLarge(size: Int, limit: Int)
    /// The content would not have as many bytes as its Content-Length field says (RFC 9114 section 4.1.2).
    case contentLengthMismatch
    /// The peer is shutting down and takes no new requests (RFC 9114 section 5.2), or we are.
    case goingAway
    /// The peer has not enabled what the message needs: extended CONNECT (RFC 9220 section 3) or datagrams
    /// (RFC 9297 section 2.1.1).
    case notEnabledByPeer
    /// Only the other role sends this.
    case wrongRole
    /// The connection has closed.
    case connectionClosed
}
