import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What keys may be used for (RFC 9001 section 6.6)")
struct KeyLimitTests {
    private func confirmed() throws -> (EndpointPair, Connection, Connection) {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        return (pair, client, server)
    }

    /// Changes what the connection remembers of its 1-RTT keys.
    private func change(_ connection: Connection, _ body: (inout OneRTTKeys.State) -> Void) throws {
        var state = try #require(connection.protection.oneRTT).state
        body(&state)
        connection.protection.oneRTT = OneRTTKeys(state: state)
    }

    // MARK: Packets that are protected

    // Holds: 9001-6.6-1
    @Test("Packets are counted under each set of 1-RTT keys (RFC 9001 section 6.6)")
    func countedPhases() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        let (client, server) = try pair.establish()
        for _ in 0..<6 {
            client.updateKeys()
            for _ in 0..<5 {
                client.ping()
                server.ping()
                pair.run(for: .milliseconds(100))
                for (end, tape) in [(client, tapes.client), (server, tapes.server)] {
                    let sealed = tape.sealed.filter { $0.level == .oneRTT }
                    let ofPhase = sealed.count { $0.key == sealed.last?.key }
                    #expect(end.protection.oneRTT?.state.sealedInPhase == UInt64(ofPhase))
                }
            }
        }
        #expect(client.keyUpdates >= 3)
    }

    // Holds: 9001-6.6-1
    @Test("Packets are counted under the keys of each level, Retry and all (RFC 9001 section 6.6)")
    func countedLevels() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        let ticket = try pair.ticket()
        let tapes = pair.watch()
        var lost = 0
        pair.intercept = { flight in
            lost += 1
            return lost % 3 == 0 ? [] : [flight]
        }
        let client = try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([UInt8](repeating: 1, count: 5000), to: id)
        var levels: Set<EncryptionLevel> = []
        pair.run(for: .seconds(10)) {
            for (end, tape) in [(client, tapes.client), (pair.serverConnection, tapes.server)] {
                for level in [EncryptionLevel.initial, .earlyData, .handshake] {
                    guard let keys = end?.protection.keys(at: level), keys.write != nil else { continue }
                    let sealed = tape.sealed.filter { $0.level == level }
                    // The keys of early data outlive the Retry, after which the tape has another name for
                    // them.
                    let ofKeys = sealed.count { level == .earlyData || $0.key == sealed.last?.key }
                    #expect(keys.sealed == UInt64(ofKeys))
                    if keys.sealed > 1 { levels.insert(level) }
                }
            }
            return client.isConfirmed
        }
        #expect(client.isConfirmed && levels == [.initial, .earlyData, .handshake])
    }

    // Holds: 9001-6.6-2
    @Test(
        "Keys of the handshake that are at their limit protect no further packet (RFC 9001 section 6.6)",
        arguments: [EncryptionLevel.initial, .handshake])
    func exhaustedLevels(level: EncryptionLevel) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.inMidHandshake()
        let limit = CipherSuite.aes128GCM.confidentialityLimit
        for end in [client, server] {
            if level == .initial { end.protection.initial.sealed = limit - 1 }
            if level == .handshake { end.protection.handshake.sealed = limit - 1 }
            #expect(end.protection.canWrite(at: level))
        }
        let tapes = pair.watch()
        pair.run(for: .seconds(8))
        for (end, tape) in [(client, tapes.client), (server, tapes.server)] {
            #expect(tape.sealed.count { $0.level == level } <= 1)
            #expect(end.protection.keys(at: level).sealed <= limit)
        }
        #expect(tapes.client.sealed.count { $0.level == level } == 1)
    }

    // Holds: 9001-6.6-2, 9001-6.6-3
    @Test(
        "The keys change before the packet that would be too much for them, and again (RFC 9001 section 6.6)")
    func updateBeforeLimit() throws {
        let (pair, client, _) = try confirmed()
        let limit = try #require(client.protection.oneRTT).state.writeSecret.suite.confidentialityLimit
        let tapes = pair.watch()
        for round in 1...3 as ClosedRange<UInt64> {
            // Three packets before half the limit, where an update becomes due.
            try change(client) { $0.sealedInPhase = limit / 2 - 3 }
            let old = try #require(client.protection.oneRTT).state.writeSecret
            let (first, start) = (tapes.client.sealed.count, client.packetNumbers.application.next)
            for _ in 0..<8 {
                client.ping()
                pair.run(for: .milliseconds(100))
                #expect(try #require(client.protection.oneRTT).state.sealedInPhase <= limit / 2)
            }
            let sealed = tapes.client.sealed[first...]
            #expect(sealed.count { $0.key == sealed.first?.key } == 3 && sealed.count > 5)
            #expect(client.keyUpdates == round && client.protection.oneRTT?.state.writeSecret != old)
            #expect(client.loss.largestAcknowledged(.application) ?? 0 > start + 3)
            pair.run(for: .seconds(1))
        }
        #expect(client.closed == nil)
    }

    // MARK: Packets that do not open

    /// The packet with its tag damaged.
    private func damaged(_ packet: [UInt8]) -> [UInt8] { packet.dropLast() + [packet.last! ^ 1] }

    // Holds: 9001-6.6-5
    @Test("Packets that fail to authenticate count at every level (RFC 9001 section 6.6)")
    func failuresAtEveryLevel() throws {
        let pair = EndpointPair()
        let ticket = try pair.ticket()
        let (client, server) = try pair.inMidHandshake {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let levels: [(EncryptionLevel, Connection, Connection)] = [
            (.initial, client, server), (.initial, server, client), (.earlyData, client, server),
            (.handshake, client, server), (.handshake, server, client),
        ]
        for (level, sender, receiver) in levels {
            let packet = sender.forge(level, Frame.ping.bytes, paddedTo: 1200, now: pair.now)
            for _ in 0..<3 { #expect(pair.counts(damaged(packet), at: receiver) == .oneFailed) }
        }
        #expect(client.protection.failedToOpen == 6 && server.protection.failedToOpen == 9)
        // And the count goes on when these levels have gone.
        pair.intercept = { [$0] }
        pair.run(for: .seconds(3))
        #expect(client.isConfirmed && client.protection.handshake.read == nil)
        for (sender, receiver) in [(client, server), (server, client)] {
            let packet = sender.forge(.oneRTT, Frame.ping.bytes, now: pair.now)
            #expect(pair.counts(damaged(packet), at: receiver) == .oneFailed)
        }
        #expect(client.protection.failedToOpen == 7 && server.protection.failedToOpen == 10)
    }

    // Holds: 9001-6.6-5
    @Test("They count across key updates, and in an image of the connection (RFC 9001 section 6.6)")
    func failuresAcrossKeys() throws {
        let (pair, client, original) = try confirmed()
        var server = original
        for round in 1...5 as ClosedRange<UInt64> {
            let packet = client.forge(.oneRTT, Frame.ping.bytes, now: pair.now)
            #expect(pair.counts(damaged(packet), at: server) == .oneFailed)
            client.updateKeys()
            client.ping()
            pair.run(for: .seconds(1))
            try pair.server.rewrite(server.handle, now: pair.now)
            server = try #require(pair.server.connection(server.handle))
            #expect(server.protection.failedToOpen == round && server.keyUpdates == round)
        }
    }

    // Holds: 9001-6.6-5
    @Test("They count across a change of version (RFC 9001 section 6.6)")
    func failuresAcrossVersions() throws {
        let pair = EndpointPair()
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        let (own, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        var writer = [0xc0, 0, 0, 0, 1, UInt8(own.length)] + own.bytes
        writer +=
            [UInt8(original.length)] + original.bytes + [0, 0x40, 60] + [UInt8](repeating: 0x5a, count: 60)
        #expect(pair.counts(writer, at: client) == .oneFailed)
        pair.arrive(OpenPacket.versionNegotiation(to: own, from: original, [.v2]), atServer: false)
        #expect(client.version == .v2 && client.protection.failedToOpen == 1)
    }

    // Holds: 9001-6.6-5, 9001-6.6-6
    @Test(
        "The limit is the connection's, and closes it in its handshake too (RFC 9001 section 6.6)",
        arguments: [EncryptionLevel.initial, .handshake])
    func limitInHandshake(level: EncryptionLevel) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.inMidHandshake()
        server.protection.failedToOpen = CipherSuite.aes128GCM.integrityLimit - 1
        let good = client.forge(level, Frame.ping.bytes, paddedTo: 1200, now: pair.now)
        pair.arrive(damaged(good), atServer: true)
        #expect(server.ownError == .aeadLimitReached)
        #expect(pair.counts(good, at: server) == PacketCounts(opened: 0, dropped: 0, failed: 0))
    }
}
