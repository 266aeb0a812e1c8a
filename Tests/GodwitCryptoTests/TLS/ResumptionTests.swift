import GodwitCrypto
import GodwitWire
import Testing

@Suite("Resumed sessions and early data")
struct ResumptionTests {
    private let key = SharedKey([UInt8](repeating: 5, count: SharedKey.length))!
    private let newKey = SharedKey([UInt8](repeating: 6, count: SharedKey.length))!

    @Test("A ticket resumes a session, without certificates on the wire (RFC 9001 section 4.5)")
    func resumption() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer())
        let first = run(client.handshake(), server.handshake())
        #expect(first.client.tickets.count == 2)
        let second = run(client.handshake(ticket: first.client.tickets[0]), server.handshake())
        #expect(second.client.summary?.isResumed == true && second.server.summary?.isResumed == true)
        #expect(second.server.sent(at: .handshake).count < 100)
        #expect(second.client.summary?.peerCertificates == first.client.summary?.peerCertificates)
        expectEqualSecrets(second, [.handshake, .oneRTT])
        #expect(second.client.writeSecret(.earlyData) == nil)
    }

    @Test("A ticket says what it is for")
    func ticketContents() throws {
        let first = run(
            try TLSClient(.test()).handshake(),
            try makeServer(earlyData: true).handshake(earlyDataContext: "a"))
        let ticket = try #require(SessionTicket(first.client.tickets[0]))
        #expect(ticket.serverName == "server.test" && ticket.applicationProtocol == "h3")
        #expect(ticket.allowsEarlyData && ticket.bytes == first.client.tickets[0])
        #expect(SessionTicket([]) == nil && SessionTicket(ticket.bytes + [0]) == nil)
        for count in 0..<40 { #expect(SessionTicket(Array(ticket.bytes.prefix(count))) == nil) }
    }

    @Test("Whom a ticket is of does not depend on how the name is written (RFC 9000 section 8.1.3)")
    func ticketName() throws {
        let first = run(
            try TLSClient(.test()).handshake("Server.TEST."), try makeServer().handshake())
        let ticket = try #require(SessionTicket(first.client.tickets[0]))
        for name in ["server.test", "SERVER.test", "server.test.", "Server.Test."] {
            #expect(ticket.isFor(serverName: name))
        }
        for name in [
            "", ".", "server.test..", ".server.test", "test", "other.server.test", "server.test.other",
            "192.0.2.1",
        ] {
            #expect(!ticket.isFor(serverName: name))
        }
    }

    @Test("A ticket goes to no other server than its own (RFC 8446 section 4.6.1)")
    func otherServer() throws {
        let client = try TLSClient(.test())
        let first = run(client.handshake(), try makeServer().handshake())
        let second = run(
            client.handshake("192.0.2.1", ticket: first.client.tickets[0]), try makeServer().handshake())
        #expect(second.client.summary?.isResumed == false)
    }

    @Test("Damaged tickets lead to a full handshake, on either side")
    func damagedTickets() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer())
        let ticket = run(client.handshake(), server.handshake()).client.tickets[0]
        var random = randomGenerator()
        for _ in 0..<40 {
            var damaged = ticket
            damaged[Int(random.next() % UInt64(ticket.count))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
            let pair = run(client.handshake(ticket: damaged), server.handshake())
            // A change in the session's secret that BoringSSL can't see ends the handshake instead.
            #expect(pair.isComplete || pair.server.failure != nil || pair.client.failure != nil)
        }
        #expect(
            run(client.handshake(ticket: [1, 2, 3]), server.handshake()).client.summary?.isResumed == false)
    }

    // Holds: W30
    @Test("Servers that share ticket keys resume each other's sessions, also while keys are replaced")
    func sharedKeys() throws {
        let client = try TLSClient(.test())
        let ticket = run(client.handshake(), try makeServer().handshake()).client.tickets[0]
        let keys = TicketKeys([key])
        let other = try TLSServer(.test { $0.ticketKeys = keys })
        #expect(isResumed(client, ticket, other))
        keys.replace(with: [newKey, key])
        #expect(isResumed(client, ticket, other))
        keys.replace(with: [newKey])
        #expect(!isResumed(client, ticket, other))
        let stranger = try TLSServer(.test { $0.ticketKeys = .random() })
        #expect(!isResumed(client, ticket, stranger))
    }

    @Test("A server without ticket keys gives none out, and a client that wants none keeps none")
    func noTickets() throws {
        #expect(
            run(try TLSClient(.test()).handshake(), try TLSServer(.test()).handshake()).client.tickets.isEmpty
        )
        let unwilling = try TLSClient(.test { $0.acceptsTickets = false })
        #expect(run(unwilling.handshake(), try makeServer().handshake()).client.tickets.isEmpty)
        let many = try TLSServer(
            .test {
                $0.ticketKeys = .random(); $0.ticketCount = 16
            })
        #expect(run(try TLSClient(.test()).handshake(), many.handshake()).client.tickets.count == 8)
    }

    @Test("A ticket of a session that was never verified does not get past a client that verifies")
    func reverification() throws {
        let careless = try TLSClient(.test { $0.trust = .insecureNoVerification })
        let careful = try TLSClient(.test { $0.trust = .certificates([TestIdentities.other.certificate]) })
        let server = try makeServer(earlyData: true)
        let ticket = run(careless.handshake(), server.handshake(earlyDataContext: "a")).client.tickets[0]
        let resumed = run(careful.handshake(ticket: ticket), server.handshake(earlyDataContext: "a"))
        #expect(resumed.client.failure?.alert == 48 && !resumed.isComplete)
        let early = run(
            careful.handshake(ticket: ticket, early: true), server.handshake(earlyDataContext: "a"))
        #expect(early.client.failure?.alert == 48 && early.client.writeSecret(.earlyData) == nil)
    }

    // MARK: Early data

    // Holds: 9000-7-1, 9001-5.6-3, 9001-5.6-4
    @Test("Early data is taken when ticket, context and protocol fit (RFC 9001 section 4.6)")
    func earlyData() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer(earlyData: true))
        let ticket = run(client.handshake(), server.handshake(earlyDataContext: "a")).client.tickets[0]
        let pair = run(client.handshake(ticket: ticket, early: true), server.handshake(earlyDataContext: "a"))
        #expect(
            pair.client.actions.contains(.earlyDataAccepted)
                && pair.server.actions.contains(.earlyDataAccepted))
        #expect(
            pair.client.summary?.earlyDataAccepted == true && pair.server.summary?.earlyDataAccepted == true)
        expectEqualSecrets(pair, [.earlyData, .handshake, .oneRTT])
        // RFC 9001 section 5.6: a server protects nothing with 0-RTT keys, and a client opens nothing.
        #expect(pair.server.writeSecret(.earlyData) == nil && pair.client.readSecret(.earlyData) == nil)
    }

    @Test("Early data is refused when what it depends on has changed (RFC 9001 section 4.6.3)")
    func changedContext() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer(earlyData: true))
        let ticket = run(client.handshake(), server.handshake(earlyDataContext: "a")).client.tickets[0]
        for context in ["b", ""] {
            let pair = run(
                client.handshake(ticket: ticket, early: true), server.handshake(earlyDataContext: context))
            #expect(pair.isComplete && pair.client.summary?.isResumed == true)
            #expect(pair.client.actions.contains(.earlyDataRejected))
            #expect(pair.server.actions.contains(.earlyDataRejected))
            #expect(pair.server.readSecret(.earlyData) == nil)
        }
    }

    @Test(
        "Early data is refused by servers without it, and by a retry (RFC 9001 section 4.6.2)"
    )
    func refusals() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer(earlyData: true))
        let ticket = run(client.handshake(), server.handshake(earlyDataContext: "a")).client.tickets[0]
        let stranger = try TLSServer(
            .test {
                $0.ticketKeys = .random()
                $0.earlyData = ReplayFilter(refusesFirstWindow: false)
            })
        for refusing in [try makeServer(), try makeServer(earlyData: true, groups: [.p256]), stranger] {
            let pair = run(
                client.handshake(ticket: ticket, early: true), refusing.handshake(earlyDataContext: "a"))
            #expect(pair.isComplete && pair.client.summary?.earlyDataAccepted == false)
            #expect(pair.client.actions.contains(.earlyDataRejected))
            #expect(pair.server.actions.contains(.earlyDataRejected))
        }
    }

    @Test("Early data for another protocol than the ticket's is not sent (RFC 9001 section 4.6.3)")
    func otherProtocol() throws {
        let server = try makeServer(earlyData: true)
        let ticket = run(try TLSClient(.test()).handshake(), server.handshake(earlyDataContext: "a")).client
            .tickets[0]
        let other = try TLSClient(.test { $0.applicationProtocols = ["hq-interop"] })
        let client = HandshakeParticipant(other.handshake(ticket: ticket, early: true))
        client.start()
        #expect(client.writeSecret(.earlyData) == nil)
    }

    // Holds: 9001-9.2-1
    @Test(
        "A ClientHello that was recorded and is sent again has its early data refused (RFC 9001 section 9.2)")
    func replay() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer(earlyData: true))
        let ticket = run(client.handshake(), server.handshake(earlyDataContext: "a")).client.tickets[0]
        let pair = run(client.handshake(ticket: ticket, early: true), server.handshake(earlyDataContext: "a"))
        #expect(pair.server.actions.contains(.earlyDataAccepted))
        let again = HandshakeParticipant(server.handshake(earlyDataContext: "a"))
        again.receive(pair.client.sent(at: .initial), at: .initial)
        #expect(again.failure == nil && again.actions.contains(.earlyDataRejected))
        #expect(again.readSecret(.earlyData) == nil)
    }

    @Test("Without a context, tickets bring no early data (RFC 9001 section 4.6.1)")
    func noContext() throws {
        let (client, server) = (try TLSClient(.test()), try makeServer(earlyData: true))
        let ticket = run(client.handshake(), server.handshake()).client.tickets[0]
        #expect(SessionTicket(ticket)?.allowsEarlyData == false)
        let pair = run(client.handshake(ticket: ticket, early: true), server.handshake())
        #expect(pair.client.writeSecret(.earlyData) == nil && pair.client.summary?.isResumed == true)
    }

    // Holds: 9001-4.6.1-1
    @Test("Tickets that allow early data name 0xffffffff as its size (RFC 9001 section 4.6.1)")
    func earlyDataSize() throws {
        let pair = run(
            try TLSClient(.test()).handshake(),
            try makeServer(earlyData: true).handshake(earlyDataContext: "a"))
        let messages = pair.server.sent(at: .oneRTT)
        let marks = (0..<messages.count - 8).filter { Array(messages[$0..<$0 + 4]) == [0, 42, 0, 4] }
        #expect(marks.count == 2)
        #expect(marks.allSatisfy { Array(messages[$0 + 4..<$0 + 8]) == [0xff, 0xff, 0xff, 0xff] })
    }

    private func makeServer(
        earlyData: Bool = false, groups: [KeyExchangeGroup] = KeyExchangeGroup.standard
    ) throws -> TLSServer {
        try TLSServer(
            .test {
                $0.ticketKeys = TicketKeys([key])
                $0.groups = groups
                if earlyData { $0.earlyData = ReplayFilter(refusesFirstWindow: false) }
            })
    }

    private func run(_ client: TLSHandshake, _ server: TLSHandshake) -> HandshakePair {
        let pair = HandshakePair(client, server)
        pair.run()
        return pair
    }

    private func isResumed(_ client: TLSClient, _ ticket: [UInt8], _ server: TLSServer) -> Bool {
        run(client.handshake(ticket: ticket), server.handshake()).server.summary?.isResumed == true
    }
}
