import GodwitCore

/// How a listener has fared, all its event loops together.
public struct ListenerStatistics: Sendable, Hashable {
    /// Connections that there are, those in handshake and those about to end included.
    public var connections = 0
    /// Connections that clients opened.
    public var accepted: UInt64 = 0
    /// Clients that were refused for want of room.
    public var refused: UInt64 = 0
    /// Clients that were told to come back with a token (RFC 9000 section 8.1.2).
    public var retriesSent: UInt64 = 0
    /// Clients that were told which versions are spoken (RFC 9000 section 6).
    public var versionNegotiationsSent: UInt64 = 0
    /// Peers that were told that their connection is gone (RFC 9000 section 10.3).
    public var statelessResetsSent: UInt64 = 0
    /// UDP datagrams that came.
    public var datagramsReceived: UInt64 = 0
    /// UDP datagrams that went out.
    public var datagramsSent: UInt64 = 0
    /// Datagrams with which nothing could be done.
    public var datagramsDropped: UInt64 = 0
    /// Datagrams that the system would not send.
    public var datagramsNotSent: UInt64 = 0
    /// The bytes in datagrams that came, without UDP's headers.
    public var bytesReceived: UInt64 = 0
    /// The bytes in datagrams that went out, without UDP's headers.
    public var bytesSent: UInt64 = 0

    /// Zeros.
    public init() {}

    init(_ loop: EndpointLoop) {
        let (endpoint, traffic) = (loop.endpoint.statistics, loop.traffic)
        connections = loop.endpoint.connectionCount
        accepted = endpoint.accepted
        refused = endpoint.refused
        retriesSent = endpoint.retriesSent
        versionNegotiationsSent = endpoint.versionNegotiationsSent
        statelessResetsSent = endpoint.statelessResetsSent
        datagramsReceived = traffic.datagramsReceived
        datagramsSent = traffic.datagramsSent
        datagramsDropped = endpoint.datagramsDropped + traffic.unusable
        datagramsNotSent = traffic.datagramsNotSent
        bytesReceived = traffic.bytesReceived
        bytesSent = traffic.bytesSent
    }

    mutating func add(_ other: ListenerStatistics) {
        connections += other.connections
        accepted += other.accepted
        refused += other.refused
        retriesSent += other.retriesSent
        versionNegotiationsSent += other.versionNegotiationsSent
        statelessResetsSent += other.statelessResetsSent
        datagramsReceived += other.datagramsReceived
        datagramsSent += other.datagramsSent
        datagramsDropped += other.datagramsDropped
        datagramsNotSent += other.datagramsNotSent
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
    }
}
