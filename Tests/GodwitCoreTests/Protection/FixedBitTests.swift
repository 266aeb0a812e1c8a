import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The fixed bit of packets")
struct FixedBitTests {
    /// Both ends take packets without the bit (RFC 9287 section 3), or neither does.
    private func pair(greases: Bool) -> EndpointPair {
        var transport = TransportConfiguration()
        transport.greasesQUICBit = greases
        return EndpointPair(client: transport, server: transport)
    }

    private func clear(_ header: inout ForgedHeader) { header.fixedBit = false }

    // Holds: 9000-17.3.1-1
    @Test(
        "A 1-RTT packet without it is dropped by who didn't say to take it (RFC 9000 section 17.3.1)",
        arguments: [true, false])
    func shortHeaders(greases: Bool) throws {
        let pair = pair(greases: greases)
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        for (sender, receiver) in [(client, server), (server, client)] {
            let packet = sender.forge(.oneRTT, Frame.ping.bytes, now: pair.now, header: clear)
            #expect(packet[0] & 0x40 == 0)
            #expect(pair.counts(packet, at: receiver) == (greases ? .oneOpened : .oneDropped))
            let good = sender.forge(.oneRTT, Frame.ping.bytes, now: pair.now)
            #expect(pair.counts(good, at: receiver) == .oneOpened)
        }
    }

    // Holds: 9000-17.2-1
    @Test(
        "Handshake packets without it are dropped by who didn't say to take them (RFC 9000 section 17.2)",
        arguments: [true, false])
    func longHeaders(greases: Bool) throws {
        let pair = pair(greases: greases)
        let (client, server) = try pair.inMidHandshake()
        for level in [EncryptionLevel.initial, .handshake] {
            for (sender, receiver) in [(client, server), (server, client)] {
                let packet = sender.forge(
                    level, Frame.ping.bytes, paddedTo: 1200, now: pair.now, header: clear)
                #expect(pair.counts(packet, at: receiver) == (greases ? .oneOpened : .oneDropped))
            }
        }
        #expect(client.closed == nil && server.closed == nil)
    }

    // Holds: 9000-17.2-1
    @Test(
        "A first packet without it begins a connection only where it is taken later (RFC 9000 section 17.2)",
        arguments: [true, false])
    func firstPacket(greases: Bool) throws {
        let pair = pair(greases: greases)
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        let packet = client.forge(.initial, Frame.ping.bytes, paddedTo: 1200, now: pair.now, header: clear)
        #expect(pair.server.answers(to: packet, now: pair.now).isEmpty != greases)
        #expect(pair.server.connectionCount == (greases ? 1 : 0))
        #expect(pair.server.statistics.datagramsDropped == (greases ? 0 : 1))
    }

    // Holds: 9000-17.2-1
    @Test(
        "A Retry without it is dropped by a client that didn't say to take it (RFC 9000 section 17.2)",
        arguments: [true, false])
    func retry(greases: Bool) throws {
        let pair = pair(greases: greases)
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        let (id, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        let other = ConnectionID([9, 8, 7, 6, 5, 4, 3, 2])!
        let packet = OpenPacket.retry(to: id, from: other, token: [1], original: original, fixedBit: false)
        pair.arrive(packet, atServer: false)
        #expect(client.identity.retrySource == (greases ? other : nil))
        #expect(client.statistics.packetsDropped == (greases ? 0 : 1))
    }

    // Holds: 9000-17.2-1
    @Test("Version Negotiation has no such bit, and counts without it (RFC 9000 sections 17.2 and 17.2.1)")
    func versionNegotiation() throws {
        let pair = pair(greases: false)
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        let packet = OpenPacket.versionNegotiation(
            to: client.identity.localHandshakeID, from: client.identity.originalDestination, [.v2])
        #expect(packet[0] & 0x40 == 0)
        pair.arrive(packet, atServer: false)
        #expect(client.version == .v2 && client.identity.hasReactedToVersionNegotiation)
    }

    // Holds: 9000-17.3.1-1
    @Test(
        "A packet of no connection without it draws no reset where it isn't taken (RFC 9000 section 17.3.1)",
        arguments: [true, false])
    func reset(greases: Bool) {
        let pair = pair(greases: greases)
        let later = Instant.zero + .seconds(5)
        let id = pair.server.environment.makeConnectionID(at: later)
        func answers(_ first: UInt8) -> Int {
            pair.server.answers(to: [first] + id.bytes + [UInt8](repeating: 7, count: 60), now: later).count
        }
        #expect(answers(0x40) == 1)
        #expect(answers(0x00) == (greases ? 1 : 0))
    }
}
