import GodwitWire
import Testing

@testable import GodwitCore

@Suite("How many streams there may be")
struct StreamConcurrencyTests {
    // Holds: 9000-4.6-3, 9000-19.11-4
    @Test("A stream above the limit closes the connection (RFC 9000 section 4.6)")
    func limitViolated() throws {
        let limits = StreamLimits(maxStreamsBidirectional: 3, maxStreamsUnidirectional: 1)
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(StreamID(rawValue: 8), 0, [1])
        try server.receiveStream(StreamID(rawValue: 2), 0, [1])
        #expect(errorCode { try server.receiveStream(StreamID(rawValue: 12), 0, [1]) } == .streamLimitError)
        #expect(errorCode { try server.receiveStream(StreamID(rawValue: 6), 0, [1]) } == .streamLimitError)
        let last = StreamID(rawValue: VariableLengthInteger.max & ~3)
        #expect(errorCode { try server.receiveStream(last, 0, [1]) } == .streamLimitError)
        #expect(errorCode { try server.streams.receiveMaxStreamData(last, 1) } == .streamLimitError)
        #expect(errorCode { try server.receiveStopSending(last) } == .streamLimitError)
    }

    // Holds: 9000-4.6-5
    @Test("The peer may open more as its streams end, told in batches (RFC 9000 section 4.6)")
    func limitGrowsAsStreamsEnd() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(maxStreamsUnidirectional: 16))
        for index: UInt64 in 0..<4 {
            let id = StreamID(index: index, direction: .unidirectional, initiator: .client)
            try server.receiveStream(id, 0, [1], fin: true)
            _ = server.events()
            #expect(!server.hasControlFramesToSend, "the application has not read it")
            try server.read(id)
            if index % 2 == 1 {
                #expect(try #require(server.packet()).frames == ["MAX_STREAMS unidirectional \(17 + index)"])
            }
            #expect(!server.hasControlFramesToSend)
        }
    }

    @Test("Streams that never end do not keep the peer from opening others (RFC 9000 section 4.6)")
    func fewStreamsEnd() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(maxStreamsUnidirectional: 100))
        let ids = (0..<100).map { StreamID(index: $0, direction: .unidirectional, initiator: .client) }
        try server.receiveStream(ids[0], 0, [], fin: true)
        try server.read(ids[0])
        for id in ids[1..<87] { try server.receiveStream(id, 0, [1]) }
        _ = server.events()
        #expect(!server.hasControlFramesToSend)
        try server.receiveStream(ids[87], 0, [1])
        #expect(server.frames() == ["MAX_STREAMS unidirectional 101"])
        for id in ids[88..<100] { try server.receiveStream(id, 0, [1]) }
        #expect(!server.hasControlFramesToSend)
        try server.receiveReset(ids[99], finalSize: 1)
        _ = server.events()
        #expect(server.frames() == ["MAX_STREAMS unidirectional 102"])
    }

    @Test("A bidirectional stream ends when both directions have (RFC 9000 section 4.6)")
    func bidirectionalStreamsEnd() throws {
        let peers = StreamPeers(server: StreamLimits(maxStreamsBidirectional: 1))
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, [1], fin: true)
        try peers.settle()
        try peers.server.read(id)
        #expect(!peers.server.hasControlFramesToSend)
        try peers.server.write(id, [2], fin: true)
        try peers.settle()
        _ = peers.server.events()
        #expect(try #require(peers.server.packet()).frames == ["MAX_STREAMS bidirectional 2"])
    }

    // Holds: 9000-4.6-2, 9000-4.6-4, 9000-19.11-2, 9000-19.11-3
    @Test(
        "Who wants more than the peer allows says so once and is told later (RFC 9000 section 4.6)"
    )
    func openRefused() throws {
        let peers = StreamPeers(server: StreamLimits(maxStreamsBidirectional: 2))
        #expect(peers.client.open(.bidirectional) != nil)
        #expect(peers.client.open(.bidirectional) != nil)
        #expect(peers.client.open(.bidirectional) == nil)
        #expect(peers.client.open(.bidirectional) == nil)
        #expect(try #require(peers.client.packet()).frames == ["STREAMS_BLOCKED bidirectional 2"])
        #expect(!peers.client.hasControlFramesToSend)
        try peers.client.streams.receiveMaxStreams(.bidirectional, 2)
        #expect(peers.client.events() == [], "a limit that does not grow is ignored")
        try peers.client.streams.receiveMaxStreams(.bidirectional, 3)
        #expect(peers.client.events() == [.streamsAvailable(.bidirectional)])
        #expect(peers.client.open(.bidirectional)?.rawValue == 8)
        #expect(peers.client.open(.bidirectional) == nil)
        #expect(try #require(peers.client.packet()).frames == ["STREAMS_BLOCKED bidirectional 3"])
    }

    @Test("A peer that says it is blocked gets the streams there are (RFC 9000 section 19.14)")
    func blockedPeerGetsStreams() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(maxStreamsUnidirectional: 100))
        let id = StreamID(rawValue: 2)
        try server.receiveStream(id, 0, [1], fin: true)
        try server.streams.receiveStreamsBlocked(.unidirectional, 100)
        #expect(!server.hasControlFramesToSend)
        try server.read(id)
        _ = server.events()
        #expect(!server.hasControlFramesToSend)
        try server.streams.receiveStreamsBlocked(.unidirectional, 100)
        #expect(try #require(server.packet()).frames == ["MAX_STREAMS unidirectional 101"])
    }

    @Test("Counts above 2^60 are malformed (RFC 9000 sections 19.11 and 19.14)")
    func countsTooLarge() throws {
        let server = StreamsEnd(role: .server)
        try server.streams.receiveMaxStreams(.bidirectional, 1 << 60)
        #expect(
            errorCode { try server.streams.receiveMaxStreams(.bidirectional, 1 << 60 + 1) }
                == .frameEncodingError)
        #expect(
            errorCode { try server.streams.receiveStreamsBlocked(.unidirectional, 1 << 61) }
                == .frameEncodingError)
    }

    @Test(
        "Streams that nobody touched end when the application ends them (RFC 9000 section 4.6)"
    )
    func untouchedStreamsEnd() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(maxStreamsBidirectional: 4))
        try server.receiveStream(StreamID(rawValue: 12), 0, [1], fin: true)
        for id in (0..<4).map({ StreamID(index: $0, direction: .bidirectional, initiator: .client) }) {
            try server.stopSending(id, code: 0)
            try server.reset(id, code: 0)
        }
        let packet = try #require(server.packet())
        server.acknowledge(packet)
        for index: UInt64 in 0..<3 {
            let id = StreamID(index: index, direction: .bidirectional, initiator: .client)
            try server.receiveReset(id, finalSize: 0)
        }
        #expect(server.openCount == 0)
        #expect(server.remote.bidirectional.endedCount == 4)
    }
}
