public import GodwitCore
public import GodwitCrypto
public import GodwitMigration
public import Logging

/// How a server listens.
public struct QUICServerConfiguration: Sendable {
    /// How connections behave.
    public var transport = TransportConfiguration()
    /// Retry, tokens, limits, preferred addresses.
    public var server: ServerConfiguration
    /// Under what connection ids are encrypted. Servers that share it know each other's.
    public var connectionIDKey = SharedKey.random()
    /// From what stateless reset tokens are made (RFC 9000 section 10.3.2).
    public var statelessResetKey = SharedKey.random()
    /// This server's number among those that share keys.
    public var serverID: UInt16 = 0
    /// Where plans may send clients; nil for anywhere.
    public var allowedDestinations: AllowedDestinations?
    /// Decides which of several copies of this process goes on after a freeze; nil if whoever makes copies
    /// sees to it that there is one.
    public var migrationArbiter: (any MigrationArbiter)?
    /// How many connections may wait for the application to take them. While there are more, new clients are
    /// refused.
    public var maxPendingConnections = 1024
    /// The application's error code for what ends without one: streams whose task was cancelled or whose last
    /// reference went, connections nobody uses or that are left at a shutdown.
    public var cancellationCode: UInt64 = 0
    /// A folder for the logs of connections (qlog): each gets a file, `<original destination
    /// id>_server.sqlog`, which qvis shows. They tell what went over the wire but no content and no keys. Nil
    /// for no logs.
    public var qlogFolder: String?
    /// Gets what happens to connections, at level debug, and to sockets.
    public var logger = Logger(label: "Godwit.Server")

    var metrics = QUICMetrics(role: .server)

    /// A configuration with everything about TLS said.
    ///
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(tls: TLSServerConfiguration) throws {
        server = ServerConfiguration(handshake: .tls(try TLSServer(tls)))
    }

    /// A configuration for a server with one identity. Clients get tickets to resume with; early data is not
    /// taken.
    ///
    /// - Parameters:
    ///   - applicationProtocols: those served (ALPN), most wanted first; one at least.
    ///   - identity: the certificate and its key.
    /// - Throws: `TLSConfigurationError`, which says what can't be used.
    public init(applicationProtocols: [String], identity: Identity) throws {
        var tls = TLSServerConfiguration(
            applicationProtocols: applicationProtocols, credentials: ServerCredentials([identity]))
        tls.ticketKeys = .random()
        try self.init(tls: tls)
    }
}

extension QUICServerConfiguration {
    /// Whether and how connections move with the server; off by default.
    public var migration: ServerMigrationSettings {
        get { server.migration }
        set { server.migration = newValue }
    }
}
