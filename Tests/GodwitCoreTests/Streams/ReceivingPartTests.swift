import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Receiving parts of streams")
struct ReceivingPartTests {
    let id = StreamID(rawValue: 2)

    // Holds: 9000-2.2-1
    @Test("Data is put in order, whatever order and overlaps it comes in (RFC 9000 section 2.2)")
    func reassembles() throws {
        let server = StreamsEnd(role: .server)
        let data = pattern(1000)
        try server.receiveStream(id, 500, Array(data[500...]))
        try server.receiveStream(id, 100, Array(data[100..<200]))
        #expect(server.readableBytes(id) == 0)
        #expect(server.events() == [.opened(id)])
        try server.receiveStream(id, 150, Array(data[150..<600]))
        try server.receiveStream(id, 0, Array(data[..<120]))
        #expect(server.events() == [.readable(id)])
        #expect(server.readableBytes(id) == 1000)
        try server.receiveStream(id, 0, data, fin: true)
        #expect(try server.read(id) == (data, true))
        #expect(server.openCount == 0)
    }

    @Test("An end without data is told when it comes (RFC 9000 section 3.2)")
    func bareEnd() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(id, 0, [1, 2])
        #expect(try server.read(id) == ([1, 2], false))
        _ = server.events()
        try server.receiveStream(id, 2, [], fin: true)
        #expect(server.events() == [.readable(id)])
        #expect(try server.read(id) == ([], true))
    }

    @Test("An end before its data is told with it (RFC 9000 section 3.2)")
    func earlyEnd() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(id, 3, [4], fin: true)
        #expect(server.events() == [.opened(id)])
        try server.receiveStream(id, 0, [1, 2, 3])
        #expect(server.events() == [.readable(id)])
        #expect(try server.read(id) == ([1, 2, 3, 4], true))
    }

    @Test("A reader takes as much as it likes (RFC 9000 section 2.4)")
    func partialReads() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(id, 0, pattern(100), fin: true)
        _ = server.events()
        let first = try server.read(id, count: 30)
        #expect(first == StreamReadResult(consumed: 30, remaining: 70, isFinished: false))
        #expect(server.events() == [], "nothing has changed that the reader does not know")
        #expect(try server.read(id) == (Array(pattern(100)[30...]), true))
    }

    @Test("A reset interrupts delivery, is told, and hides nothing as a clean end (RFC 9000 section 3.2)")
    func resetByPeer() throws {
        let server = StreamsEnd(role: .server)
        let id = StreamID(rawValue: 0)
        try server.receiveStream(id, 0, pattern(100))
        try server.receiveReset(id, code: 33, finalSize: 150)
        #expect(server.events() == [.opened(id), .resetByPeer(id, code: 33)])
        #expect(server.readableBytes(id) == 0)
        #expect(streamError { try server.read(id) } == .resetByPeer(code: 33))
        try server.receiveStream(id, 100, pattern(50, from: 100), fin: true)
        #expect(server.events() == [])
        #expect(streamError { try server.read(id) } == .resetByPeer(code: 33))
    }

    @Test("A failed read tells of a reset as well as the event (RFC 9000 section 3.2)")
    func readTellsOfReset() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveReset(id, code: 1, finalSize: 0)
        #expect(server.openCount == 1)
        #expect(streamError { try server.read(id) } == .resetByPeer(code: 1))
        #expect(server.openCount == 0)
        #expect(server.events() == [.opened(id)])
    }

    @Test("A reset of a stream that is all there withholds nothing (RFC 9000 section 3.2)")
    func resetAfterAllData() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(id, 0, pattern(100), fin: true)
        try server.receiveReset(id, code: 1, finalSize: 100)
        #expect(server.events() == [.opened(id), .readable(id)])
        #expect(try server.read(id) == (pattern(100), true))
    }

    @Test("Frames for a stream that has ended are ignored (RFC 9000 section 3.2)")
    func framesBehindTheEnd() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(id, 0, pattern(100), fin: true)
        try server.read(id)
        try server.receiveStream(id, 0, pattern(100), fin: true)
        try server.streams.receiveStreamDataBlocked(id, 10)
        try server.receiveReset(id, code: 1, finalSize: 100)
        #expect(server.events() == [.opened(id)])
        #expect(server.openCount == 0)
    }

    @Test("Both directions of a stream end on their own (RFC 9000 section 3.4)")
    func bothDirections() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, pattern(10), fin: true)
        try peers.settle()
        #expect(peers.client.events() == [.finished(id)])
        #expect(try peers.server.read(id) == (pattern(10), true))
        #expect(try peers.server.read(id) == ([], true))
        #expect(peers.client.openCount == 1 && peers.server.openCount == 1)
        try peers.server.write(id, pattern(20), fin: true)
        try peers.settle()
        #expect(try peers.client.read(id) == (pattern(20), true))
        #expect(peers.server.events() == [.opened(id), .finished(id)])
        #expect(peers.client.openCount == 0 && peers.server.openCount == 0)
    }

    @Test("Events come once for each change, and never pile up (RFC 9000 section 2.4)")
    func eventsAreBounded() throws {
        let server = StreamsEnd(role: .server)
        for offset in 0..<100 { try server.receiveStream(id, UInt64(offset), [UInt8(offset)]) }
        #expect(server.events() == [.opened(id), .readable(id)])
        try server.receiveStream(id, 50, [50])
        #expect(server.events() == [], "a duplicate changes nothing")
        try server.receiveStream(id, 100, [100])
        #expect(server.events() == [.readable(id)])
    }
}
