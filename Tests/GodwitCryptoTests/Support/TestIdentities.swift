import GodwitWire

@testable import GodwitCrypto

/// Certificates and keys that tests share; making them anew for each would cost most of the tests' time.
enum TestIdentities {
    /// 1 January 2026, when all of them are good.
    static let today: Int64 = 1_767_225_600
    static let validity = today - 86_400...today + 86_400 * 30

    static let server = try! SelfSignedCertificate.make(
        names: ["server.test", "192.0.2.1", "2001:db8::1"], keyType: .ed25519, validity: validity)
    static let other = try! SelfSignedCertificate.make(
        names: ["other.test"], keyType: .ed25519, validity: validity)
    static let wildcard = try! SelfSignedCertificate.make(names: ["*.wild.test"], validity: validity)
    static let client = try! SelfSignedCertificate.make(
        names: ["client.test"], keyType: .ed25519, validity: validity)

    static let rootKey = try! PrivateKey.generate(.p256)
    static let root = authority("Root", key: rootKey, issuer: nil, signedBy: rootKey)
    static let intermediateKey = try! PrivateKey.generate(.p256)
    static let intermediate = authority(
        "Intermediate", key: intermediateKey, issuer: "Root", signedBy: rootKey)

    /// The root, the intermediate one, and a server's certificate that it signed.
    static let chained: Identity = {
        let key = try! PrivateKey.generate(.p256)
        var builder = CertificateBuilder(subjectNames: ["chained.test"], validity: validity)
        builder.issuerName = "Intermediate"
        let own = try! builder.build(for: key, signedBy: intermediateKey)
        return try! Identity(certificates: [own, intermediate], key: key)
    }()

    private static func authority(
        _ name: String, key: PrivateKey, issuer: String?, signedBy signer: PrivateKey
    ) -> Certificate {
        var builder = CertificateBuilder(subjectNames: [name], validity: validity)
        builder.issuerName = issuer
        builder.isAuthority = true
        return try! builder.build(for: key, signedBy: signer)
    }
}

extension TLSClientConfiguration {
    /// A client that believes in the test server, at a time when its certificate is good.
    static func test(_ change: (inout TLSClientConfiguration) -> Void = { _ in }) -> TLSClientConfiguration {
        var configuration = TLSClientConfiguration(applicationProtocols: ["h3"])
        configuration.trust = .certificates([TestIdentities.server.certificate])
        configuration.currentTime = { TestIdentities.today }
        change(&configuration)
        return configuration
    }
}

extension TLSServerConfiguration {
    static func test(_ change: (inout TLSServerConfiguration) -> Void = { _ in }) -> TLSServerConfiguration {
        var configuration = TLSServerConfiguration(
            applicationProtocols: ["h3"],
            credentials: ServerCredentials([try! TestIdentities.server.identity()]))
        configuration.currentTime = { TestIdentities.today }
        change(&configuration)
        return configuration
    }
}

extension TLSClient {
    func handshake(
        _ name: String = "server.test", ticket: [UInt8]? = nil, early: Bool = false
    ) -> TLSHandshake {
        try! makeHandshake(
            serverName: name, transportParameters: Array("client parameters".utf8), ticket: ticket,
            offersEarlyData: early)
    }
}

extension TLSServer {
    func handshake(earlyDataContext: String = "") -> TLSHandshake {
        try! makeHandshake(earlyDataContext: Array(earlyDataContext.utf8)) { _ in
            Array("server parameters".utf8)
        }
    }
}
