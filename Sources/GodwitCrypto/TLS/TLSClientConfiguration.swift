/// What a client offers and demands in its TLS handshakes.
public struct TLSClientConfiguration: Sendable {
    /// The application protocols on offer, most wanted first: one at least (RFC 9001 section 8.1). Each is of
    /// 1 to 255 bytes.
    public var applicationProtocols: [String]

    /// Whose certificates a server may show.
    public var trust: TrustPolicy = .system

    /// A say of the application's on top of ``trust``: it gets the server's certificates in DER, the server's
    /// own first, and returns whether they will do. It is called in the middle of the handshake and must not
    /// wait for anything. It is asked again when a session is resumed.
    public var verifyPeer: (@Sendable ([[UInt8]]) -> Bool)?

    /// The certificate to show to servers that ask for one.
    public var identity: Identity?

    /// The suites on offer, most wanted first. None stands for all, in the order that suits this processor.
    public var cipherSuites: [CipherSuite] = []

    /// The key exchanges on offer, most wanted first; at least one. ``KeyExchangeGroup/compact`` makes the
    /// ClientHello fit one packet.
    public var groups: [KeyExchangeGroup] = KeyExchangeGroup.standard

    /// Whether tickets of the server are passed on.
    public var acceptsTickets = true

    /// Gets the secrets of each session as lines of an SSLKEYLOGFILE. Whoever has them can read the traffic.
    /// It is called from any thread.
    public var keyLog: (@Sendable (String) -> Void)?

    /// The calendar's time in seconds since 1970, by which certificates are judged. Nil stands for the
    /// system's clock.
    public var currentTime: (@Sendable () -> Int64)?

    /// A client with these protocols that trusts whom the system trusts.
    public init(applicationProtocols: [String]) { self.applicationProtocols = applicationProtocols }
}
