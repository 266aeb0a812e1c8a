import GodwitCore
public import GodwitCrypto
import GodwitWire

/// How simulated endpoints do their handshakes.
///
/// BoringSSL draws randomness that no seed rules. So by default there is a stand-in with the messages of TLS
/// 1.3 and their sizes, but without any security: it exists in simulations only.
public struct SimulatedHandshake: Sendable {
    private enum Kind: Sendable {
        case standIn
        case tls(Identity, trust: TrustPolicy)
    }

    private let kind: Kind
    /// The application protocols on offer, most wanted first.
    public let applicationProtocols: [String]

    /// The stand-in: the same seed gives the same bytes.
    public init(applicationProtocols: [String]) {
        kind = .standIn
        self.applicationProtocols = applicationProtocols
    }

    /// Real TLS 1.3.
    ///
    /// With a key whose signatures all have one length, as Ed25519's have, the same seed still gives
    /// datagrams of the same sizes at the same times.
    public init(applicationProtocols: [String], identity: Identity, trust: TrustPolicy) {
        kind = .tls(identity, trust: trust)
        self.applicationProtocols = applicationProtocols
    }

    /// Whether the same seed gives the same bytes.
    public var isRepeatable: Bool {
        if case .standIn = kind { true } else { false }
    }

    func makeClient() throws -> ClientHandshake {
        switch kind {
        case .standIn:
            return .deterministic(DeterministicTLSClient(applicationProtocols: applicationProtocols))
        case .tls(_, let trust):
            var configuration = TLSClientConfiguration(applicationProtocols: applicationProtocols)
            configuration.trust = trust
            return .tls(try TLSClient(configuration))
        }
    }

    func makeServer(ticketKeys: TicketKeys, earlyData: EndpointSettings.EarlyData) throws -> ServerHandshake {
        let filter = earlyData == .unsupported ? nil : ReplayFilter(refusesFirstWindow: earlyData == .refused)
        switch kind {
        case .standIn:
            var server = DeterministicTLSServer(applicationProtocols: applicationProtocols)
            server.ticketKeys = ticketKeys
            server.earlyData = filter
            return .deterministic(server)
        case .tls(let identity, _):
            var configuration = TLSServerConfiguration(
                applicationProtocols: applicationProtocols, credentials: ServerCredentials([identity]))
            configuration.ticketKeys = ticketKeys
            configuration.earlyData = filter
            return .tls(try TLSServer(configuration))
        }
    }
}
