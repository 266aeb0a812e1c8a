import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Control frames that are lost")
struct LostControlFrameTests {
    let id = StreamID(rawValue: 2)
    let limits = StreamLimits(
        initialMaxData: 1000, initialMaxStreamDataUnidirectional: 1000, maximumConnectionWindow: 1000,
        maxStreamsUnidirectional: 2)

    @Test("Credit is told again as it is now, and only if the last word was lost (RFC 9000 section 13.3)")
    func creditIsTakenFromNow() throws {
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(1000))
        try server.read(id, count: 500)
        let first = try #require(server.packet())
        #expect(first.frames == ["MAX_DATA 1500", "MAX_STREAM_DATA 2 1500"])
        try server.read(id, count: 100)
        server.lose(first)
        let second = try #require(server.packet())
        #expect(second.frames == ["MAX_DATA 1600", "MAX_STREAM_DATA 2 1600"])
        server.lose(first)
        #expect(!server.hasControlFramesToSend)
        server.lose(second)
        #expect(try #require(server.packet()).frames == second.frames)
    }

    @Test("Credit for a stream that has ended is not told again (RFC 9000 section 13.3)")
    func creditOfEndedStream() throws {
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(600))
        try server.read(id)
        let packet = try #require(server.packet())
        try server.receiveStream(id, 600, [1], fin: true)
        server.lose(packet)
        #expect(try #require(server.packet()).frames == ["MAX_DATA 1600"])
        try server.read(id)
        server.lose(packet)
        #expect(!server.frames().contains { $0.hasPrefix("MAX_STREAM_DATA") })
    }

    @Test("Credit that waits to be told is withdrawn when the size becomes known (RFC 9000 section 3.2)")
    func waitingCreditIsWithdrawn() throws {
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(600))
        try server.read(id)
        try server.receiveStream(id, 600, [1], fin: true)
        #expect(try #require(server.packet()).frames == ["MAX_DATA 1600"])
    }

    @Test("The number of streams is told again as it is now (RFC 9000 section 13.3)")
    func streamCount() throws {
        let server = StreamsEnd(role: .server, limits: limits)
        func end(_ index: UInt64, _ server: StreamsEnd) throws {
            let id = StreamID(index: index, direction: .unidirectional, initiator: .client)
            try server.receiveStream(id, 0, [], fin: true)
            try server.read(id)
        }
        try end(0, server)
        let first = try #require(server.packet())
        #expect(first.frames == ["MAX_STREAMS unidirectional 3"])
        try end(1, server)
        let second = try #require(server.packet())
        server.lose(first)
        #expect(!server.hasControlFramesToSend)
        server.lose(second)
        #expect(try #require(server.packet()).frames == ["MAX_STREAMS unidirectional 4"])
    }

    private func blocked(_ packets: [TestPacket]) -> [String] {
        packets.flatMap { $0.frames }.filter { $0.contains("BLOCKED") }
    }

    @Test("Blocked signals are told again only while they are true (RFC 9000 section 13.3)")
    func blockedSignals() throws {
        let peers = StreamPeers(
            server: StreamLimits(initialMaxData: 100, initialMaxStreamDataUnidirectional: 50))
        let first = try #require(peers.client.open(.unidirectional))
        let second = try #require(peers.client.open(.unidirectional))
        let third = try #require(peers.client.open(.unidirectional))
        for id in [first, second, third] { try peers.client.write(id, pattern(200)) }
        let packets = peers.client.packets()
        let signals = [
            "DATA_BLOCKED 100", "STREAM_DATA_BLOCKED 2 50", "STREAM_DATA_BLOCKED 6 50",
        ]
        #expect(blocked(packets) == signals)
        for packet in packets { peers.client.lose(packet) }
        #expect(blocked(peers.client.packets()) == signals)
        try peers.client.streams.receiveMaxData(1000)
        try peers.client.streams.receiveMaxStreamData(first, 60)
        try peers.client.streams.receiveMaxStreamData(second, 1000)
        _ = peers.client.packets()
        for packet in packets { peers.client.lose(packet) }
        #expect(blocked(peers.client.packets()).isEmpty)
    }

    @Test("Wanting more streams is told again while it is true (RFC 9000 section 13.3)")
    func streamsBlocked() throws {
        let peers = StreamPeers(server: StreamLimits(maxStreamsBidirectional: 0))
        #expect(peers.client.open(.bidirectional) == nil)
        let packet = try #require(peers.client.packet())
        peers.client.lose(packet)
        #expect(try #require(peers.client.packet()).frames == ["STREAMS_BLOCKED bidirectional 0"])
        try peers.client.streams.receiveMaxStreams(.bidirectional, 1)
        peers.client.lose(packet)
        #expect(!peers.client.hasControlFramesToSend)
    }

    @Test("Records of streams that are gone, or of no stream, are ignored (RFC 9000 section 13.3)")
    func foreignRecords() {
        let server = StreamsEnd(role: .server, limits: limits)
        let records: SentFrameList = [
            .stream(id, offset: 0, length: 10, fin: true), .resetStream(id), .stopSending(id),
            .maxStreamData(id, 10), .streamDataBlocked(id, 10), .ack(largest: 5), .newToken, .handshakeDone,
            .crypto(offset: 0, length: 10), .datagram(4), .newConnectionID(sequenceNumber: 1),
        ]
        for record in records {
            server.streams.onAcked(record)
            server.streams.onLost(record)
        }
        #expect(!server.hasControlFramesToSend && !server.hasStreamDataToSend)
    }
}
