public import GodwitWire

/// What an endpoint offers and how it behaves on each connection. The defaults suit servers and clients on the
/// Internet.
public struct TransportConfiguration: Sendable, Hashable, Codable {
    // MARK: Versions

    /// The QUIC versions spoken, most wanted first. A server moves a client that offers several to the one it wants
    /// most (RFC 9368).
    public var versions: [QUICVersion] = [.v1, .v2]
    /// The version that a client opens with; nil for the one it wants most. One that more servers speak saves the
    /// round trip of a Version Negotiation, and a server may still move the connection to a better one.
    public var initialVersion: QUICVersion?

    // MARK: Life

    /// How long a connection may be silent before it is dropped; nil for as long as the peer allows (RFC 9000
    /// section 10.1).
    public var idleTimeout: Duration? = .seconds(30)
    /// How often to send a PING on a connection that is otherwise silent; nil for never.
    public var keepAliveInterval: Duration?
    /// How long a handshake may take.
    public var handshakeTimeout: Duration = .seconds(10)

    // MARK: Flow control

    /// How many bidirectional streams the peer may have open at once.
    public var maxIncomingBidirectionalStreams: Int = 100
    /// How many unidirectional streams the peer may have open at once.
    public var maxIncomingUnidirectionalStreams: Int = 100
    /// The first receive window of a stream, in bytes.
    public var initialStreamWindow: Int = 256 << 10
    /// How far a stream's receive window may grow with the bandwidth-delay product, in bytes.
    public var maxStreamWindow: Int = 6 << 20
    /// The first receive window of a connection, in bytes.
    public var initialConnectionWindow: Int = 384 << 10
    /// How far a connection's receive window may grow, in bytes.
    public var maxConnectionWindow: Int = 15 << 20
    /// How many bytes a stream takes from the application ahead of what the peer has acknowledged.
    public var streamSendBuffer: Int = 4 << 20

    // MARK: Datagrams

    /// The largest DATAGRAM frame accepted (RFC 9221), in bytes; 0 switches the extension off.
    public var maxDatagramFrameSize: Int = 0

    // MARK: Recovery

    /// The congestion control algorithm.
    public var congestionControl: CongestionAlgorithm = .cubic
    /// The round-trip time assumed before the first sample (RFC 9002 section 6.2.2).
    public var initialRTT: Duration = .milliseconds(333)
    /// What a probe timeout adds at least to the round-trip time where one was measured (kGranularity of RFC 9002
    /// section 6.1.2). More than the default is of use only to behave like an endpoint with coarser timers.
    public var timerGranularity: Duration = .milliseconds(1)
    /// How long an acknowledgement may be held back (RFC 9000 section 13.2.1).
    public var maxAckDelay: Duration = .milliseconds(25)
    /// Whether to mark packets as ECN-capable until a path proves that it is not (RFC 9000 section 13.4).
    public var usesECN = true

    // MARK: Paths

    /// The largest UDP payload that path MTU discovery tries, in bytes; 1200 switches discovery off.
    public var maxUDPPayloadSize: Int = 1452
    /// How many connection ids the peer may give us (RFC 9000 section 18.2); at least 2.
    public var activeConnectionIDLimit: Int = 16
    /// Whether to tell the peer to stay on the address it used in the handshake (RFC 9000 section 18.2).
    public var disablesActiveMigration = false

    /// Whether, and how, a client follows a server that moves. Off by default.
    public var migration = ClientMigrationSettings()

    // MARK: Smaller matters

    /// Whether to vary the QUIC bit towards peers that allow it (RFC 9287).
    public var greasesQUICBit = true
    /// Whether to offer the latency spin bit (RFC 9000 section 17.4). One connection in sixteen has it off anyway.
    public var usesSpinBit = true
    /// How many packets to protect under one set of 1-RTT keys before they are updated; nil for the limit of the
    /// AEAD (RFC 9001 section 6.6).
    public var packetsPerKeyPhase: UInt64?
    /// How many bytes of CRYPTO data ahead of a gap are kept for each level (RFC 9000 section 7.5).
    public var cryptoBufferLimit: Int = 64 << 10

    /// The defaults.
    public init() {}
}
