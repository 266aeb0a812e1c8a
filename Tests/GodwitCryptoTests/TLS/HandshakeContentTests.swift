import GodwitCrypto
import GodwitWire
import Testing

@Suite("What handshakes hold, and what they may not settle on")
struct HandshakeContentTests {
    // MARK: Messages that are never sent

    // Holds: 9001-4.4-2, 9001-4.4-3
    @Test("After the handshake a server sends tickets and nothing else (RFC 9001 section 4.4)")
    func afterTheHandshake() throws {
        let trust = TrustPolicy.certificates([TestIdentities.client.certificate])
        let client = try TLSClient(.test { $0.identity = try! TestIdentities.client.identity() })
        for authentication in [ClientAuthentication.none, .optional(trust), .required(trust)] {
            let server = try TLSServer(
                .test {
                    $0.clientAuthentication = authentication
                    $0.ticketKeys = .random()
                })
            let pair = run(client.handshake(), server.handshake())
            #expect(pair.isComplete)
            #expect(HandshakeMessages(pair.server.sent(at: .oneRTT)).types == [4, 4])
        }
    }

    // Holds: 9001-6-1, 9001-8.3-1
    @Test("Neither KeyUpdate nor EndOfEarlyData is ever sent (RFC 9001 sections 6 and 8.3)")
    func messageTypes() throws {
        let client = try TLSClient(.test())
        let server = try TLSServer(
            .test {
                $0.ticketKeys = .random()
                $0.earlyData = ReplayFilter(refusesFirstWindow: false)
            })
        let first = run(client.handshake(), server.handshake(earlyDataContext: "a"))
        expectTypes(first, server: [8, 11, 15, 20])
        let second = run(
            client.handshake(ticket: first.client.tickets[0], early: true),
            server.handshake(earlyDataContext: "a"))
        #expect(second.client.summary?.earlyDataAccepted == true)
        expectTypes(second, server: [8, 20])
    }

    private func expectTypes(
        _ pair: HandshakePair, server: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let types = { (side: HandshakeParticipant, level: EncryptionLevel) in
            HandshakeMessages(side.sent(at: level)).types
        }
        #expect(types(pair.client, .initial) == [1], sourceLocation: sourceLocation)
        #expect(types(pair.client, .earlyData).isEmpty, sourceLocation: sourceLocation)
        #expect(types(pair.client, .handshake) == [20], sourceLocation: sourceLocation)
        #expect(types(pair.client, .oneRTT).isEmpty, sourceLocation: sourceLocation)
        #expect(types(pair.server, .initial) == [2], sourceLocation: sourceLocation)
        #expect(types(pair.server, .handshake) == server, sourceLocation: sourceLocation)
        #expect(types(pair.server, .oneRTT) == [4, 4], sourceLocation: sourceLocation)
    }

    // MARK: Versions and suites

    // Holds: 9001-4.2-2
    @Test("A server that settles on a TLS version before 1.3 is refused (RFC 9001 section 4.2)")
    func oldVersion() throws {
        let (client, server) = try flights()
        var hello = HandshakeMessages(server.sent(at: .initial))
        #expect(hello.extensionData(43, inMessage: 2) == [3, 4])
        hello.removeExtension(43, fromMessage: 2)
        client.receive(hello.bytes, at: .initial)
        #expect(client.failure?.alert == 70)
    }

    // Holds: 9001-5.3-1
    @Test(
        "A suite without header protection is taken by no server, nor from one (RFC 9001 section 5.3)",
        arguments: [0x1304, 0x1305, 0x1306, 0x00ff, 0xc02b])
    func foreignSuites(number: Int) throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        var hello = HandshakeMessages(client.sent(at: .initial))
        hello.replaceSuites(with: [number])
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive(hello.bytes, at: .initial)
        #expect(server.failure?.alert == 40)

        let (offering, answering) = try flights()
        var answer = HandshakeMessages(answering.sent(at: .initial))
        answer.replaceChosenSuite(with: number)
        offering.receive(answer.bytes, at: .initial)
        #expect(offering.failure?.alert == 47 && offering.readSecret(.handshake) == nil)
    }

    // MARK: Application protocols

    // Holds: 9000-7-2, 9001-8.1-2, 9001-8.1-5
    @Test("A client that names no application protocol is told 0x0178 (RFC 9001 section 8.1)")
    func noApplicationProtocol() throws {
        let client = HandshakeParticipant(try TLSClient(.test()).handshake())
        client.start()
        var hello = HandshakeMessages(client.sent(at: .initial))
        hello.removeExtension(16, fromMessage: 1)
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        server.receive(hello.bytes, at: .initial)
        #expect(server.failure?.code.rawValue == 0x0178)
    }

    // Holds: 9000-7-1
    @Test("A changed choice of application protocol makes the handshake fail (RFC 9000 section 7)")
    func changedApplicationProtocol() throws {
        let (client, server) = try flights(protocols: ["h3", "h9"])
        var flight = HandshakeMessages(server.sent(at: .handshake))
        #expect(flight.extensionData(16, inMessage: 8) == [0, 3, 2] + Array("h3".utf8))
        flight.replaceExtension(16, with: [0, 3, 2] + Array("h9".utf8), inMessage: 8)
        client.receive(server.sent(at: .initial), at: .initial)
        client.receive(flight.bytes, at: .handshake)
        #expect(client.failure?.alert == 51 && client.summary == nil)
    }

    // Holds: 9001-8.1-4
    @Test(
        "Protocols are agreed on alike in every version, for all serve all (RFC 9001 section 8.1)",
        arguments: [false, true])
    func protocolsOfVersions(usesLegacyCodepoint: Bool) throws {
        for (server, expected) in [(["h3", "mhq"], "h3"), (["mhq"], "mhq"), (["h9"], nil)] {
            let pair = HandshakePair(
                try TLSClient(.test { $0.applicationProtocols = ["mhq", "h3"] }).makeHandshake(
                    serverName: "server.test", transportParameters: [1],
                    usesLegacyCodepoint: usesLegacyCodepoint),
                try TLSServer(.test { $0.applicationProtocols = server }).makeHandshake(
                    usesLegacyCodepoint: usesLegacyCodepoint
                ) { _ in [1] })
            pair.run()
            #expect(pair.isComplete == (expected != nil))
            #expect(pair.client.summary?.applicationProtocol == expected)
            #expect(pair.server.failure?.code.rawValue == (expected == nil ? 0x0178 : nil))
        }
    }

    // MARK: Alerts

    // Holds: 9001-4.8-1
    @Test("Each alert is a connection error, also what TLS calls a warning (RFC 9001 section 4.8)")
    func alerts() {
        for alert in UInt8.min...UInt8.max {
            let failure = HandshakeFailure(alert: alert, reason: "")
            #expect(failure.code.rawValue == 0x0100 + UInt64(alert))
            #expect(failure.code != .noError && failure.alert == alert)
        }
    }

    private func run(_ client: TLSHandshake, _ server: TLSHandshake) -> HandshakePair {
        let pair = HandshakePair(client, server)
        pair.run()
        return pair
    }

    /// A client that has sent its ClientHello, and a server that has answered it.
    private func flights(
        protocols: [String] = ["h3"]
    ) throws -> (client: HandshakeParticipant, server: HandshakeParticipant) {
        let client = HandshakeParticipant(
            try TLSClient(.test { $0.applicationProtocols = protocols }).handshake())
        let server = HandshakeParticipant(try TLSServer(.test()).handshake())
        client.start()
        server.receive(client.sent(at: .initial), at: .initial)
        return (client, server)
    }
}
