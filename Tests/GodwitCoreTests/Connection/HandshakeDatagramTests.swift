import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Datagrams of the handshake")
struct HandshakeDatagramTests {
    private func hasInitial(_ datagram: [UInt8]) -> Bool {
        VisiblePacket.all(in: datagram).contains { $0.type == .initial }
    }

    // Holds: 9000-5.1-3, 9000-7.2-1, 9000-8.1-3, 9000-12.2-2, 9000-14.1-1, 9000-14.1-2, 9000-17.2.2-1
    // Holds: 9001-9.3-1
    @Test(
        "Datagrams with Initial packets are full, and their packets share their ids (RFC 9000 sections 12.2 and 14.1)",
        arguments: 0..<8)
    func initialDatagrams(loss: Int) throws {
        let pair = EndpointPair(seed: UInt8(loss))
        let tapes = pair.watch()
        var count = 0
        pair.intercept = { flight in
            count += 1
            return loss > 0 && (count + loss) % 3 == 0 ? [] : [flight]
        }
        let (client, _) = try pair.establish()
        #expect(client.isConfirmed)
        for datagram in pair.datagrams(toServer: true) where hasInitial(datagram) {
            #expect(datagram.count >= 1200)
        }
        // What a server sends in Initial packets unpadded asks for no answer.
        let eliciting = tapes.client.opened(at: .initial, with: FrameType.crypto)
        #expect(!eliciting.isEmpty)
        let fromServer = pair.datagrams(toServer: false).filter(hasInitial)
        #expect(fromServer.filter { $0.count >= 1200 }.count >= eliciting.count)
        for flight in pair.log {
            let packets = VisiblePacket.all(in: flight.bytes)
            #expect(Set(packets.map(\.destination)).count == 1)
            #expect(Set(packets.compactMap(\.source)).count <= 1)
            #expect(packets.allSatisfy { !$0.destination.bytes.isEmpty && $0.source?.bytes.isEmpty != true })
        }
        let first = try #require(
            pair.datagrams(toServer: true).first.map { VisiblePacket.all(in: $0) }?.first)
        #expect(first.destination.length >= 8)
        #expect(fromServer.flatMap { VisiblePacket.all(in: $0) }.allSatisfy { $0.token.isEmpty })
    }

    // Holds: 9000-14.1-3, 9000-14-4
    @Test(
        "A server drops Initial packets in small datagrams, also those of a connection (RFC 9000 section 14.1)"
    )
    func smallInitial() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        let tiny = client.forge(.initial, Frame.ping.bytes, paddedTo: 1199, now: pair.now)
        pair.arrive(tiny, atServer: true)
        #expect(pair.server.connectionCount == 0)
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        let before = server.statistics.packetsReceived
        pair.arrive(client.forge(.initial, Frame.ping.bytes, paddedTo: 1199, now: pair.now), atServer: true)
        #expect(server.statistics.packetsReceived == before && server.closed == nil)
        pair.arrive(client.forge(.initial, Frame.ping.bytes, paddedTo: 1200, now: pair.now), atServer: true)
        #expect(server.statistics.packetsReceived == before + 1)
        // Sizes that fit nothing do no harm later either.
        pair.run(for: .seconds(1)) { server.isConfirmed && client.isConfirmed }
        for size in [0, 1, 20, 21, 40, 1400, 9000] {
            pair.arrive(
                [0x40] + client.paths.active.remoteID!.bytes + [UInt8](repeating: 7, count: size),
                atServer: true)
            pair.arrive(
                [0x40] + server.paths.active.remoteID!.bytes + [UInt8](repeating: 7, count: size),
                atServer: false)
        }
        #expect(server.closed == nil && client.closed == nil)
    }

    // Holds: 9000-8.1-5, 9002-6.2.2.1-4, 9002-6.2.4-2
    @Test(
        "A client that hears nothing probes by full Initial datagrams (RFC 9002 section 6.2.2.1)"
    )
    func clientProbes() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        pair.intercept = { $0.toServer ? [$0] : [] }
        try pair.connect()
        pair.run(for: .seconds(4))
        let probes = pair.datagrams(toServer: true).dropFirst(2)
        #expect(probes.count >= 2)
        #expect(probes.allSatisfy { hasInitial($0) && $0.count >= 1200 })
        #expect(tapes.server.opened.allSatisfy { $0.frameTypes.contains { FrameType.isAckEliciting($0) } })
    }

    // Holds: 9000-8.1-5, 9002-6.2.4-2
    @Test("With Handshake keys, a client's probes are Handshake packets (RFC 9000 section 8.1)")
    func clientProbesByHandshake() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        pair.intercept = { $0.toServer ? [] : [$0] }
        pair.run(for: .milliseconds(30))
        #expect(client.lifecycle == .established)
        pair.log = []
        pair.intercept = { _ in [] }
        let tapes = pair.watch()
        pair.run(for: .seconds(4))
        let probes = pair.datagrams(toServer: true)
        #expect(probes.contains { VisiblePacket.all(in: $0).contains { $0.type == .handshake } })
        #expect(!probes.contains(where: hasInitial))
        // Whatever they say once they arrive, it asks for an answer.
        let server = try #require(pair.serverConnection)
        probes.forEach { pair.arrive($0, atServer: true) }
        #expect(server.isConfirmed)
        #expect(tapes.server.opened.allSatisfy { $0.frameTypes.contains { FrameType.isAckEliciting($0) } })
    }

    // Holds: 9000-8.1-5
    @Test("A client with everything acknowledged still probes by a Handshake packet (RFC 9000 section 8.1)")
    func probeAgainstDeadlock() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        // Of the server's flight the Handshake packets never come.
        pair.intercept = { flight in
            guard !flight.toServer else { return [flight] }
            var flight = flight
            let initial = flight.bytes.withUnsafeBytes { bytes in
                if case .long(let header)? = PacketHeader.decode(bytes, connectionIDLength: 13),
                    header.type == .initial
                {
                    header.packetEnd
                } else {
                    0
                }
            }
            flight.bytes = Array(flight.bytes[..<initial])
            return initial > 0 ? [flight] : []
        }
        let client = try pair.connect()
        pair.run(for: .seconds(3))
        #expect(client.protection.canWrite(at: .handshake) && client.lifecycle == .handshaking)
        let probes = tapes.server.opened.filter { $0.level == .handshake }
        #expect(!probes.isEmpty && probes.allSatisfy { $0.frameTypes.contains(FrameType.ping) })
    }
}
