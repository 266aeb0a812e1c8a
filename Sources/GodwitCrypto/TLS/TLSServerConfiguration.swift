/// What a server offers and demands in its TLS handshakes.
public struct TLSServerConfiguration: Sendable {
    /// The application protocols served, most wanted first: one at least (RFC 9001 section 8.1). Each is of 1
    /// to 255 bytes.
    public var applicationProtocols: [String]

    /// Who the server says it is; can be changed while it runs.
    public var credentials: ServerCredentials

    /// Whether clients have to show a certificate.
    public var clientAuthentication: ClientAuthentication = .none

    /// A say of the application's on top of ``clientAuthentication``, as
    /// ``TLSClientConfiguration/verifyPeer`` is for servers.
    public var verifyPeer: (@Sendable ([[UInt8]]) -> Bool)?

    /// The suites allowed, most wanted first. None stands for all, in the order that suits this processor.
    public var cipherSuites: [CipherSuite] = []

    /// The key exchanges allowed; at least one. The client's order decides.
    public var groups: [KeyExchangeGroup] = KeyExchangeGroup.standard

    /// The keys that session tickets are sealed with; nil for no tickets and no resumption.
    public var ticketKeys: TicketKeys?

    /// How many tickets a client is given when its handshake is complete; at most 16.
    public var ticketCount = 2

    /// How long a ticket may be used, in seconds; at most a week (RFC 8446 section 4.6.1).
    public var ticketLifetime: UInt32 = 86_400

    /// What keeps early data from being replayed; nil takes no early data. It also takes ``ticketKeys`` and
    /// the context that is handed to each handshake.
    public var earlyData: ReplayFilter?

    /// Gets the secrets of each session as lines of an SSLKEYLOGFILE. Whoever has them can read the traffic.
    /// It is called from any thread.
    public var keyLog: (@Sendable (String) -> Void)?

    /// The calendar's time in seconds since 1970, by which certificates and early data are judged. Nil stands
    /// for the system's clock.
    public var currentTime: (@Sendable () -> Int64)?

    /// A server without client certificates, tickets or early data.
    public init(applicationProtocols: [String], credentials: ServerCredentials) {
        self.applicationProtocols = applicationProtocols
        self.credentials = credentials
    }
}

/// Whether a server's clients have to say who they are. It is asked in the handshake, never later (RFC 9001
/// section 4.4).
public enum ClientAuthentication: Sendable {
    /// Not asked.
    case none
    /// Asked; those who show a certificate must show one that is trusted.
    case optional(TrustPolicy)
    /// Asked and insisted on.
    case required(TrustPolicy)

    /// Where no certificate is asked for, none is verified.
    var trust: TrustPolicy {
        switch self {
        case .none: .insecureNoVerification
        case .optional(let trust), .required(let trust): trust
        }
    }
}
