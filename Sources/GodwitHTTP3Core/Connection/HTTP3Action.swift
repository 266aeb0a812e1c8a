public import GodwitQPACK
public import GodwitWire

/// What the caller of an ``HTTP3Connection`` has to do, in this order.
///
/// Ranges are of the bytes given to the last ``HTTP3Connection/receive(_:on:fin:)`` or
/// ``HTTP3Connection/receiveDatagram(_:)``: take the actions before those bytes go away.
public enum HTTP3Action: Equatable, Sendable, Codable {
    // MARK: For the application, about one request

    /// A server got the header section of a request.
    case request(StreamID, RequestHead)
    /// A client got an interim response (1xx); more responses follow.
    case informationalResponse(StreamID, ResponseHead)
    /// A client got the header section of the final response.
    case response(StreamID, ResponseHead)
    /// The bytes in this range are content. They are never none.
    case data(StreamID, Range<Int>)
    /// The trailer section.
    case trailers(StreamID, FieldSection)
    /// The message is whole; nothing more is received on the stream.
    case end(StreamID)
    /// A field section above our limit came (RFC 9114 section 4.2.2); nothing more is received on the stream.
    /// A server can still answer, with 431; a client's request is over.
    case fieldSectionTooLarge(StreamID)
    /// The client wants the response sent with another priority (RFC 9218 section 7.2).
    case priority(StreamID, Priority)
    /// A datagram that belongs to the request (RFC 9297 section 2.1); the range is its payload, which may be
    /// empty.
    case datagram(StreamID, Range<Int>)
    /// The peer reset its side of the stream: what it sent is not whole. Our side is still open.
    case resetByPeer(StreamID, code: HTTP3ErrorCode)
    /// The peer wants no more of what we send; the transport has reset our side. Its side is still open.
    case stoppedByPeer(StreamID, code: HTTP3ErrorCode)
    /// The request is over in both directions because of an error, ours to have found; the actions for the
    /// transport come by themselves. With the code H3_REQUEST_REJECTED the server has not processed the
    /// request (RFC 9114 section 5.2): it can be sent again on another connection.
    case failed(StreamID, HTTP3Error)
    /// Bytes of this stream that ``HTTP3Connection/receive(_:on:fin:)`` did not consume can be given again,
    /// once the actions before this one were taken.
    case resume(StreamID)

    // MARK: For the application, about the connection

    /// The peer's SETTINGS have come. A client keeps them with its session ticket.
    case settings(HTTP3Settings)
    /// The peer is shutting down (RFC 9114 section 5.2). To a client: requests on this stream and above are
    /// not processed, and there is a ``failed(_:_:)`` for each. To a server the number is a push id without
    /// meaning.
    case goaway(UInt64)
    /// A shutdown is complete: no request is open and none will come. The connection can be closed with
    /// H3_NO_ERROR.
    case drained

    // MARK: For the transport

    /// Reset our side of the stream.
    case resetStream(StreamID, code: HTTP3ErrorCode)
    /// Ask the peer to stop sending on the stream; nothing received on it matters any more.
    case stopSending(StreamID, code: HTTP3ErrorCode)
    /// Close the connection. No action follows, and everything given to the machine from now on is ignored.
    case closeConnection(HTTP3Error)
}
