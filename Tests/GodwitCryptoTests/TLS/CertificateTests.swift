import GodwitWire
import Testing

@testable import GodwitCrypto

@Suite("Certificates and keys")
struct CertificateTests {
    @Test(
        "Certificates and keys survive the way through PEM", arguments: SelfSignedCertificate.KeyType.allCases
    )
    func roundTrips(type: SelfSignedCertificate.KeyType) throws {
        let made = try SelfSignedCertificate.make(
            names: ["a.test", "*.b.test", "192.0.2.7", "::1"], keyType: type)
        #expect(made.certificate.dnsNames == ["a.test", "*.b.test"])
        #expect(made.certificate.pem.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        let identity = try Identity(certificatesPEM: made.certificate.pem, keyPEM: made.key.pem)
        #expect(identity.certificates == [made.certificate])
        let reread = try Certificate.list(
            pem: "comment\n" + made.certificate.pem + made.key.pem + made.certificate.pem)
        #expect(reread.count == 2)
    }

    @Test("A self-signed certificate is good now, and for the names it was made for")
    func selfSigned() throws {
        let made = try SelfSignedCertificate.make(names: ["127.0.0.1"])
        let verifier = CertificateVerifier(
            peer: .server, trust: try TrustStore([made.certificate]), hook: nil, currentTime: WallClock.now)
        try verifier.verify([made.certificate.der], host: "127.0.0.1")
        #expect(throws: CertificateVerifier.Refusal.self) {
            try verifier.verify([made.certificate.der], host: "127.0.0.2")
        }
    }

    @Test("Names that can't be names are refused")
    func badNames() {
        for names in [[], [""], ["a b"], ["bücher.test"]] {
            #expect(throws: TLSConfigurationError.self) { try SelfSignedCertificate.make(names: names) }
        }
    }

    @Test("Errors name the file that is at fault, and what is wrong with it")
    func culprits() throws {
        let (made, other) = (TestIdentities.server, TestIdentities.other)
        expect("server.crt", "no certificate") { () throws(TLSConfigurationError) in
            _ = try Certificate.list(pem: "nothing", source: "server.crt")
        }
        expect("server.crt, certificate 2", "not a certificate") { () throws(TLSConfigurationError) in
            let broken = PEMDocument.text(label: "CERTIFICATE", der: [1, 2, 3])
            _ = try Certificate.list(pem: made.certificate.pem + broken, source: "server.crt")
        }
        expect("server.crt", "block 2 is damaged") { () throws(TLSConfigurationError) in
            let damaged =
                made.certificate.pem + "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"
            _ = try Certificate.list(pem: damaged, source: "server.crt")
        }
        expect("server.key", "no private key") { () throws(TLSConfigurationError) in
            _ = try PrivateKey(pem: made.certificate.pem, source: "server.key")
        }
        expect("server.key", "not a private key") { () throws(TLSConfigurationError) in
            let broken = PEMDocument.text(label: "PRIVATE KEY", der: [1, 2, 3])
            _ = try PrivateKey(pem: broken, source: "server.key")
        }
        expect("server.key", "encrypted") { () throws(TLSConfigurationError) in
            let encrypted = PEMDocument.text(label: "ENCRYPTED PRIVATE KEY", der: [1, 2, 3])
            _ = try PrivateKey(pem: encrypted, source: "server.key")
        }
        expect("server.key", "not the first certificate's") { () throws(TLSConfigurationError) in
            _ = try Identity(
                certificatesPEM: made.certificate.pem, keyPEM: other.key.pem, certificateSource: "server.crt",
                keySource: "server.key")
        }
        expect("identity", "no certificate") { () throws(TLSConfigurationError) in
            _ = try Identity(certificates: [], key: made.key)
        }
    }

    @Test("Noise is no certificate and no key")
    func noise() {
        var random = randomGenerator()
        for _ in 0..<50 {
            let bytes = random.bytes(Int(random.next() % 300))
            #expect(throws: TLSConfigurationError.self) { try Certificate(der: bytes) }
            #expect(throws: TLSConfigurationError.self) { try PrivateKey(der: bytes) }
        }
        #expect(throws: TLSConfigurationError.self) {
            try Certificate(der: TestIdentities.server.certificate.der + [0])
        }
    }

    private func expect(
        _ source: String, _ problem: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws(TLSConfigurationError) -> Void
    ) {
        do throws(TLSConfigurationError) {
            try body()
            Issue.record("nothing was found at fault", sourceLocation: sourceLocation)
        } catch {
            #expect(
                error.source == source && error.problem.contains(problem), "\(error)",
                sourceLocation: sourceLocation)
        }
    }
}
