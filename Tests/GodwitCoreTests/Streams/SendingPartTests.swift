import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Sending parts of streams")
struct SendingPartTests {
    @Test("What is written goes out in order, and its end with the last byte (RFC 9000 section 3.1)")
    func sendsInOrder() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        #expect(!peers.client.hasStreamDataToSend)
        try peers.client.write(id, pattern(1500))
        try peers.client.write(id, pattern(500, from: 1500), fin: true)
        let packets = peers.client.packets(size: 1003)
        #expect(
            packets.flatMap(\.frames) == [
                "STREAM 2 0..<1001", "STREAM 2 1001..<2000 FIN",
            ])
        for packet in packets { try peers.server.receive(packet) }
        #expect(try peers.server.read(id) == (pattern(2000), true))
    }

    @Test(
        "The application hears when all was acknowledged, and the stream is gone (RFC 9000 section 3.1)"
    )
    func finishes() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(2000), fin: true)
        let packets = peers.client.packets(size: 700)
        #expect(packets.count == 3)
        peers.client.acknowledge(packets[2])
        peers.client.acknowledge(packets[0])
        #expect(peers.client.events() == [])
        peers.client.acknowledge(packets[1])
        #expect(peers.client.openCount == 1)
        #expect(peers.client.events() == [.finished(id)])
        #expect(peers.client.openCount == 0)
        #expect(streamError { try peers.client.write(id, [1]) } == .unknownStream)
    }

    @Test("A stream may end without a byte, or after its bytes have gone out (RFC 9000 section 19.8)")
    func bareEnd() throws {
        let peers = StreamPeers()
        let empty = try #require(peers.client.open(.unidirectional))
        try peers.client.write(empty, [], fin: true)
        #expect(peers.client.packet()?.frames == ["STREAM 2 0..<0 FIN"])
        let late = try #require(peers.client.open(.unidirectional))
        try peers.client.write(late, [1, 2, 3])
        #expect(peers.client.packet()?.frames == ["STREAM 6 0..<3"])
        try peers.client.write(late, [], fin: true)
        #expect(peers.client.packet()?.frames == ["STREAM 6 3..<3 FIN"])
    }

    // Holds: 9000-4.5-2
    @Test("Nothing can be written behind the end (RFC 9000 section 3.1)")
    func nothingBehindTheEnd() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, [1], fin: true)
        #expect(streamError { try peers.client.write(id, [2]) } == .sendingEnded)
        #expect(streamError { try peers.client.write(id, [], fin: true) } == .sendingEnded)
    }

    @Test("Lost data goes out again before new data, and only what is missing (RFC 9000 section 13.3)")
    func retransmits() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(4000), fin: true)
        let first = try #require(peers.client.packet(size: 1000))
        let second = try #require(peers.client.packet(size: 1000))
        #expect(second.frames == ["STREAM 2 998..<1994"])
        peers.client.lose(first)
        #expect(try #require(peers.client.packet(size: 603)).frames == ["STREAM 2 0..<601"])
        #expect(
            peers.client.frames(size: 1000) == [
                "STREAM 2 601..<998", "STREAM 2 1994..<2587", "STREAM 2 2587..<3583",
                "STREAM 2 3583..<4000 FIN",
            ])
    }

    @Test("Data that arrived after all is not sent again (RFC 9000 section 13.3)")
    func lateAcknowledgement() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(3000))
        let packets = peers.client.packets(size: 1000)
        peers.client.lose(packets[0])
        peers.client.lose(packets[1])
        peers.client.acknowledge(packets[1])
        #expect(peers.client.frames(size: 1200) == ["STREAM 2 0..<998"])
        peers.client.lose(packets[0])
        peers.client.acknowledge(packets[0])
        #expect(!peers.client.hasStreamDataToSend)
        peers.client.lose(packets[0])
        #expect(!peers.client.hasStreamDataToSend)
    }

    @Test("A lost end is told again, even alone (RFC 9000 section 13.3)")
    func lostEnd() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(10))
        let data = try #require(peers.client.packet())
        try peers.client.write(id, [], fin: true)
        let end = try #require(peers.client.packet())
        peers.client.lose(end)
        let again = try #require(peers.client.packet())
        #expect(again.frames == ["STREAM 2 10..<10 FIN"])
        peers.client.lose(data)
        peers.client.lose(again)
        let both = try #require(peers.client.packet())
        #expect(both.frames == ["STREAM 2 0..<10 FIN"])
        peers.client.acknowledge(both)
        #expect(peers.client.events() == [.finished(id)])
    }

    // Holds: 9000-4.5-2, 9000-13.3-1
    @Test("A reset tells how much was sent, and sends no more of it (RFC 9000 sections 3.1 and 19.4)")
    func resets() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(5000))
        let data = try #require(peers.client.packet(size: 1002))
        try peers.client.reset(id, code: 77)
        #expect(!peers.client.hasStreamDataToSend)
        let reset = try #require(peers.client.packet())
        #expect(reset.frames == ["RESET_STREAM 2 code 77 size 1000"])
        peers.client.lose(data)
        #expect(!peers.client.hasStreamDataToSend && !peers.client.hasControlFramesToSend)
        peers.client.lose(reset)
        #expect(try #require(peers.client.packet()).frames == reset.frames)
        #expect(streamError { try peers.client.write(id, [1]) } == .sendingReset)
        peers.client.acknowledge(reset)
        #expect(peers.client.openCount == 0)
        #expect(peers.client.events() == [])
    }

    // Holds: 9000-3.3-2, 9000-4.5-2, 9000-13.3-1
    @Test("Behind a reset come neither data nor blocked signals (RFC 9000 sections 3.3 and 13.3)")
    func silentAfterReset() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxStreamDataUnidirectional: 1000))
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(3000))
        let packets = peers.client.packets()
        #expect(packets.flatMap(\.frames) == ["STREAM 2 0..<1000", "STREAM_DATA_BLOCKED 2 1000"])
        try peers.client.reset(id, code: 7)
        let reset = try #require(peers.client.packet())
        #expect(reset.frames == ["RESET_STREAM 2 code 7 size 1000"])
        for packet in packets { peers.client.lose(packet) }
        peers.client.streams.repeatBlockedSignals()
        #expect(peers.client.frames() == [])
        try peers.client.streams.receiveMaxStreamData(id, 2000)
        #expect(peers.client.frames() == [])
        // Sent again it is what it was, whatever happened since.
        try? peers.client.reset(id, code: 8)
        try peers.client.receiveStopSending(id, code: 9)
        peers.client.lose(reset)
        #expect(peers.client.frames() == reset.frames)
    }

    // Holds: 9000-3.3-1
    @Test(
        "Once all is acknowledged nothing more goes out for a stream (RFC 9000 section 3.3)",
        arguments: [false, true])
    func silentAfterDelivery(isReset: Bool) throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxStreamDataBidirectionalRemote: 100))
        // Bidirectional, so that the stream is not forgotten yet.
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, pattern(isReset ? 200 : 100), fin: true)
        var packets = peers.client.packets()
        if isReset {
            try peers.client.reset(id, code: 3)
            packets += peers.client.packets()
        }
        for packet in packets { peers.client.acknowledge(packet) }
        #expect(peers.client.openCount == 1)
        for packet in packets { peers.client.lose(packet) }
        try peers.client.receiveStopSending(id, code: 9)
        try peers.client.streams.receiveMaxStreamData(id, 1000)
        try? peers.client.reset(id, code: 4)
        peers.client.streams.repeatBlockedSignals()
        #expect(peers.client.frames() == [])
    }

    @Test("A reset may be the first that the peer hears of a stream (RFC 9000 section 3.1)")
    func resetsUnusedStream() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.reset(id, code: 5)
        try peers.settle()
        #expect(peers.server.events() == [.opened(id), .resetByPeer(id, code: 5)])
        #expect(streamError { try peers.server.read(id) } == .resetByPeer(code: 5))
    }

    @Test("A reset after everything was delivered does nothing (RFC 9000 section 3.1)")
    func resetsTooLate() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, [1], fin: true)
        try peers.settle()
        try peers.client.reset(id, code: 5)
        #expect(!peers.client.hasControlFramesToSend)
        #expect(peers.client.openCount == 0)
    }

    @Test("A frame that ends the packet has no length, others have one (RFC 9000 section 19.8)")
    func lengthOnlyWhereNeeded() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(3000))
        let filled = try #require(peers.client.packet(size: 1000))
        #expect(filled.bytes.count == 1000 && filled.bytes[0] == 0x08)
        for size in 1...6 {
            let packet = peers.client.packet(size: size)
            #expect(packet == nil || packet!.bytes.count <= size)
        }
        var rest: [TestPacket] = []
        while let packet = peers.client.packet(size: 1000) { rest.append(packet) }
        #expect(rest.last?.bytes[0] == 0x0e)
        try peers.server.receive(filled)
        #expect(peers.server.readableBytes(id) == 998)
    }

    @Test("Every size of packet takes what fits (RFC 9000 section 19.8)", arguments: 1...80)
    func fitsAnySpace(size: Int) throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, pattern(70), fin: true)
        var arrived = 0
        for _ in 0..<80 {
            guard let packet = peers.client.packet(size: size) else { break }
            #expect(packet.bytes.count <= size)
            try peers.server.receive(packet)
            arrived = peers.server.readableBytes(id)
        }
        #expect(arrived == (size < 5 ? arrived : 70))
    }

    @Test("A full buffer pushes back, and room is told when it is worth it (RFC 9000 section 2.4)")
    func backPressure() throws {
        let peers = StreamPeers(client: StreamLimits(sendBufferLimit: 10_000, unsentLimit: 4_000))
        let id = try #require(peers.client.open(.unidirectional))
        #expect(try peers.client.write(id, pattern(5000), fin: true) == 4000)
        #expect(try peers.client.write(id, pattern(1)) == 0)
        let first = try #require(peers.client.packet(size: 1002))
        #expect(peers.client.events() == [], "a quarter of the buffer is not worth waking up for")
        let second = try #require(peers.client.packet(size: 1004))
        #expect(peers.client.events() == [.writable(id)])
        #expect(peers.client.writableBytes(id) == 2000)
        #expect(try peers.client.write(id, pattern(1000, from: 4000), fin: true) == 1000)
        #expect(peers.client.events() == [])
        for packet in [first, second] + peers.client.packets() { try peers.server.receive(packet) }
        #expect(try peers.server.read(id) == (pattern(5000), true))
    }

    @Test("A peer that withholds an acknowledgement bounds what is held for it (RFC 9000 section 21.6)")
    func withheldAcknowledgement() throws {
        let client = StreamsEnd(
            role: .client, limits: StreamLimits(sendBufferLimit: 50_000, unsentLimit: 20_000))
        client.streams.applyPeerLimits(
            PeerStreamLimits(
                initialMaxData: 1 << 40, initialMaxStreamDataUnidirectional: 1 << 40,
                initialMaxStreamsUnidirectional: 1))
        let id = try #require(client.open(.unidirectional))
        var written = 0
        for round in 0..<50 {
            written += try client.write(id, pattern(10_000, from: written))
            for (index, packet) in client.packets().enumerated() where round > 0 || index > 0 {
                client.acknowledge(packet)
            }
        }
        #expect(written == 50_000)
        let slot = try #require(client.table.peekSlot(of: id))
        #expect(client.table.slots[slot].sending.buffer.capacity <= 65_536)
    }
}
