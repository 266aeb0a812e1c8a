public import GodwitCrypto
public import GodwitWire

/// What an endpoint is and knows; fixed for its life, but for the certificates (see ``ServerConfiguration``).
public struct EndpointConfiguration: Sendable {
    /// How each connection behaves, unless a client says otherwise for one of its own.
    public var transport = TransportConfiguration()
    /// What makes the endpoint a server; nil for one that only opens connections.
    public var server: ServerConfiguration?
    /// Under what connection ids are encrypted. Servers that share it know each other's ids.
    public var connectionIDKey: SharedKey
    /// From what stateless reset tokens are made (RFC 9000 section 10.3.2). Servers that share it reset
    /// connections with ids of their own ``serverID`` from after their own start, and no others.
    public var statelessResetKey: SharedKey
    /// This server's number among those that share keys.
    public var serverID: UInt16 = 0
    /// This event loop's number among those of the server.
    public var shard: UInt16 = 0
    /// Where the logs of connections go (qlog); nil for nowhere.
    public var qlog: (any QlogSinkFactory)?
    /// The wall-clock time at the endpoint's epoch, in seconds since 1970.
    public var unixTimeAtEpoch: Int64

    /// An endpoint whose keys nobody shares, unless they are given.
    public init(
        connectionIDKey: SharedKey = .random(), statelessResetKey: SharedKey = .random(),
        unixTimeAtEpoch: Int64
    ) {
        self.connectionIDKey = connectionIDKey
        self.statelessResetKey = statelessResetKey
        self.unixTimeAtEpoch = unixTimeAtEpoch
    }
}

/// What a server adds to an endpoint.
public struct ServerConfiguration: Sendable {
    /// Certificates, application protocols, tickets.
    public var handshake: ServerHandshake
    /// When to have clients prove their address before anything is kept for them.
    public var retryPolicy: RetryPolicy = .whenHandshakesExceed(1000)
    /// What the application's early data depends on, besides the transport's limits. A server refuses early
    /// data of tickets that it gave out while this was different.
    public var earlyDataContext: [UInt8] = []
    /// Under what address validation tokens are sealed: the first seals, all open. Shareable.
    public var tokenKeys: [SharedKey]
    /// How long a token of a NEW_TOKEN frame is good (RFC 9000 section 8.1.3).
    public var tokenLifetime: Duration = .seconds(24 * 60 * 60)
    /// How many connections there may be at once; clients beyond are refused (CONNECTION_REFUSED).
    public var maxConnections: Int = 100_000
    /// How many handshakes may be under way at once; first packets beyond are dropped, and clients try again.
    public var maxHandshakes: Int = 10_000
    /// Addresses that clients are asked to move to after the handshake (RFC 9000 section 9.6).
    public var preferredIPv4Address: NetworkAddress?
    /// The IPv6 one.
    public var preferredIPv6Address: NetworkAddress?
    /// Whether, and how, connections move with the server. Off by default.
    public var migration = ServerMigrationSettings()

    /// A server whose token keys nobody shares, unless they are given.
    public init(handshake: ServerHandshake, tokenKeys: [SharedKey] = [.random()]) {
        self.handshake = handshake
        self.tokenKeys = tokenKeys
    }
}

/// When a server answers a first packet with a Retry (RFC 9000 section 8.1.2).
public enum RetryPolicy: Sendable, Hashable {
    case never
    case always
    /// Only while so many handshakes are under way, as in an attack.
    case whenHandshakesExceed(Int)
}
