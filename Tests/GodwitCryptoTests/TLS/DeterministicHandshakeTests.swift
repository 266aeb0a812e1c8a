import GodwitWire
import Testing

@testable import GodwitCrypto

@Suite("The stand-in for TLS in simulations")
struct DeterministicHandshakeTests {
    private let keys = TicketKeys([SharedKey([UInt8](repeating: 4, count: SharedKey.length))!])

    @Test(
        "Its messages have the sizes of real ones, and its secrets come in the same order",
        arguments: [true, false])
    func likeReal(usesMLKEM: Bool) throws {
        let groups = usesMLKEM ? KeyExchangeGroup.standard : KeyExchangeGroup.compact
        let client = try TLSClient(.test { $0.groups = groups })
        let server = try TLSServer(
            .test {
                $0.ticketKeys = keys
                $0.earlyData = ReplayFilter(refusesFirstWindow: false)
            })
        let (standInClient, standInServer) = makeStandIns(usesMLKEM: usesMLKEM)
        let real = run(client.handshake(), server.handshake(earlyDataContext: "a"))
        let standIn = run(makeClient(standInClient), makeServer(standInServer, context: "a"))
        expectAlike(standIn, real)
        for context in ["a", "b"] {
            let realAgain = run(
                client.handshake(ticket: real.client.tickets[0], early: true),
                server.handshake(earlyDataContext: context))
            let standInAgain = run(
                makeClient(standInClient, ticket: standIn.client.tickets[0], early: true),
                makeServer(standInServer, context: context))
            expectAlike(standInAgain, realAgain)
            #expect(realAgain.client.summary?.earlyDataAccepted == (context == "a"))
        }
    }

    @Test("It is like TLS also without early data, and with other names and parameters")
    func likeRealWithoutEarlyData() throws {
        let client = try TLSClient(.test { $0.applicationProtocols = ["mhq", "hq-interop"] })
        let server = try TLSServer(
            .test {
                $0.ticketKeys = keys
                $0.ticketCount = 1
                $0.applicationProtocols = ["hq-interop"]
            })
        var (standInClient, standInServer) = makeStandIns(usesMLKEM: true, earlyData: false)
        standInClient.applicationProtocols = ["mhq", "hq-interop"]
        standInServer.applicationProtocols = ["hq-interop"]
        standInServer.ticketCount = 1
        let real = run(client.handshake("192.0.2.1"), server.handshake())
        let standIn = run(makeClient(standInClient, name: "192.0.2.1"), makeServer(standInServer))
        expectAlike(standIn, real)
        let realAgain = run(client.handshake("192.0.2.1", ticket: real.client.tickets[0]), server.handshake())
        let standInAgain = run(
            makeClient(standInClient, name: "192.0.2.1", ticket: standIn.client.tickets[0]),
            makeServer(standInServer))
        expectAlike(standInAgain, realAgain)
    }

    @Test("The same seeds give the same bytes, other seeds others")
    func deterministic() {
        let (client, server) = makeStandIns(usesMLKEM: true)
        let runs = [(1, 2), (1, 2), (1, 3), (2, 2)].map { seeds in
            run(makeClient(client, seed: UInt8(seeds.0)), makeServer(server, seed: UInt8(seeds.1)))
        }
        #expect(runs[0].client.actions == runs[1].client.actions)
        #expect(runs[0].server.actions == runs[1].server.actions)
        #expect(runs[0].client.writeSecret(.oneRTT) != runs[2].client.writeSecret(.oneRTT))
        #expect(runs[0].client.writeSecret(.oneRTT) != runs[3].client.writeSecret(.oneRTT))
    }

    @Test("Both sides agree on secrets, protocol and parameters")
    func agreement() throws {
        let (client, server) = makeStandIns(usesMLKEM: true)
        let pair = run(makeClient(client), makeServer(server))
        #expect(pair.isComplete)
        expectEqualSecrets(pair, [.handshake, .oneRTT])
        let summaries = try [pair.client, pair.server].map { try #require($0.summary) }
        #expect(summaries[0].exporterSecret == summaries[1].exporterSecret)
        #expect(summaries.allSatisfy { $0.applicationProtocol == "h3" && $0.serverName == "server.test" })
        #expect(pair.server.peerParameters == Array("client parameters".utf8))
        #expect(pair.client.peerParameters == Array("server parameters".utf8))
        let ticket = pair.client.tickets[0]
        let resumed = run(makeClient(client, ticket: ticket, early: true), makeServer(server))
        expectEqualSecrets(resumed, [.earlyData, .handshake, .oneRTT])
        let replayed = HandshakeParticipant(makeServer(server))
        replayed.receive(resumed.client.sent(at: .initial), at: .initial)
        #expect(replayed.actions.contains(.earlyDataRejected))
    }

    @Test("It arrives in pieces, and a ticket of other keys or another server is left unused")
    func otherWays() {
        let (client, server) = makeStandIns(usesMLKEM: true)
        let pair = HandshakePair(makeClient(client), makeServer(server))
        pair.run(pieces: 1)
        #expect(pair.isComplete)
        var stranger = server
        stranger.ticketKeys = .random()
        let full = run(makeClient(client, ticket: pair.client.tickets[0], early: true), makeServer(stranger))
        #expect(full.isComplete && full.client.summary?.isResumed == false)
        #expect(full.client.actions.contains(.earlyDataRejected))
        let named = run(
            makeClient(client, name: "b.test", ticket: pair.client.tickets[0]), makeServer(server))
        #expect(named.isComplete && named.client.summary?.isResumed == false)
    }

    @Test("It fails as TLS does: no common protocol, refused parameters, changed bytes, noise")
    func failures() {
        var (client, server) = makeStandIns(usesMLKEM: false)
        let refusing = server.makeHandshake(random: randomGenerator()) { _ throws(TransportError) in
            throw TransportError(.transportParameterError, "no")
        }
        #expect(run(makeClient(client), refusing).server.failure?.code == .transportParameterError)
        client.applicationProtocols = ["mhq"]
        #expect(run(makeClient(client), makeServer(server)).server.failure?.alert == 120)
        client.applicationProtocols = ["h3"]
        server.certificateLength = 64
        expectChangesFound(client, server)
        var random = randomGenerator(9)
        for _ in 0..<100 {
            let side = HandshakeParticipant(random.next() % 2 == 0 ? makeClient(client) : makeServer(server))
            side.start()
            for _ in 0..<4 {
                let level = EncryptionLevel.allCases[Int(random.next() % 4)]
                side.receive([UInt8(random.next() % 24)] + random.bytes(Int(random.next() % 80)), at: level)
            }
            #expect(side.summary == nil)
        }
    }

    private func expectChangesFound(_ client: DeterministicTLSClient, _ server: DeterministicTLSServer) {
        for index in stride(from: 0, to: 400, by: 3) {
            let (one, other) = (
                HandshakeParticipant(makeClient(client)), HandshakeParticipant(makeServer(server))
            )
            one.start()
            other.receive(one.sent(at: .initial), at: .initial)
            var (hello, flight) = (other.sent(at: .initial), other.sent(at: .handshake))
            if index < hello.count {
                hello[index] ^= 0x10
            } else if index - hello.count < flight.count {
                flight[index - hello.count] ^= 0x10
            } else {
                return
            }
            one.receive(hello, at: .initial)
            one.receive(flight, at: .handshake)
            #expect(one.summary == nil)
        }
    }

    // MARK: Making both sides

    private func makeStandIns(
        usesMLKEM: Bool, earlyData: Bool = true
    ) -> (DeterministicTLSClient, DeterministicTLSServer) {
        var client = DeterministicTLSClient(applicationProtocols: ["h3"])
        client.offersMLKEM = usesMLKEM
        var server = DeterministicTLSServer(applicationProtocols: ["h3"])
        server.ticketKeys = keys
        server.earlyData = earlyData ? ReplayFilter(refusesFirstWindow: false) : nil
        server.certificateLength = TestIdentities.server.certificate.der.count
        return (client, server)
    }

    private func makeClient(
        _ client: DeterministicTLSClient, name: String = "server.test", ticket: [UInt8]? = nil,
        early: Bool = false, seed: UInt8 = 1
    ) -> any HandshakeSession {
        client.makeHandshake(
            serverName: name, transportParameters: Array("client parameters".utf8), ticket: ticket,
            offersEarlyData: early, random: randomGenerator(seed))
    }

    private func makeServer(
        _ server: DeterministicTLSServer, context: String = "", seed: UInt8 = 2
    ) -> any HandshakeSession {
        server.makeHandshake(earlyDataContext: Array(context.utf8), random: randomGenerator(seed)) { _ in
            Array("server parameters".utf8)
        }
    }

    private func run(_ client: any HandshakeSession, _ server: any HandshakeSession) -> HandshakePair {
        let pair = HandshakePair(client, server)
        pair.run()
        return pair
    }

    private func expectAlike(
        _ standIn: HandshakePair, _ real: HandshakePair, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(real.isComplete, sourceLocation: sourceLocation)
        #expect(standIn.client.trace == real.client.trace, sourceLocation: sourceLocation)
        #expect(standIn.server.trace == real.server.trace, sourceLocation: sourceLocation)
    }
}
