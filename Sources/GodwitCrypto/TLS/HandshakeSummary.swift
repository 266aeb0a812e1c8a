/// What remains of a handshake when the TLS session is gone.
public struct HandshakeSummary: Hashable, Sendable, Codable {
    /// The application protocol that both agreed on (ALPN, RFC 7301). QUIC always has one.
    public var applicationProtocol: String
    /// The host name that the client asked for; nil if it asked for none.
    public var serverName: String?
    /// The suite that protects 1-RTT packets.
    public var cipherSuite: CipherSuite
    /// The peer's certificates in DER, its own first; empty if it showed none. On a resumed session they are
    /// those of the first.
    public var peerCertificates: [[UInt8]]
    /// Whether a ticket stood in for the certificates.
    public var isResumed: Bool
    /// Whether the server took early data.
    public var earlyDataAccepted: Bool
    /// What other secrets of both sides can be made from.
    public var exporterSecret: ExporterSecret
    /// How the keys were agreed on.
    public var keyExchangeGroup: KeyExchangeGroup

    /// A summary of its parts.
    public init(
        applicationProtocol: String, serverName: String?, cipherSuite: CipherSuite,
        peerCertificates: [[UInt8]],
        isResumed: Bool, earlyDataAccepted: Bool, exporterSecret: ExporterSecret,
        keyExchangeGroup: KeyExchangeGroup
    ) {
        self.applicationProtocol = applicationProtocol
        self.serverName = serverName
        self.cipherSuite = cipherSuite
        self.peerCertificates = peerCertificates
        self.isResumed = isResumed
        self.earlyDataAccepted = earlyDataAccepted
        self.exporterSecret = exporterSecret
        self.keyExchangeGroup = keyExchangeGroup
    }
}
