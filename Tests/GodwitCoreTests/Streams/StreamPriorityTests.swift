import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Whose turn it is")
struct StreamPriorityTests {
    /// A client with these streams, each with data for four packets of 1,000 bytes.
    private func client(_ priorities: [StreamPriority]) throws -> StreamsEnd {
        let client = StreamPeers().client
        for priority in priorities {
            let id = try #require(client.open(.unidirectional))
            try client.setPriority(id, priority)
            try client.write(id, pattern(3900))
        }
        return client
    }

    /// The indices of the streams that the next packets begin with.
    private func turns(_ client: StreamsEnd, _ count: Int) -> [UInt64] {
        (0..<count).compactMap { _ in
            guard case .stream(let id, _, _, _)? = client.packet(size: 1000)?.records.first else {
                return nil
            }
            return id.index
        }
    }

    @Test("By default streams share the connection packet by packet (RFC 9000 section 2.3)")
    func sharesByDefault() throws {
        let client = try client([.default, .default, .default])
        #expect(turns(client, 7) == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test("Lower urgency values go first (RFC 9218 section 10)")
    func urgencyFirst() throws {
        let client = try client([.init(urgency: 7), .init(urgency: 0), .init(urgency: 3)])
        #expect(turns(client, 12) == [1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0])
    }

    @Test("Streams that are not incremental go one after the other by id (RFC 9218 section 10)")
    func orderedById() throws {
        let ordered = StreamPriority(urgency: 3, isIncremental: false)
        let client = try client([ordered, ordered, ordered])
        try client.setPriority(StreamID(rawValue: 2), .init(urgency: 3, isIncremental: true))
        try client.setPriority(StreamID(rawValue: 2), ordered)
        #expect(turns(client, 12) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    }

    @Test("Neither kind starves the other (RFC 9218 section 10)")
    func noStarvation() throws {
        let ordered = StreamPriority(urgency: 3, isIncremental: false)
        let client = try client([ordered, .default, ordered, .default])
        #expect(turns(client, 8) == [0, 1, 0, 3, 0, 1, 0, 3])
    }

    @Test("A packet that one stream does not fill goes on with the next (RFC 9000 section 2.3)")
    func fillsPackets() throws {
        let client = StreamPeers().client
        for _ in 0..<3 { try client.write(try #require(client.open(.unidirectional)), pattern(100)) }
        #expect(
            try #require(client.packet()).frames == [
                "STREAM 2 0..<100", "STREAM 6 0..<100", "STREAM 10 0..<100",
            ])
    }

    @Test("Lost data goes first within its level, and waits for more urgent levels (RFC 9000 section 13.3)")
    func retransmissions() throws {
        let client = try client([.init(urgency: 3), .init(urgency: 3)])
        let packets = (0..<2).compactMap { _ in client.packet(size: 1000) }
        client.lose(packets[0])
        client.lose(packets[1])
        #expect(turns(client, 2) == [0, 1])
        let urgent = try #require(client.open(.unidirectional))
        try client.setPriority(urgent, .init(urgency: 0))
        try client.write(urgent, pattern(900))
        client.lose(packets[1])
        #expect(turns(client, 2) == [2, 1])
    }

    @Test("A small request does not wait for all that was lost with a path (RFC 9000 section 2.3)")
    func retransmissionsLeaveRoom() throws {
        let client = try client([.default, .default])
        let packets = (0..<8).compactMap { _ in client.packet(size: 1000) }
        for packet in packets { client.lose(packet) }
        let small = try #require(client.open(.unidirectional))
        try client.write(small, pattern(200))
        #expect(turns(client, 6) == [0, 1, 0, 1, 2, 0])
    }

    @Test("A change of priority takes effect at once (RFC 9218 section 10)")
    func reprioritization() throws {
        let client = try client([.default, .default])
        #expect(turns(client, 2) == [0, 1])
        try client.setPriority(StreamID(rawValue: 6), .init(urgency: 1))
        #expect(turns(client, 3) == [1, 1, 1])
        #expect(StreamPriority(urgency: 200).urgency == 7)
    }

    @Test("Streams without credit do not hold up the others (RFC 9000 section 4.1)")
    func blockedStreamsStandAside() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxStreamDataUnidirectional: 500))
        let first = try #require(peers.client.open(.unidirectional))
        let second = try #require(peers.client.open(.unidirectional))
        try peers.client.setPriority(first, .init(urgency: 0))
        try peers.client.write(first, pattern(900))
        try peers.client.write(second, pattern(400))
        let frames = peers.client.frames()
        #expect(frames.filter { $0.hasPrefix("STREAM ") } == ["STREAM 2 0..<500", "STREAM 6 0..<400"])
    }
}
