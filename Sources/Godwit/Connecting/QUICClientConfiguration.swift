public import GodwitCore
public import GodwitCrypto
public import GodwitWire
public import Logging

/// How a client connects. Make it once and use it for any number of connections: it holds what TLS has
/// prepared.
public struct QUICClientConfiguration: Sendable {
    /// How connections behave.
    public var transport = TransportConfiguration()
    /// Where to connect from; nil for any address of this machine and any port. With port 0 each connection
    /// gets another.
    public var localAddress: NetworkAddress?
    /// How long to wait for an address before the next is tried beside it (RFC 8305 section 5).
    public var attemptDelay: Duration = .milliseconds(250)
    /// Finds the addresses of host names.
    public var resolver: any QUICNameResolver = SystemNameResolver()
    /// The application's error code for what ends without one: streams whose task was cancelled or whose last
    /// reference went, and connections nobody uses.
    public var cancellationCode: UInt64 = 0
    /// A folder for the logs of connections (qlog): each gets a file, `<original destination
    /// id>_client.sqlog`, which qvis shows. They tell what went over the wire but no content and no keys. Nil
    /// for no logs.
    public var qlogFolder: String?
    /// Gets what happens to connections, at level debug.
    public var logger = Logger(label: "Godwit.Client")

    /// Sees every datagram of the connections' sockets.
    package var tap: (any DatagramTap)?

    let handshake: ClientHandshake
    var metrics = QUICMetrics(role: .client)

    /// A configuration with everything about TLS said.
    ///
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(tls: TLSClientConfiguration) throws {
        handshake = .tls(try TLSClient(tls))
    }

    /// A configuration for servers whose certificates are to be trusted as given.
    ///
    /// - Parameters:
    ///   - applicationProtocols: those on offer (ALPN), most wanted first; one at least.
    ///   - trust: which certificates to believe.
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(applicationProtocols: [String], trust: TrustPolicy = .system) throws {
        var tls = TLSClientConfiguration(applicationProtocols: applicationProtocols)
        tls.trust = trust
        try self.init(tls: tls)
    }
}

extension QUICClientConfiguration {
    /// Whether and how connections follow a server that moves; off by default.
    public var migration: ClientMigrationSettings {
        get { transport.migration }
        set { transport.migration = newValue }
    }
}
