/// A certificate for a server that has none, and for tests. Clients believe it only if they are told to.
public struct SelfSignedCertificate: Sendable {
    /// The algorithm of the key.
    public enum KeyType: Hashable, Sendable, CaseIterable {
        /// ECDSA on the curve P-256, which every client knows.
        case p256
        /// Ed25519, whose signatures all have the same length.
        case ed25519
    }

    /// The certificate.
    public let certificate: Certificate
    /// Its key.
    public let key: PrivateKey

    /// Makes a key and a certificate for it.
    ///
    /// - Parameters:
    ///   - names: the DNS names, wildcards allowed, and IP addresses that it is for; at least one.
    ///   - validity: the span of time in which it is good, in seconds since 1970. By default from an hour
    ///     ago, for the sake of clocks that are behind, for a year.
    public static func make(
        names: [String], keyType: KeyType = .p256, validity: ClosedRange<Int64>? = nil
    ) throws(TLSConfigurationError) -> SelfSignedCertificate {
        let key = try PrivateKey.generate(keyType)
        let now = WallClock.now()
        var builder = CertificateBuilder(subjectNames: names, validity: now - 3600...now + 365 * 86_400)
        if let validity { builder.validity = validity }
        return SelfSignedCertificate(certificate: try builder.build(for: key, signedBy: key), key: key)
    }

    /// Certificate and key as a server's identity.
    public func identity() throws(TLSConfigurationError) -> Identity {
        try Identity(certificates: [certificate], key: key, source: "self-signed certificate")
    }
}
