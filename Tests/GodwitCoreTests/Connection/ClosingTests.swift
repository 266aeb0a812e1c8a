import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("How a connection ends")
struct ClosingTests {
    // Holds: 9000-10.3-1, 9000-11.1-1, 9000-19.20-2
    @Test("A client that sends HANDSHAKE_DONE hears what it did wrong (RFC 9000 sections 11.1 and 19.20)")
    func errorsAreTold() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.arrive(client.forge(.oneRTT, Frame.handshakeDone.bytes, now: pair.now), atServer: true)
        #expect(server.ownError == .protocolViolation)
        pair.run(for: .milliseconds(50))
        #expect(client.peersError == .protocolViolation)
    }

    // Holds: 9000-10.2.1-1
    @Test(
        "While closing, what comes in is answered by three times its size at most (RFC 9000 section 10.2.1)")
    func answersWhileClosing() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        pair.intercept = { _ in [] }
        server.close(code: 1, reason: String(repeating: "long", count: 64), now: pair.now)
        pair.exchange()
        pair.log = []
        var received = 0
        for _ in 0..<64 {
            // Not even genuine: while closing nobody looks.
            let id = client.paths.active.remoteID!
            let tiny = [0x40] + id.bytes + [UInt8](repeating: 0, count: 10)
            received += tiny.count
            pair.arrive(tiny, atServer: true)
            pair.exchange()
            let answered = pair.datagrams(toServer: false).reduce(0) { $0 + $1.count }
            #expect(answered <= 3 * received)
        }
        #expect(!pair.datagrams(toServer: false).isEmpty)
    }

    // Holds: 9000-10.2.1-2
    @Test("While closing, an address that was never validated gets no answer (RFC 9000 section 10.2.1)")
    func unvalidatedAddressesWhileClosing() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        pair.intercept = { _ in [] }
        server.close(code: 1, reason: "", now: pair.now)
        pair.exchange()
        let stranger = NetworkAddress("203.0.113.9:4444")!
        for _ in 0..<8 {
            let ping = client.forge(.oneRTT, Frame.ping.bytes, paddedTo: 1200, now: pair.now)
            pair.arrive(ping, atServer: true, from: stranger)
            pair.exchange()
        }
        #expect(pair.log.allSatisfy { $0.toServer || $0.local != stranger })
    }

    // Holds: 9000-10.2.2-1, 9000-10.2.2-2
    @Test(
        "An end that was told of the close says nothing more (RFC 9000 section 10.2.2)",
        arguments: [true, false])
    func draining(serverDrains: Bool) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let (closing, draining) = serverDrains ? (client, server) : (server, client)
        pair.intercept = { _ in [] }
        let pings = (0..<4).map { _ in closing.forge(.oneRTT, Frame.ping.bytes, now: pair.now) }
        closing.close(code: 1, reason: "", now: pair.now)
        pair.exchange()
        let close = try #require(pair.log.last)
        pair.log = []
        pair.inject(close)
        for ping in pings { pair.arrive(ping, atServer: serverDrains) }
        pair.exchange()
        pair.run(for: .milliseconds(200))
        #expect(draining.closed == .application(code: 1, reason: "", byPeer: true))
        #expect(pair.datagrams(toServer: !serverDrains).isEmpty)
    }

    // Holds: 9000-10.2.3-1
    @Test("Once confirmed, a close is told in a 1-RTT packet alone (RFC 9000 section 10.2.3)")
    func closeWhenConfirmed() throws {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let tapes = pair.watch()
        pair.log = []
        client.close(code: 7, reason: "done", now: pair.now)
        pair.run(for: .milliseconds(50))
        let first = try #require(pair.datagrams(toServer: true).first)
        #expect(VisiblePacket.all(in: first).map(\.type) == [nil])
        #expect(tapes.server.frameTypes(at: .oneRTT) == [FrameType.connectionCloseApplication])
    }

    // Holds: 9000-10.2.3-2, 9000-10.2.3-3, 9000-12.5-1
    @Test(
        "During the handshake an application's close tells neither code nor reason (RFC 9000 section 10.2.3)")
    func applicationCloseDuringHandshake() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let tapes = pair.watch()
        pair.inFlight = []
        let server = try #require(pair.serverConnection)
        server.close(code: 7, reason: "secret", now: pair.now)
        pair.run(for: .milliseconds(50))
        let closes = tapes.client.opened.filter { $0.level != .oneRTT }
        #expect(!closes.isEmpty)
        for packet in closes {
            packet.visitFrames { frame in
                guard case .connectionClose(let close) = frame else { return }
                #expect(!close.isApplication && close.reason.isEmpty)
                #expect(close.errorCode == TransportErrorCode.applicationError.rawValue)
            }
        }
        #expect(client.peersError == .applicationError)
    }

    // Holds: 9001-4.9.1-1, 9001-4.9.1-3
    @Test(
        "A client that closes by a Handshake packet sends no Initial packet after it (RFC 9001 section 4.9.1)"
    )
    func closeDropsInitialKeys() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        // The server's flight comes, and is answered by a close.
        pair.now = pair.now + pair.delay
        pair.deliver()
        #expect(client.protection.canWrite(at: .handshake) && client.protection.canWrite(at: .initial))
        pair.log = []
        client.close(code: 1, reason: "", now: pair.now)
        pair.exchange()
        #expect(!client.protection.canWrite(at: .initial))
        for _ in 0..<4 {
            pair.arrive([UInt8](repeating: 0xc0, count: 1200), atServer: false)
            let id = client.identity.localHandshakeID
            pair.arrive([0x40] + id.bytes + [UInt8](repeating: 0, count: 1100), atServer: false)
            pair.exchange()
        }
        let types = pair.datagrams(toServer: true).dropFirst().flatMap { VisiblePacket.all(in: $0) }.map(
            \.type)
        #expect(!types.isEmpty && !types.contains(.initial))
    }

    // Holds: 9000-10.1-1
    @Test("An idle timeout shorter than three probe timeouts lasts three of them (RFC 9000 section 10.1)")
    func idleTimeoutLastsThreeProbes() throws {
        var transport = TransportConfiguration()
        transport.idleTimeout = .milliseconds(1)
        transport.maxUDPPayloadSize = 1200
        let pair = EndpointPair(client: transport, server: transport)
        pair.delay = .milliseconds(100)
        let (client, server) = try pair.establish()
        pair.intercept = { _ in [] }
        for end in [client, server] {
            let (from, span) = (end.timers.lastActivity, end.ptoSpan * 3)
            #expect(end.closed == nil && span > .milliseconds(500))
            #expect(end.nextDeadline.map { $0 <= from + span } == true)
            end.handleDeadline(now: from + span - .milliseconds(1))
            #expect(end.closed == nil)
        }
        client.handleDeadline(now: pair.now + .seconds(60))
        #expect(client.closed == .idleTimeout)
    }

    // Holds: 9000-12.3-3
    @Test("When the packet numbers are used up, the connection ends without a word (RFC 9000 section 12.3)")
    func lastPacketNumber() throws {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        pair.log = []
        client.packetNumbers.application = PacketNumbers(next: (1 << 62) - 1)
        client.ping()
        pair.exchange()
        #expect(client.ownError == .internalError)
        #expect(pair.datagrams(toServer: true).isEmpty)
    }

    // Holds: 9001-5.3-3, 9001-6.6-4
    @Test("Keys that can't be updated end the connection before their limit (RFC 9001 section 6.6)")
    func keysUsedUp() throws {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        pair.intercept = { $0.toServer ? [$0] : [] }
        var state = try #require(client.protection.oneRTT).state
        // Half the limit calls for an update; without acknowledgements there can't be one.
        state.isPhaseAcknowledged = false
        let limit = state.writeSecret.suite.confidentialityLimit
        state.sealedInPhase = limit - 300
        client.protection.oneRTT = OneRTTKeys(state: state)
        for _ in 0..<400 where client.closed == nil {
            client.ping()
            pair.exchange()
        }
        #expect(client.ownError == .aeadLimitReached)
        for _ in 0..<400 {
            pair.arrive(
                [0x40] + client.identity.localHandshakeID.bytes + [UInt8](repeating: 0, count: 900),
                atServer: false)
            pair.exchange()
        }
        #expect(try #require(client.protection.oneRTT).state.sealedInPhase <= limit)
    }

    // Holds: 9001-6.6-4
    @Test("With the limit reached, nothing at all is sent under the keys (RFC 9001 section 6.6)")
    func limitReached() throws {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        var state = try #require(client.protection.oneRTT).state
        state.sealedInPhase = state.writeSecret.suite.confidentialityLimit
        state.isPhaseAcknowledged = false
        client.protection.oneRTT = OneRTTKeys(state: state)
        pair.log = []
        client.ping()
        pair.exchange()
        #expect(client.ownError == .aeadLimitReached && pair.datagrams(toServer: true).isEmpty)
    }

    // Holds: 9001-6.6-6
    @Test(
        "Failures past the integrity limit close at once, and no packet is processed after (RFC 9001 section 6.6)"
    )
    func integrityLimit() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let suite = try #require(server.protection.oneRTT).state.writeSecret.suite
        server.protection.failedToOpen = suite.integrityLimit - 1
        let stream = StreamID(rawValue: 0)
        let good = client.forge(.oneRTT, Frame.streamBytes([1], on: stream), now: pair.now)
        var bad = client.forge(.oneRTT, Frame.ping.bytes, now: pair.now)
        bad[bad.count - 1] ^= 1
        pair.arrive(bad, atServer: true)
        #expect(server.ownError == .aeadLimitReached)
        let before = server.statistics.packetsReceived
        pair.arrive(good, atServer: true)
        #expect(server.statistics.packetsReceived == before)
    }
}
