import GodwitWire
import Testing

@testable import GodwitCrypto

@Suite("Who the peer is")
struct PeerVerificationTests {
    // Holds: 9001-4.4-1
    // Holds: 9114-3.1-1, 9114-3.1-2
    @Test("A server's certificate must be for the name or address that was asked for (RFC 9001 section 4.4)")
    func hosts() throws {
        let (client, server) = (try TLSClient(.test()), try TLSServer(.test()))
        for name in [
            "server.test", "SERVER.test", "server.test.", "192.0.2.1", "2001:db8::1", "2001:DB8:0:0::1",
        ] {
            #expect(run(client.handshake(name), server.handshake()).isComplete, "\(name)")
        }
        for name in ["other.test", "sub.server.test", "test", "192.0.2.2", "2001:db8::2"] {
            let pair = run(client.handshake(name), server.handshake())
            #expect(pair.client.failure?.alert == 42 && !pair.server.session.isComplete, "\(name)")
        }
    }

    @Test("Addresses are not sent as server names (RFC 6066 section 3)")
    func noNameForAddresses() throws {
        let pair = run(try TLSClient(.test()).handshake("192.0.2.1"), try TLSServer(.test()).handshake())
        #expect(pair.server.summary?.serverName == nil && pair.client.summary?.serverName == nil)
    }

    // Holds: 9000-7-1, 9001-4.4-1
    // Holds: 9114-3.1-2
    @Test(
        "An unknown certificate, one from tomorrow and one from the past are refused (RFC 9001 section 4.4)")
    func refusals() throws {
        let server = try TLSServer(.test())
        let strangers = try TLSClient(.test { $0.trust = .certificates([TestIdentities.other.certificate]) })
        #expect(run(strangers.handshake(), server.handshake()).client.failure?.alert == 48)
        for days in [-2, 31] as [Int64] {
            let client = try TLSClient(.test { $0.currentTime = { TestIdentities.today + days * 86_400 } })
            let failure = try #require(run(client.handshake(), server.handshake()).client.failure)
            #expect(failure.alert == 45 && failure.reason.contains(days < 0 ? "not yet valid" : "expired"))
        }
    }

    @Test("The system's certificates don't vouch for ours")
    func systemTrust() throws {
        // A machine without any is told so at once.
        guard let client = try? TLSClient(.test { $0.trust = .system }) else { return }
        let failure = run(client.handshake(), try TLSServer(.test()).handshake()).client.failure
        #expect(failure?.alert == 48)
    }

    // Holds: W25
    @Test("A chain is followed to the root, or to any certificate that is trusted by hand")
    func chains() throws {
        let server = try TLSServer(.test { $0.credentials = ServerCredentials([TestIdentities.chained]) })
        for trusted in [
            TestIdentities.root, TestIdentities.intermediate, TestIdentities.chained.certificates[0],
        ] {
            let client = try TLSClient(.test { $0.trust = .certificates([trusted]) })
            let pair = run(client.handshake("chained.test"), server.handshake())
            #expect(pair.isComplete && pair.client.summary?.peerCertificates.count == 2)
        }
        let ownKey = try PrivateKey.generate(.p256)
        let impostor = try CertificateBuilder(subjectNames: ["Root"], validity: TestIdentities.validity)
            .build(for: ownKey, signedBy: ownKey)
        let client = try TLSClient(.test { $0.trust = .certificates([impostor]) })
        let failure = run(client.handshake("chained.test"), server.handshake()).client.failure
        #expect(failure?.alert == 51 && failure?.reason.contains("signature") == true)
    }

    @Test("A certificate that may sign nothing doesn't make others trusted (RFC 5280 section 6.1.4)")
    func notAnAuthority() throws {
        let key = try PrivateKey.generate(.p256)
        var builder = CertificateBuilder(subjectNames: ["chained.test"], validity: TestIdentities.validity)
        builder.issuerName = "server.test"
        let forged = try builder.build(for: key, signedBy: TestIdentities.server.key)
        let identity = try Identity(certificates: [forged, TestIdentities.server.certificate], key: key)
        let server = try TLSServer(.test { $0.credentials = ServerCredentials([identity]) })
        let pair = run(try TLSClient(.test()).handshake("chained.test"), server.handshake())
        #expect(pair.client.failure?.alert == 48)
    }

    @Test("The application's own check has the last word, and alone decides when there is no other")
    func hook() throws {
        let server = try TLSServer(.test())
        let refusing = try TLSClient(.test { $0.verifyPeer = { _ in false } })
        #expect(run(refusing.handshake(), server.handshake()).client.failure?.alert == 42)
        let expected = TestIdentities.server.certificate.der
        for (pinned, completes) in [(expected, true), (TestIdentities.other.certificate.der, false)] {
            let client = try TLSClient(
                .test {
                    $0.trust = .insecureNoVerification
                    $0.verifyPeer = { $0 == [pinned] }
                })
            #expect(run(client.handshake("any.name"), server.handshake()).isComplete == completes)
        }
    }

    // MARK: Clients

    @Test("A server asks clients for certificates only if told to, in the handshake (RFC 9001 section 4.4)")
    func clientCertificates() throws {
        let trust = TrustPolicy.certificates([TestIdentities.client.certificate])
        let named = try TLSClient(.test { $0.identity = try! TestIdentities.client.identity() })
        let nameless = try TLSClient(.test())
        let certificate = [TestIdentities.client.certificate.der]

        let optional = try TLSServer(.test { $0.clientAuthentication = .optional(trust) })
        #expect(run(nameless.handshake(), optional.handshake()).server.summary?.peerCertificates == [])
        #expect(run(named.handshake(), optional.handshake()).server.summary?.peerCertificates == certificate)

        let required = try TLSServer(.test { $0.clientAuthentication = .required(trust) })
        #expect(run(nameless.handshake(), required.handshake()).server.failure?.alert == 116)
        #expect(run(named.handshake(), required.handshake()).server.summary?.peerCertificates == certificate)

        let unasking = try TLSServer(.test())
        #expect(run(named.handshake(), unasking.handshake()).server.summary?.peerCertificates == [])
    }

    @Test("A client's certificate has to be trusted, and may be refused by the application")
    func untrustedClients() throws {
        let client = try TLSClient(.test { $0.identity = try! TestIdentities.client.identity() })
        let trust = TrustPolicy.certificates([TestIdentities.other.certificate])
        let server = try TLSServer(.test { $0.clientAuthentication = .optional(trust) })
        #expect(run(client.handshake(), server.handshake()).server.failure?.alert == 48)
        let refusing = try TLSServer(
            .test {
                $0.clientAuthentication = .required(.insecureNoVerification)
                $0.verifyPeer = { _ in false }
            })
        #expect(run(client.handshake(), refusing.handshake()).server.failure?.alert == 42)
    }

    @Test("A resumed session keeps the client's certificate, and none resumes where one is required")
    func clientResumption() throws {
        let keys = TicketKeys.random()
        let trust = TrustPolicy.certificates([TestIdentities.client.certificate])
        let client = try TLSClient(.test { $0.identity = try! TestIdentities.client.identity() })
        let required = try TLSServer(
            .test {
                $0.ticketKeys = keys
                $0.clientAuthentication = .required(trust)
            })
        let ticket = run(client.handshake(), required.handshake()).client.tickets[0]
        let resumed = run(client.handshake(ticket: ticket), required.handshake()).server.summary
        #expect(resumed?.isResumed == true)
        #expect(resumed?.peerCertificates == [TestIdentities.client.certificate.der])

        let unasking = try TLSServer(.test { $0.ticketKeys = keys })
        let anonymous = run(client.handshake(), unasking.handshake()).client.tickets[0]
        #expect(
            run(client.handshake(ticket: anonymous), required.handshake()).server.summary?.isResumed == false)
    }

    // MARK: Several identities

    @Test("The name that a client asks for picks the server's certificate")
    func serverNames() throws {
        let identities = try [TestIdentities.server, TestIdentities.other, TestIdentities.wildcard].map {
            try $0.identity()
        }
        let server = try TLSServer(.test { $0.credentials = ServerCredentials(identities) })
        let client = try TLSClient(.test { $0.trust = .insecureNoVerification })
        let expected = [
            "server.test": 0, "OTHER.test": 1, "a.wild.test": 2, "b.wild.test": 2, "wild.test": 0,
            "a.b.wild.test": 0, "unknown.test": 0, "192.0.2.9": 0,
        ]
        for (name, index) in expected {
            let summary = run(client.handshake(name), server.handshake()).client.summary
            #expect(summary?.peerCertificates == [identities[index].certificates[0].der], "\(name)")
        }
    }

    @Test("Certificates can be replaced while the server runs")
    func replacement() throws {
        let credentials = ServerCredentials([try TestIdentities.other.identity()])
        let server = try TLSServer(.test { $0.credentials = credentials })
        let client = try TLSClient(.test())
        #expect(!run(client.handshake(), server.handshake()).isComplete)
        credentials.replace(with: [try TestIdentities.server.identity()])
        #expect(run(client.handshake(), server.handshake()).isComplete)
    }

    private func run(_ client: TLSHandshake, _ server: TLSHandshake) -> HandshakePair {
        let pair = HandshakePair(client, server)
        pair.run()
        return pair
    }
}
