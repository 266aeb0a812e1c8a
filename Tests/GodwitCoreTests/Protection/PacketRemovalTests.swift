import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The removal of packet protection")
struct PacketRemovalTests {
    private let least = 4 + CipherSuite.sampleLength

    // Holds: 9001-5.4.2-1
    @Test("A 1-RTT packet too short for a sample is dropped untried (RFC 9001 section 5.4.2)")
    func shortHeaders() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        for end in [client, server] {
            for count in 0...least {
                let packet =
                    [0x40] + end.identity.localHandshakeID.bytes + [UInt8](repeating: 0x5a, count: count)
                #expect(pair.counts(packet, at: end) == (count < least ? .oneDropped : .oneFailed))
            }
            #expect(end.closed == nil)
        }
    }

    // Holds: 9001-5.4.2-1
    @Test(
        "A packet with a long header too short for a sample is dropped untried (RFC 9001 section 5.4.2)",
        arguments: [LongPacketType.initial, .handshake])
    func longHeaders(type: LongPacketType) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.inMidHandshake()
        for (end, peer) in [(client, server), (server, client)] {
            for count in 0...least {
                var packet = [0xc0 | type.bits(in: .v1) << 4, 0, 0, 0, 1]
                for id in [end.identity.localHandshakeID, peer.identity.localHandshakeID] {
                    packet += [UInt8(id.length)] + id.bytes
                }
                if type == .initial { packet.append(0) }
                packet += [UInt8(count)] + [UInt8](repeating: 0x5a, count: count)
                // What follows is for no connection, but makes the datagram large enough for an Initial
                // packet.
                packet += [UInt8](repeating: 0x40, count: 1200 - packet.count)
                #expect(pair.counts(packet, at: end) == (count < least ? .oneDropped : .oneFailed))
            }
            #expect(end.closed == nil)
        }
    }

    // Holds: 9001-5.6-5
    @Test("A client that has heard nothing yet drops a 0-RTT packet (RFC 9001 section 5.6)")
    func earlyDataAtWaitingClient() throws {
        let pair = EndpointPair()
        let ticket = try pair.ticket()
        let client = try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let packet = client.forge(.earlyData, Frame.ping.bytes, paddedTo: 60, now: pair.now) {
            $0.destination = client.identity.localHandshakeID
            $0.source = client.identity.originalDestination
        }
        #expect(pair.counts(packet, at: client) == .oneDropped && client.undecryptable.count == 0)
    }

    // Holds: 9001-5.6-5
    @Test("A client drops a 0-RTT packet, even one under its own keys (RFC 9001 section 5.6)")
    func earlyDataAtClient() throws {
        let pair = EndpointPair()
        let ticket = try pair.ticket()
        let (client, server) = try pair.inMidHandshake {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let tapes = pair.watch()
        let stream = StreamID(rawValue: 1)
        let packet = client.forge(.earlyData, Frame.streamBytes([1], on: stream), now: pair.now) {
            $0.destination = client.identity.localHandshakeID
            $0.source = server.identity.localHandshakeID
            $0.number = 0
        }
        #expect(pair.counts(packet, at: client) == .oneDropped)
        #expect(client.undecryptable.count == 0 && client.closed == nil)
        // Nor does it come up again when there are more keys.
        pair.intercept = { [$0] }
        pair.run(for: .seconds(3))
        #expect(client.isConfirmed && client.streams.openCount == 0)
        #expect(tapes.client.opened.allSatisfy { $0.level != .earlyData })
    }

    /// A genuine packet, and how much of it header protection leaves alone at the end.
    private func packet(_ level: EncryptionLevel, of sender: Connection, now: Instant) throws -> (
        bytes: [UInt8], numberOffset: Int
    ) {
        let bytes = sender.forge(
            level, Frame.ping.bytes, paddedTo: level == .oneRTT ? 60 : 1200, now: now)
        let length = ConnectionIDGenerator.format.length
        let header = bytes.withUnsafeBytes { PacketHeader.decode($0, connectionIDLength: length) }
        switch try #require(header) {
        case .long(let header): return (bytes, header.packetNumberOffset)
        case .short(let header): return (bytes, header.packetNumberOffset)
        default: throw TransportError(.internalError, "no packet with a number")
        }
    }

    /// The packet with one bit changed, for each bit that header protection covers and some that it does not.
    private func variants(_ packet: [UInt8], _ numberOffset: Int) -> [[UInt8]] {
        let isLong = packet[0] & 0x80 != 0
        var changes = (0..<(isLong ? 4 : 5)).map { (0, UInt8(1) << $0) }
        changes += (0..<32).map { (numberOffset + $0 / 8, UInt8(1) << ($0 % 8)) }
        changes += [(numberOffset + 4, 1), (packet.count - 1, 0x80)]
        return changes.map { place, bit in
            var variant = packet
            variant[place] ^= bit
            return variant
        }
    }

    /// Each variant is unmasked, and goes through the AEAD once, whatever its header then says: reserved
    /// bits, key phase, a number that has been received.
    private func expectOneAttempt(
        _ level: EncryptionLevel, _ ends: (Connection, Connection), _ pair: EndpointPair
    )
        throws
    {
        let (sender, receiver) = ends
        let (bytes, numberOffset) = try packet(level, of: sender, now: pair.now)
        #expect(pair.counts(bytes, at: receiver) == .oneOpened)
        for variant in variants(bytes, numberOffset) {
            let before = receiver.packetCounts
            let remains = pair.remains(of: variant, atServer: receiver.role == .server)
            #expect(receiver.packetCounts - before == .oneFailed)
            // The AEAD wipes out what it finds not to be genuine.
            #expect(remains[(numberOffset + 4)...].allSatisfy { $0 == 0 })
        }
        // The genuine one, once more, is known by its number only when it is open.
        let remains = pair.remains(of: bytes, atServer: receiver.role == .server)
        #expect(remains[numberOffset + 4] == 1 && remains[numberOffset + 5] == 0)
        #expect(receiver.closed == nil)
    }

    // Holds: 9001-9.5-1
    @Test(
        "Unmasking, number and decryption are one step: no header ends it early (RFC 9001 section 9.5)",
        arguments: [EncryptionLevel.initial, .handshake, .oneRTT])
    func oneStep(level: EncryptionLevel) throws {
        let pair = EndpointPair()
        let (client, server) = try level == .oneRTT ? pair.establish() : pair.inMidHandshake()
        if level == .oneRTT { pair.run(for: .milliseconds(500)) }
        try expectOneAttempt(level, (server, client), pair)
        try expectOneAttempt(level, (client, server), pair)
    }
}
