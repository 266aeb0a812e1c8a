public import GodwitCrypto
public import GodwitWire

/// What a server does its handshakes with.
public struct ServerHandshake: Sendable {
    private enum Kind: Sendable {
        case tls(TLSServer)
        case deterministic(DeterministicTLSServer)
    }

    private let kind: Kind

    /// TLS 1.3.
    public static func tls(_ server: TLSServer) -> ServerHandshake { ServerHandshake(kind: .tls(server)) }

    /// A deterministic stand-in without security, for simulations alone.
    package static func deterministic(_ server: DeterministicTLSServer) -> ServerHandshake {
        ServerHandshake(kind: .deterministic(server))
    }

    func makeSession(
        version: QUICVersion, earlyDataContext: [UInt8], random: inout RandomGenerator,
        parameters: @escaping ([UInt8]) throws(TransportError) -> [UInt8]
    ) throws(TLSConfigurationError) -> any HandshakeSession {
        switch kind {
        case .tls(let server):
            try server.makeHandshake(
                earlyDataContext: earlyDataContext, usesLegacyCodepoint: version == .mvfst,
                transportParameters: parameters)
        case .deterministic(let server):
            server.makeHandshake(
                earlyDataContext: earlyDataContext, random: random.fork(), transportParameters: parameters)
        }
    }
}

/// What a client does its handshakes with.
public struct ClientHandshake: Sendable {
    private enum Kind: Sendable {
        case tls(TLSClient)
        case deterministic(DeterministicTLSClient)
    }

    private let kind: Kind

    /// TLS 1.3.
    public static func tls(_ client: TLSClient) -> ClientHandshake { ClientHandshake(kind: .tls(client)) }

    /// A deterministic stand-in without security, for simulations alone.
    package static func deterministic(_ client: DeterministicTLSClient) -> ClientHandshake {
        ClientHandshake(kind: .deterministic(client))
    }

    func makeSession(
        _ request: ConnectRequest, version: QUICVersion, ticket: ResumptionTicket?, parameters: [UInt8],
        random: inout RandomGenerator
    ) throws(TLSConfigurationError) -> any HandshakeSession {
        let offersEarlyData = request.offersEarlyData && ticket != nil
        switch kind {
        case .tls(let client):
            return try client.makeHandshake(
                serverName: request.serverName, transportParameters: parameters, ticket: ticket?.session,
                offersEarlyData: offersEarlyData, usesLegacyCodepoint: version == .mvfst)
        case .deterministic(let client):
            return client.makeHandshake(
                serverName: request.serverName, transportParameters: parameters, ticket: ticket?.session,
                offersEarlyData: offersEarlyData, random: random.fork())
        }
    }
}

/// What a client wants to connect to, and how.
public struct ConnectRequest: Sendable {
    /// Where the server is.
    public var remote: NetworkAddress
    /// Where we are; an unspecified address leaves it to the system.
    public var local: NetworkAddress
    /// The name that the server's certificate has to be for: a host name or an IP address.
    public var serverName: String
    /// How to make sure of it.
    public var handshake: ClientHandshake
    /// What an earlier connection left behind.
    public var resumption: ResumptionTicket?
    /// Whether to send early data (0-RTT) if the ticket allows it. It can be replayed by anyone who saw it.
    public var offersEarlyData = false
    /// A token of an earlier connection's NEW_TOKEN frame (RFC 9000 section 8.1.3).
    public var token: [UInt8] = []
    /// Settings of this connection in place of the endpoint's.
    public var transport: TransportConfiguration?

    /// A request for a first connection.
    public init(remote: NetworkAddress, local: NetworkAddress, serverName: String, handshake: ClientHandshake)
    {
        self.remote = remote
        self.local = local
        self.serverName = serverName
        self.handshake = handshake
    }
}
