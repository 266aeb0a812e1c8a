import GodwitCrypto
import GodwitWire
import Testing

@Suite("TLS handshakes for QUIC")
struct TLSHandshakeTests {
    // Holds: 9001-8.1-1
    @Test("Both sides end up with the same secrets, parameters and protocol (RFC 9000 section 7)")
    func fullHandshake() throws {
        let pair = HandshakePair(try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake())
        pair.run()
        #expect(pair.isComplete && pair.client.failure == nil && pair.server.failure == nil)
        expectEqualSecrets(pair, [.handshake, .oneRTT])
        #expect(pair.server.peerParameters == Array("client parameters".utf8))
        #expect(pair.client.peerParameters == Array("server parameters".utf8))
        let (client, server) = (try #require(pair.client.summary), try #require(pair.server.summary))
        #expect(client.applicationProtocol == "h3" && server.applicationProtocol == "h3")
        #expect(client.serverName == "server.test" && server.serverName == "server.test")
        #expect(client.peerCertificates == [TestIdentities.server.certificate.der])
        #expect(server.peerCertificates.isEmpty && !server.isResumed && !client.earlyDataAccepted)
        #expect(client.keyExchangeGroup == .x25519MLKEM768 && client.cipherSuite == server.cipherSuite)
        #expect(client.exporterSecret == server.exporterSecret)
        #expect(try roundTrip(client) == client)
    }

    @Test("What is written is ready before what is read, level by level (RFC 9001 section 4.1.4)")
    func orderOfSecrets() throws {
        let pair = HandshakePair(try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake())
        pair.run()
        let secrets = { (participant: HandshakeParticipant) in
            participant.trace.filter { $0.hasPrefix("read") || $0.hasPrefix("write") }
        }
        #expect(secrets(pair.client) == ["write handshake", "read handshake", "write oneRTT", "read oneRTT"])
        #expect(secrets(pair.server) == ["write handshake", "write oneRTT", "read handshake", "read oneRTT"])
    }

    // Holds: 9000-7-1
    @Test("Fresh handshakes have unrelated secrets (RFC 9000 section 7)")
    func freshSecrets() throws {
        let (client, server) = (try TLSClient(.test()), try TLSServer(.test()))
        let secrets = (0..<3).map { _ in
            let pair = HandshakePair(client.handshake(), server.handshake())
            pair.run()
            return pair.client.writeSecret(.oneRTT)
        }
        #expect(Set(secrets).count == 3)
    }

    @Test("Bytes may come in pieces of any size", arguments: [1, 7, 100])
    func pieces(size: Int) throws {
        let pair = HandshakePair(
            try TLSClient(.test { $0.groups = KeyExchangeGroup.compact }).handshake(),
            try TLSServer(.test()).handshake())
        pair.run(pieces: size)
        #expect(pair.isComplete)
    }

    @Test("A server that wants another key exchange asks for it and gets it (RFC 8446 section 4.1.4)")
    func helloRetryRequest() throws {
        let pair = HandshakePair(
            try TLSClient(.test()).handshake(), try TLSServer(.test { $0.groups = [.p256] }).handshake())
        pair.run()
        #expect(pair.isComplete && pair.client.summary?.keyExchangeGroup == .p256)
        let hellos = pair.client.trace.count { $0.hasPrefix("send initial") }
        #expect(hellos == 2)
        expectEqualSecrets(pair, [.handshake, .oneRTT])
    }

    @Test("No key exchange in common ends the handshake with handshake_failure")
    func noCommonGroup() throws {
        let pair = HandshakePair(
            try TLSClient(.test { $0.groups = [.x25519] }).handshake(),
            try TLSServer(.test { $0.groups = [.p384] }).handshake())
        pair.run()
        #expect(pair.server.failure?.alert == 40)
    }

    @Test("A ClientHello without ML-KEM fits one packet, one with it doesn't (RFC 9000 section 14.1)")
    func clientHelloSize() throws {
        let sizes = try [KeyExchangeGroup.compact, KeyExchangeGroup.standard].map { groups in
            let client = HandshakeParticipant(try TLSClient(.test { $0.groups = groups }).handshake())
            client.start()
            return client.sent(at: .initial).count
        }
        #expect(sizes[0] < 400 && sizes[1] > 1200)
    }

    @Test(
        "Each suite can be insisted on, from either side (RFC 9001 section 5.3)",
        arguments: CipherSuite.allCases)
    func suites(suite: CipherSuite) throws {
        for isClients in [true, false] {
            let client = try TLSClient(.test { $0.cipherSuites = isClients ? [suite] : [] })
            let server = try TLSServer(.test { $0.cipherSuites = isClients ? [] : [suite] })
            let pair = HandshakePair(client.handshake(), server.handshake())
            pair.run()
            #expect(pair.client.summary?.cipherSuite == suite)
            #expect(pair.server.writeSecret(.oneRTT)?.bytes.count == suite.hashLength)
            expectEqualSecrets(pair, [.handshake, .oneRTT])
        }
    }

    @Test("No suite in common ends the handshake with handshake_failure")
    func noCommonSuite() throws {
        let pair = HandshakePair(
            try TLSClient(.test { $0.cipherSuites = [.aes128GCM] }).handshake(),
            try TLSServer(.test { $0.cipherSuites = [.chaCha20Poly1305] }).handshake())
        pair.run()
        #expect(pair.server.failure?.alert == 40)
        #expect(pair.server.failure?.code == .cryptoError(alert: 40))
    }

    // Holds: 9001-8.1-1
    @Test("The server chooses the application protocol, by its own order (RFC 9001 section 8.1)")
    func applicationProtocol() throws {
        let pair = HandshakePair(
            try TLSClient(.test { $0.applicationProtocols = ["hq-interop", "mhq", "h3"] }).handshake(),
            try TLSServer(.test { $0.applicationProtocols = ["h3", "hq-interop"] }).handshake())
        pair.run()
        #expect(pair.client.summary?.applicationProtocol == "h3")
    }

    // Holds: 9000-7-2, 9001-8.1-2, 9001-8.1-5
    @Test("No application protocol in common closes with error 0x0178 (RFC 9001 section 8.1)")
    func noApplicationProtocol() throws {
        let pair = HandshakePair(
            try TLSClient(.test { $0.applicationProtocols = ["hq-interop"] }).handshake(),
            try TLSServer(.test()).handshake())
        pair.run()
        #expect(pair.server.failure?.code.rawValue == 0x0178)
        #expect(!pair.isComplete)
    }

    @Test("The server's parameters can depend on the client's (RFC 9368 section 2.3)")
    func dependentParameters() throws {
        let server = try TLSServer(.test()).makeHandshake { Array("for ".utf8) + $0 }
        let pair = HandshakePair(try TLSClient(.test()).handshake(), server)
        pair.run()
        #expect(pair.client.peerParameters == Array("for client parameters".utf8))
    }

    @Test("A client whose parameters are refused is told so in QUIC's words (RFC 9000 section 7.4)")
    func refusedParameters() throws {
        let refusal = TransportError(.transportParameterError, "no such limit")
        let server = try TLSServer(.test()).makeHandshake { _ throws(TransportError) in throw refusal }
        let pair = HandshakePair(try TLSClient(.test()).handshake(), server)
        pair.run()
        #expect(
            pair.server.failure == HandshakeFailure(code: .transportParameterError, reason: "no such limit"))
        #expect(pair.server.failure?.alert == 0)
    }

    @Test("What makes a server's parameters is let go once it has, and so is a session")
    func lifetimes() throws {
        weak var held: Lines?
        weak var session: TLSHandshake?
        let pair: HandshakePair
        do {
            let lines = Lines()
            held = lines
            let server = try TLSServer(.test()).makeHandshake { _ in
                lines.append("asked")
                return [1]
            }
            pair = HandshakePair(try TLSClient(.test()).handshake(), server)
        }
        #expect(held != nil)
        pair.run()
        #expect(held == nil && pair.isComplete)
        do {
            let client = try TLSClient(.test()).handshake()
            session = client
            HandshakeParticipant(client).start()
        }
        #expect(session == nil)
    }

    @Test("The draft's number for transport parameters serves mvfst's version")
    func legacyCodepoint() throws {
        let (client, server) = (try TLSClient(.test()), try TLSServer(.test()))
        let pair = HandshakePair(
            try client.makeHandshake(
                serverName: "server.test", transportParameters: [1, 2, 3], usesLegacyCodepoint: true),
            try server.makeHandshake(usesLegacyCodepoint: true) { _ in [4, 5, 6] })
        pair.run()
        #expect(pair.server.peerParameters == [1, 2, 3] && pair.client.peerParameters == [4, 5, 6])
    }

    @Test("Empty parameters are parameters (RFC 9000 section 18)")
    func emptyParameters() throws {
        let pair = HandshakePair(
            try TLSClient(.test()).makeHandshake(
                serverName: "server.test", transportParameters: [0x40, 0x40, 0]),
            try TLSServer(.test()).makeHandshake { _ in [0x40, 0x41, 0] })
        pair.run()
        #expect(pair.client.peerParameters == [0x40, 0x41, 0])
    }

    // Holds: 9001-4.8-1
    @Test("A failed session stays failed and says the same again")
    func stickyFailure() throws {
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive([1, 0, 0, 1, 0], at: .initial)
        let first = try #require(server.failure)
        server.receive([0], at: .initial)
        #expect(server.failure == first && first.alert == 50)
    }

    @Test("The application protocol is known to the server before the handshake is complete")
    func earlyKnowledge() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        client.start()
        server.receive(client.sent(at: .initial), at: .initial)
        #expect(!server.session.isComplete && server.session.applicationProtocol == "h3")
        #expect(server.session.serverName == "server.test")
    }

    @Test("One client and one server serve many threads at once, while certificates and keys are replaced")
    func manyThreads() async throws {
        let keys = TicketKeys.random()
        let credentials = ServerCredentials([try TestIdentities.server.identity()])
        let client = try TLSClient(.test())
        let server = try TLSServer(
            .test {
                $0.credentials = credentials
                $0.ticketKeys = keys
            })
        let identity = try TestIdentities.server.identity()
        let completed = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let pair = HandshakePair(client.handshake(), server.handshake())
                    pair.run()
                    credentials.replace(with: [identity])
                    keys.replace(with: [.random()])
                    return pair.isComplete
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(completed == 8)
    }

    @Test("Suites, groups and failures go by their registered names")
    func names() {
        let groups: [KeyExchangeGroup] = [.x25519MLKEM768, .x25519, .p256, .p384, .init(rawValue: 0x1234)]
        #expect(groups.map(\.description) == ["X25519MLKEM768", "X25519", "P-256", "P-384", "0x1234"])
        #expect(CipherSuite.aes128GCM.description == "TLS_AES_128_GCM_SHA256")
        let failure = HandshakeFailure(alert: 120, reason: "none in common")
        #expect(failure.description.hasSuffix(": none in common"))
    }

    @Test("Secrets go to the key log, if there is one")
    func keyLog() throws {
        let lines = Lines()
        let pair = HandshakePair(
            try TLSClient(.test { $0.keyLog = { lines.append($0) } }).handshake(),
            try TLSServer(.test()).handshake())
        pair.run()
        let secret = Hexadecimal.encode(try #require(pair.client.writeSecret(.oneRTT)).bytes)
        #expect(lines.all.contains { $0.hasPrefix("CLIENT_TRAFFIC_SECRET_0 ") && $0.hasSuffix(secret) })
        #expect(lines.all.contains { $0.hasPrefix("SERVER_HANDSHAKE_TRAFFIC_SECRET ") })
    }

    @Test(
        "Exported keying material differs by label and context, not by side (RFC 8446 section 7.5)"
    )
    func exporter() throws {
        let pair = HandshakePair(try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake())
        pair.run()
        let exporters = try [pair.client, pair.server].map { try #require($0.summary).exporterSecret }
        let material = exporters.map { $0.export(label: "EXPORTER-test", context: [1], length: 40) }
        #expect(material[0] == material[1] && material[0].count == 40)
        #expect(exporters[0].export(label: "EXPORTER-test", context: [2], length: 40) != material[0])
        #expect(exporters[0].export(label: "EXPORTER-other", context: [1], length: 40) != material[0])
        #expect("\(exporters[0])" == "ExporterSecret(\(exporters[0].suite))")
    }

    @Test("What can't be configured is refused by name")
    func badConfigurations() throws {
        #expect(throws: TLSConfigurationError.self) { try TLSClient(.test { $0.applicationProtocols = [] }) }
        #expect(throws: TLSConfigurationError.self) {
            try TLSServer(.test { $0.applicationProtocols = [""] })
        }
        #expect(throws: TLSConfigurationError.self) { try TLSClient(.test { $0.groups = [] }) }
        #expect(throws: TLSConfigurationError.self) {
            try TLSClient(.test { $0.groups = [KeyExchangeGroup(rawValue: 0x1234)] })
        }
        #expect(throws: TLSConfigurationError.self) { try TLSClient(.test { $0.trust = .certificates([]) }) }
        let client = try TLSClient(.test())
        for name in ["", ".", "a b", "bücher.test", "a\u{0}b", String(repeating: "a", count: 256)] {
            #expect(throws: TLSConfigurationError.self) {
                try client.makeHandshake(serverName: name, transportParameters: [])
            }
        }
    }
}

/// Lines that callbacks on any thread may add to.
final class Lines: @unchecked Sendable {
    private(set) var all: [String] = []

    // The tests' handshakes run on one thread each.
    func append(_ line: String) { all.append(line) }
}

/// Checks that what one side writes with is what the other reads with.
func expectEqualSecrets(
    _ pair: HandshakePair, _ levels: [EncryptionLevel], sourceLocation: SourceLocation = #_sourceLocation
) {
    for level in levels {
        let client = pair.client.writeSecret(level)
        #expect(client != nil && client == pair.server.readSecret(level), sourceLocation: sourceLocation)
        guard level != .earlyData else { continue }
        let server = pair.server.writeSecret(level)
        #expect(server != nil && server == pair.client.readSecret(level), sourceLocation: sourceLocation)
        #expect(server != client, sourceLocation: sourceLocation)
    }
}
