public import GodwitWire
public import HTTPTypes

/// What a server tells of a request that has ended, as for an access log.
public struct HTTP3RequestRecord: Sendable {
    /// Where the client is.
    public var remoteAddress: NetworkAddress
    /// The request's stream, which names it within its connection.
    public var streamID: StreamID
    /// The request's head; nil if it never came, or was too large.
    public var request: HTTPRequest?
    /// The status that was sent; nil if there was no final response.
    public var status: Int?
    /// How many bytes of content were received.
    public var bytesReceived: Int
    /// How many bytes of content were sent, as far as the transport.
    public var bytesSent: Int
    /// How long it took, from the opening of the stream until both sides had ended.
    public var duration: Duration
    /// Whether it came in early data (0-RTT).
    public var isEarlyData: Bool
    /// Why the request or its response is not whole; nil if both are.
    public var failure: HTTP3Failure?
}

extension HTTP3RequestRecord {
    init(_ exchange: ServerExchange) {
        remoteAddress = exchange.port.remoteAddress
        streamID = exchange.id
        request = exchange.recordedRequest
        status = exchange.status == 0 ? nil : exchange.status
        bytesReceived = exchange.inbound.received
        bytesSent = exchange.outbound.sent
        duration = (exchange.port.now - exchange.openedAt).duration
        isEarlyData = exchange.isEarlyData
        failure = exchange.outbound.failure ?? exchange.inbound.failure
    }
}
