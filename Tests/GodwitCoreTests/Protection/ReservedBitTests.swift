import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The reserved bits of headers")
struct ReservedBitTests {
    /// A packet of PING and PADDING with the reserved bits set.
    private func packet(of sender: Connection, _ level: EncryptionLevel, now: Instant) throws -> [UInt8] {
        var forgery = Forgery(level: level)
        forgery.setsReservedBits = true
        var buffer = [UInt8](repeating: 0, count: 1200)
        let payload = [1] + [UInt8](repeating: 0, count: 1200)
        let count = payload.withUnsafeBytes { payload in
            buffer.withUnsafeMutableBytes { sender.forge(forgery, payload: payload, into: $0, now: now) }
        }
        return Array(buffer[..<(try #require(count))])
    }

    private func expectViolation(
        _ level: EncryptionLevel, from sender: Connection, to receiver: Connection, _ pair: EndpointPair
    ) throws {
        let packet = try packet(of: sender, level, now: pair.now)
        // Before it is known to be genuine it is only something to drop: anyone could have changed the bits.
        var damaged = packet
        damaged[damaged.count - 1] ^= 1
        #expect(pair.counts(damaged, at: receiver) == .oneFailed)
        #expect(receiver.closed == nil)
        pair.arrive(packet, atServer: receiver.role == .server)
        #expect(receiver.ownError == .protocolViolation)
    }

    // Holds: 9000-17.2-7
    @Test(
        "Set in a genuine Initial or Handshake packet they are a PROTOCOL_VIOLATION (RFC 9000 section 17.2)",
        arguments: [EncryptionLevel.initial, .handshake], [Role.client, .server])
    func handshakePackets(level: EncryptionLevel, sender: Role) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.inMidHandshake()
        let (from, to) = sender == .client ? (client, server) : (server, client)
        try expectViolation(level, from: from, to: to, pair)
    }

    // Holds: 9000-17.2-7
    @Test("Set in a genuine 0-RTT packet they are a PROTOCOL_VIOLATION (RFC 9000 section 17.2)")
    func earlyData() throws {
        let pair = EndpointPair()
        let ticket = try pair.ticket()
        let (client, server) = try pair.inMidHandshake {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        try expectViolation(.earlyData, from: client, to: server, pair)
    }

    // Holds: 9000-17.3.1-3
    @Test(
        "Set in a genuine 1-RTT packet they are a PROTOCOL_VIOLATION (RFC 9000 section 17.3.1)",
        arguments: [Role.client, .server])
    func oneRTT(sender: Role) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let (from, to) = sender == .client ? (client, server) : (server, client)
        try expectViolation(.oneRTT, from: from, to: to, pair)
    }
}

extension EndpointPair {
    /// A ticket of a connection that has come about and is closed again.
    func ticket() throws -> ResumptionTicket {
        let (first, _) = try establish()
        run(for: .milliseconds(500))
        let tickets = events(of: first.handle, in: clientEvents).compactMap {
            if case .resumptionTicket(let ticket) = $0 { ticket } else { nil }
        }
        first.close(code: 0, reason: "", now: now)
        run(for: .seconds(5))
        (log, accepted) = ([], [])
        return tickets.first!
    }
}
