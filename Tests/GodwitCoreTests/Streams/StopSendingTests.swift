import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Asking the peer to stop")
struct StopSendingTests {
    let id = StreamID(rawValue: 0)

    // Holds: 9000-3.5-1
    @Test("STOP_SENDING is answered by RESET_STREAM with its code (RFC 9000 section 3.5)")
    func answersWithReset() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, pattern(5000))
        let packet = try #require(peers.client.packet(size: 1002))
        try peers.client.receiveStopSending(id, code: 99)
        #expect(peers.client.events() == [.stopSendingByPeer(id, code: 99)])
        #expect(try #require(peers.client.packet()).frames == ["RESET_STREAM 0 code 99 size 1000"])
        peers.client.lose(packet)
        #expect(!peers.client.hasStreamDataToSend)
        #expect(streamError { try peers.client.write(id, [1]) } == .stoppedByPeer(code: 99))
    }

    // Holds: 9000-3.5-1
    @Test("So it is before anything was sent (RFC 9000 section 3.5)")
    func answersInReady() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, pattern(100))
        try peers.client.receiveStopSending(id, code: 5)
        #expect(peers.client.frames() == ["RESET_STREAM 0 code 5 size 0"])
    }

    @Test("STOP_SENDING also abandons what has been written to the end (RFC 9000 section 3.5)")
    func abandonsEndedStream() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(100), fin: true)
        _ = peers.client.packet()
        try peers.client.receiveStopSending(id, code: 1)
        #expect(try #require(peers.client.packet()).frames == ["RESET_STREAM 2 code 1 size 100"])
    }

    @Test("STOP_SENDING after a reset or after delivery changes nothing (RFC 9000 section 3.5)")
    func stopTooLate() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.reset(id, code: 4)
        try peers.client.receiveStopSending(id, code: 1)
        #expect(peers.client.events() == [])
        #expect(try #require(peers.client.packet()).frames == ["RESET_STREAM 0 code 4 size 0"])
        let done = try #require(peers.client.open(.bidirectional))
        try peers.client.write(done, [1], fin: true)
        try peers.settle()
        try peers.client.receiveStopSending(done, code: 1)
        #expect(peers.client.events() == [.finished(done)])
        #expect(!peers.client.hasControlFramesToSend)
    }

    @Test("A reader that gives up has the peer stop, and both ends forget the stream (RFC 9000 section 3.5)")
    func stopsPeer() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(3000))
        let packet = try #require(peers.client.packet())
        try peers.server.receive(packet)
        try peers.server.stopSending(id, code: 8)
        #expect(streamError { try peers.server.read(id) } == .receivingStopped)
        #expect(peers.server.events() == [.opened(id)])
        try peers.settle()
        #expect(peers.client.events() == [.stopSendingByPeer(id, code: 8)])
        #expect(peers.client.openCount == 0 && peers.server.openCount == 0)
        #expect(peers.server.events() == [])
    }

    @Test("Data that comes after a request to stop is counted and dropped (RFC 9000 section 3.5)")
    func countsDroppedData() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(initialMaxData: 10_000))
        try server.receiveStream(id, 0, pattern(1000))
        try server.stopSending(id, code: 8)
        #expect(server.receiveCredit.consumed == 1000)
        try server.receiveStream(id, 2000, pattern(1000))
        #expect(server.receiveCredit.used == 3000 && server.receiveCredit.consumed == 3000)
        #expect(server.readableBytes(id) == 0)
        try server.receiveReset(id, code: 8, finalSize: 6000)
        #expect(server.receiveCredit.used == 6000 && server.receiveCredit.consumed == 6000)
        #expect(
            try #require(server.packet()).frames == ["MAX_DATA 16000"], "no more STOP_SENDING after a reset")
        #expect(server.events() == [.opened(id)])
    }

    @Test("STOP_SENDING goes out again until the end of the stream is known (RFC 9000 section 13.3)")
    func repeatsUntilEndIsKnown() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(id, 0, pattern(10))
        try server.stopSending(id, code: 8)
        let request = try #require(server.packet())
        #expect(request.frames == ["STOP_SENDING 0 code 8"])
        server.lose(request)
        #expect(try #require(server.packet()).frames == request.frames)
        try server.receiveStream(id, 10, [], fin: true)
        server.lose(request)
        #expect(!server.hasControlFramesToSend)
    }

    @Test("Nothing is asked for when all the data is there already (RFC 9000 section 3.5)")
    func stopAfterAllData() throws {
        let server = StreamsEnd(role: .server)
        let id = StreamID(rawValue: 2)
        try server.receiveStream(id, 0, pattern(10), fin: true)
        try server.stopSending(id, code: 8)
        #expect(!server.hasControlFramesToSend)
        #expect(server.openCount == 0)
        let partial = StreamID(rawValue: 6)
        try server.receiveStream(partial, 5, pattern(5), fin: true)
        try server.stopSending(partial, code: 8)
        #expect(try #require(server.packet()).frames == ["STOP_SENDING 6 code 8"])
        #expect(server.openCount == 0, "of a known size, so that nothing is awaited")
    }
}
