import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What packets may carry")
struct FrameLegalityTests {
    // Holds: 9000-12.4-2
    @Test("A packet without frames is a violation (RFC 9000 section 12.4)", arguments: [true, false])
    func emptyPacket(toServer: Bool) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        let (sender, receiver) = toServer ? (client, server) : (server, client)
        pair.arrive(sender.forge(.oneRTT, [], now: pair.now), atServer: toServer)
        #expect(receiver.ownError == .protocolViolation)
    }

    // Holds: 9000-19.7-4
    @Test("A server that gets a NEW_TOKEN frame closes (RFC 9000 section 19.7)")
    func tokenFromClient() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.arrive(client.forge(.oneRTT, Frame.newTokenBytes([1, 2, 3]), now: pair.now), atServer: true)
        #expect(server.ownError == .protocolViolation)
    }

    // Holds: 9000-5.2-1, 9000-13.1-1
    @Test(
        "An error within an Initial packet closes the connection (RFC 9000 section 5.2)"
    )
    func errorWithinInitial() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        let payload = Frame.ping.bytes + Frame.handshakeDone.bytes
        let number = client.packetNumbers.initial.next
        pair.arrive(client.forge(.initial, payload, paddedTo: 1200, now: pair.now), atServer: true)
        #expect(server.ownError == .protocolViolation)
        #expect(server.received.initial.largest.map { $0 < number } ?? true)
    }

    // Holds: 9000-12.2-1, 9000-12.2-3, 9000-12.2-4
    @Test("Each packet of a datagram is handled, whatever became of those before it (RFC 9000 section 12.2)")
    func coalescedPackets() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        pair.intercept = { _ in [] }
        let tapes = pair.watch()
        var damaged = client.forge(.initial, Frame.ping.bytes, paddedTo: 400, now: pair.now)
        damaged[damaged.count - 1] ^= 1
        let numbers = client.packetNumbers.initial.next
        let second = client.forge(.initial, Frame.ping.bytes, paddedTo: 400, now: pair.now)
        let third = client.forge(.initial, Frame.ping.bytes, paddedTo: 400, now: pair.now)
        pair.arrive(damaged + second + third, atServer: true)
        #expect(tapes.server.opened.map(\.number) == [numbers, numbers + 1])
        #expect(server.received.initial.largest == numbers + 1 && server.closed == nil)
    }

    // Holds: 9000-12.3-5
    @Test("A duplicate is opened before it is known as one (RFC 9000 section 12.3)")
    func duplicates() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let packet = client.forge(.oneRTT, Frame.ping.bytes + [0, 0, 0], now: pair.now)
        pair.arrive(packet, atServer: true)
        let (opened, failed) = (server.statistics.packetsReceived, server.protection.failedToOpen)
        pair.arrive(packet, atServer: true)
        #expect(server.statistics.packetsReceived == opened)
        // The same number again, but not genuine: only opening it tells.
        var forged = packet
        forged[forged.count - 1] ^= 1
        pair.arrive(forged, atServer: true)
        #expect(server.protection.failedToOpen == failed + 1)
        #expect(server.closed == nil)
    }

    // Holds: 9000-13.3-3
    @Test("Limits that are outdated do no harm (RFC 9000 section 13.3)")
    func outdatedLimits() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        let id = try #require(server.openStream(.unidirectional))
        _ = try server.write([1], to: id)
        let frames: [Frame] = [
            .maxData(1), .maxStreams(.bidirectional, maximum: 0), .maxStreamData(id, maximum: 0),
            .dataBlocked(limit: 0), .streamsBlocked(.bidirectional, limit: 0),
        ]
        for frame in frames { pair.arrive(client.forge(.oneRTT, frame.bytes, now: pair.now), atServer: true) }
        _ = try server.write([2], to: id, fin: true)
        pair.run(for: .milliseconds(200))
        #expect(try client.readAll(from: id, now: pair.now).bytes == [1, 2])
    }

    // Holds: 9000-12.3-1, 9000-12.3-2, 9000-12.4-1, 9000-12.5-2, 9000-13.2.6-1, 9000-13.2.6-2
    // Holds: 9000-17.2.3-3, 9000-19.7-3
    @Test("Frames keep to their number spaces, numbers rise, and no packet is empty (RFC 9000 section 12)")
    func whatIsSent() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        let tapes = pair.watch()
        var dropped = 0
        pair.intercept = { flight in
            dropped += 1
            return dropped % 4 == 0 ? [] : [flight]
        }
        let (client, server) = try pair.establish()
        for end in [client, server] {
            let id = try #require(end.openStream(.unidirectional))
            _ = try end.write([UInt8](repeating: 7, count: 20_000), to: id, fin: true)
        }
        pair.run(for: .seconds(3))
        let early: Set<UInt64> = [
            FrameType.ping, FrameType.ack, FrameType.ackECN, FrameType.crypto,
            FrameType.connectionCloseTransport,
        ]
        for tape in [tapes.client, tapes.server] {
            #expect(tape.opened.allSatisfy { !$0.payload.isEmpty })
            for level in [EncryptionLevel.initial, .handshake] {
                #expect(tape.frameTypes(at: level).allSatisfy { early.contains($0) })
            }
            for space in PacketNumberSpace.allCases {
                let numbers = tape.sealed.filter { $0.level.space == space }.map(\.number)
                let rise = zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }
                #expect(rise && !numbers.isEmpty)
            }
        }
        #expect(!tapes.server.frameTypes(at: .oneRTT).contains(FrameType.newToken))
        try expectAcknowledgementsOfOwnSpace(sender: tapes.client, receiver: tapes.server)
        try expectAcknowledgementsOfOwnSpace(sender: tapes.server, receiver: tapes.client)
    }

    /// What `receiver` got acknowledged at a level are numbers that it sent in that space.
    private func expectAcknowledgementsOfOwnSpace(sender: PacketTape, receiver: PacketTape) throws {
        var acknowledged = 0
        for packet in receiver.opened {
            let sent = Set(receiver.sealed.filter { $0.level.space == packet.level.space }.map(\.number))
            packet.visitFrames { frame in
                guard case .ack(let ack) = frame else { return }
                acknowledged += 1
                #expect(sent.contains(ack.largestAcknowledged))
            }
        }
        #expect(acknowledged > 0)
    }

    // Holds: 9000-13.2.1-5
    @Test(
        "Packets that only acknowledge ask for an answer now and then, not each time (RFC 9000 section 13.2.1)"
    )
    func acknowledgementsAreNotAnswered() throws {
        let pair = EndpointPair()
        let (_, server) = try pair.establish()
        pair.run(for: .seconds(1))
        let tapes = pair.watch()
        let id = try #require(server.openStream(.unidirectional))
        _ = try server.write([UInt8](repeating: 7, count: 60_000), to: id, fin: true)
        pair.run(for: .milliseconds(200))
        let packets = tapes.server.opened.map(\.frameTypes)
        let bare = packets.filter { $0.allSatisfy { $0 == FrameType.ack || $0 == FrameType.ackECN } }
        #expect(packets.count >= 5 && bare.count > packets.count / 2)
    }

    // Holds: 9000-19.21-1
    @Test("DATAGRAM frames are for peers that said they know them (RFC 9000 section 19.21)")
    func unknownExtension() throws {
        var transport = TransportConfiguration()
        transport.maxDatagramFrameSize = 1200
        let pair = EndpointPair(client: transport)
        let (client, server) = try pair.establish()
        let tapes = pair.watch()
        #expect(client.maxDatagramSize == nil)
        #expect(throws: DatagramError.unsupportedByPeer) {
            try [UInt8]([1]).withUnsafeBytes { try client.sendDatagram($0) }
        }
        try [UInt8]([2]).withUnsafeBytes { try server.sendDatagram($0) }
        pair.run(for: .milliseconds(100))
        #expect(client.readDatagram() == [2])
        #expect(
            !tapes.server.frameTypes(at: .oneRTT).contains {
                $0 == FrameType.datagram || $0 == FrameType.datagram + 1
            })
    }

    // Holds: 9000-19.21-2, 9000-19.21-3
    @Test("DATAGRAM frames count in flight and are acknowledged like any others (RFC 9000 section 19.21)")
    func extensionFrames() throws {
        var transport = TransportConfiguration()
        transport.maxDatagramFrameSize = 1200
        let pair = EndpointPair(client: transport, server: transport)
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        #expect(client.statistics.bytesInFlight == 0)
        try [UInt8](repeating: 1, count: 900).withUnsafeBytes { try client.sendDatagram($0) }
        pair.exchange()
        #expect(client.statistics.bytesInFlight > 900)
        pair.run(for: .milliseconds(100))
        #expect(client.statistics.bytesInFlight == 0 && server.readDatagram()?.count == 900)
        // Beyond the window nothing leaves.
        let window = client.statistics.congestionWindow
        for _ in 0..<100 {
            try? [UInt8](repeating: 1, count: 1100).withUnsafeBytes { try client.sendDatagram($0) }
        }
        pair.intercept = { _ in [] }
        for _ in 0..<50 {
            pair.now = pair.now + .milliseconds(1)
            pair.exchange()
        }
        #expect(client.statistics.bytesInFlight <= window + 1500)
    }
}
