import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Streams in early data")
struct EarlyDataStreamTests {
    let remembered = PeerStreamLimits(
        initialMaxData: 5000, initialMaxStreamDataBidirectionalRemote: 2000,
        initialMaxStreamDataUnidirectional: 1000, initialMaxStreamsBidirectional: 4,
        initialMaxStreamsUnidirectional: 2)

    private func client() throws -> StreamsEnd {
        let client = StreamsEnd(role: .client)
        #expect(client.open(.bidirectional) == nil)
        #expect(!client.hasControlFramesToSend, "there is no limit yet to be blocked at")
        client.streams.applyPeerLimits(remembered)
        return client
    }

    @Test("Limits never fall when the real ones come (RFC 9000 section 7.4.1)")
    func limitsNeverFall() throws {
        let client = try client()
        #expect(client.events() == [.streamsAvailable(.bidirectional)])
        let id = try #require(client.open(.bidirectional))
        try client.write(id, pattern(4000))
        #expect(client.packets().last?.frames.last == "STREAM_DATA_BLOCKED 0 2000")
        var real = PeerStreamLimits()
        real.initialMaxData = 100
        client.streams.applyPeerLimits(real)
        #expect(client.sendCredit.limit == 5000)
        #expect(client.local.bidirectional.limit == 4)
        real.initialMaxStreamDataBidirectionalRemote = 3000
        client.streams.applyPeerLimits(real)
        #expect(client.frames().first { $0.hasPrefix("STREAM ") } == "STREAM 0 2000..<3000")
    }

    // Holds: 9001-4.6.2-2
    @Test("Refused early data goes out again from the start, under the real limits (RFC 9001 section 4.6.2)")
    func refusedDataIsSentAgain() throws {
        let client = try client()
        let first = try #require(client.open(.bidirectional))
        let second = try #require(client.open(.unidirectional))
        try client.write(first, pattern(1500), fin: true)
        try client.write(second, pattern(10))
        let early = client.packets()
        try client.reset(second, code: 3)
        try client.streams.rejectEarlyData()
        #expect(!client.hasStreamDataToSend && !client.hasControlFramesToSend)
        client.streams.applyPeerLimits(
            PeerStreamLimits(
                initialMaxData: 600, initialMaxStreamDataBidirectionalRemote: 9000,
                initialMaxStreamsBidirectional: 1, initialMaxStreamsUnidirectional: 1))
        let frames = client.frames()
        #expect(frames == ["RESET_STREAM 2 code 3 size 0", "STREAM 0 0..<600", "DATA_BLOCKED 600"])
        for packet in early { client.lose(packet) }
        #expect(client.frames() == ["STREAM 0 0..<600"], "what is not sent can't be lost")
    }

    // Holds: 9000-4.6-2
    @Test("Streams above the real limit wait until it rises (RFC 9000 section 4.6)")
    func streamsAboveTheLimitWait() throws {
        let client = try client()
        let ids = try (0..<3).map { _ in try #require(client.open(.bidirectional)) }
        for id in ids { try client.write(id, [UInt8(id.rawValue)], fin: true) }
        try client.reset(ids[2], code: 1)
        try client.streams.rejectEarlyData()
        var real = remembered
        real.initialMaxStreamsBidirectional = 1
        client.streams.applyPeerLimits(real)
        #expect(client.frames() == ["STREAM 0 0..<1 FIN"])
        #expect(client.open(.bidirectional) == nil)
        try client.streams.receiveMaxStreams(.bidirectional, 2)
        #expect(client.frames().contains("STREAM 4 0..<1 FIN"))
        try client.streams.receiveMaxStreams(.bidirectional, 3)
        #expect(client.frames() == ["RESET_STREAM 8 code 1 size 0"])
    }

    @Test("Refusing what was acknowledged is a violation (RFC 9001 section 4.6.2)")
    func acknowledgedAndRefused() throws {
        let client = try client()
        let id = try #require(client.open(.bidirectional))
        try client.write(id, pattern(100))
        client.acknowledge(try #require(client.packet()))
        #expect(errorCode { try client.streams.rejectEarlyData() } == .protocolViolation)
    }
}
