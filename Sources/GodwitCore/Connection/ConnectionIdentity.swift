import GodwitWire

/// Who the two ends of a connection are, by version and connection ids of the handshake.
struct ConnectionIdentity: Codable, Sendable {
    let role: Role
    /// The version in use. It may change once during the handshake (RFC 9368 section 2.3).
    var version: QUICVersion
    /// The version of the client's first flight.
    var originalVersion: QUICVersion
    /// Whether the client is here because of a Version Negotiation packet (RFC 9368 section 4).
    var hasReactedToVersionNegotiation = false
    /// Whether the version was confirmed by the peer's transport parameters.
    var isVersionSettled = false
    /// The Destination Connection ID of the client's very first packet (RFC 9000 section 7.3).
    var originalDestination: ConnectionID
    /// The id that our Retry, or the server's, asked for.
    var retrySource: ConnectionID?
    /// The Source Connection ID of our handshake packets.
    var localHandshakeID: ConnectionID
    /// That of the peer's, once it is known.
    var remoteHandshakeID: ConnectionID?
    /// The token that a client's Initial packets carry.
    var token: [UInt8] = []
}

/// Small frames and duties that wait for the next packet.
struct PendingDuties: Codable, Sendable {
    var handshakeDone = false
    var newToken = false
    var ping = false
    var keyUpdate = false
    /// Datagrams that have to go out past the congestion window in each space (RFC 9002 section 6.2.4).
    var probes = PerSpace<Int> { _ in 0 }
}

/// The moments at which a connection has to act, recovery and paths aside.
struct ConnectionTimers: Codable, Sendable {
    /// When the peer was last heard, or an ack-eliciting packet first sent after that (RFC 9000 section 10.1).
    var lastActivity: Instant
    /// Whether an ack-eliciting packet has gone out since the last packet came in.
    var hasSentSinceReceiving = false
    var handshakeDeadline: Instant
    /// When the last ack-eliciting packet of any kind went out or came in; for keep-alive.
    var keepAliveFrom: Instant
    /// When 0-RTT keys are dropped at a server (RFC 9001 section 4.9.3).
    var discardEarlyDataAt = Instant.distantFuture
    /// When to see whether memory that traffic needed can be given back.
    var tidyAt = Instant.distantFuture
    /// When pacing allows the next packet.
    var pacing = Instant.distantFuture
}
