import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Stream ids and who opens what")
struct StreamIdentifierTests {
    @Test("Each side numbers its streams of each direction from 0 (RFC 9000 section 2.1)")
    func ids() {
        let peers = StreamPeers()
        #expect(peers.client.open(.bidirectional)?.rawValue == 0)
        #expect(peers.client.open(.bidirectional)?.rawValue == 4)
        #expect(peers.client.open(.unidirectional)?.rawValue == 2)
        #expect(peers.server.open(.bidirectional)?.rawValue == 1)
        #expect(peers.server.open(.unidirectional)?.rawValue == 3)
        #expect(peers.server.open(.unidirectional)?.rawValue == 7)
    }

    // Holds: 9000-2.1-1
    @Test("A number is never taken again, not even when its stream has ended (RFC 9000 section 2.1)")
    func neverTakenAgain() throws {
        let peers = StreamPeers()
        for index in UInt64(0)..<5 {
            let id = try #require(peers.client.open(.unidirectional))
            #expect(id.index == index)
            try peers.client.write(id, [1], fin: true)
            try peers.settle()
            try peers.server.read(id)
            _ = (peers.client.events(), peers.server.events())
            #expect(peers.client.openCount == 0 && peers.server.openCount == 0)
            // What comes late for it opens no second stream of that number.
            try peers.server.receiveStream(id, 0, [1], fin: true)
            #expect(peers.server.events() == [] && peers.server.openCount == 0)
        }
    }

    // Holds: 9000-3.2-1
    @Test(
        "A stream used out of order opens those below it, and they are told in order (RFC 9000 section 3.2)")
    func opensLowerStreams() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(StreamID(rawValue: 12), 0, [1])
        #expect(server.openCount == 1, "the lower ones take no slot")
        #expect(
            server.events() == [
                .opened(StreamID(rawValue: 0)), .opened(StreamID(rawValue: 4)),
                .opened(StreamID(rawValue: 8)),
                .opened(StreamID(rawValue: 12)), .readable(StreamID(rawValue: 12)),
            ])
    }

    // Holds: 9000-3.2-1
    @Test("A stream that was opened by a higher one takes frames as any other (RFC 9000 section 3.2)")
    func lowerStreamComesLate() throws {
        let server = StreamsEnd(role: .server)
        try server.receiveStream(StreamID(rawValue: 8), 0, [8], fin: true)
        try server.receiveStream(StreamID(rawValue: 0), 0, [1, 2], fin: true)
        #expect(try server.read(StreamID(rawValue: 0)) == ([1, 2], true))
        #expect(try server.read(StreamID(rawValue: 8)) == ([8], true))
        #expect(server.readableBytes(StreamID(rawValue: 4)) == 0)
        #expect(try server.read(StreamID(rawValue: 4)) == ([], false))
    }

    @Test(
        "An application may write on a stream of the peer's that no frame has touched (RFC 9000 section 3.1)")
    func writesOnUntouchedStream() throws {
        let peers = StreamPeers()
        for _ in 0..<3 { _ = peers.client.open(.bidirectional) }
        try peers.client.write(StreamID(rawValue: 8), [1])
        try peers.settle()
        #expect(peers.server.writableBytes(StreamID(rawValue: 4)) > 0)
        try peers.server.write(StreamID(rawValue: 4), [7, 7])
        try peers.settle()
        #expect(try peers.client.read(StreamID(rawValue: 4)).bytes == [7, 7])
    }

    @Test("MAX_STREAM_DATA and STOP_SENDING open a bidirectional stream of the peer's (RFC 9000 section 3.2)")
    func controlFramesOpenStreams() throws {
        let server = StreamsEnd(role: .server)
        try server.streams.receiveMaxStreamData(StreamID(rawValue: 0), 10)
        try server.receiveStopSending(StreamID(rawValue: 4), code: 9)
        try server.streams.receiveStreamDataBlocked(StreamID(rawValue: 2), 0)
        let opened: [StreamEvent] = [0, 4, 2].map { .opened(StreamID(rawValue: $0)) }
        #expect(server.events() == opened + [.stopSendingByPeer(StreamID(rawValue: 4), code: 9)])
    }

    // Holds: 9000-19.5-1, 9000-19.8-1, 9000-19.10-1
    @Test(
        "Frames for streams that the receiver would have to create itself are refused (RFC 9000 section 19.8)"
    )
    func framesForStreamsNotCreated() {
        let id = StreamID(rawValue: 1)
        let server = StreamsEnd(role: .server)
        #expect(errorCode { try server.receiveStream(id, 0, []) } == .streamStateError)
        #expect(errorCode { try server.streams.receiveMaxStreamData(id, 1) } == .streamStateError)
        #expect(errorCode { try server.streams.receiveStreamDataBlocked(id, 1) } == .streamStateError)
        #expect(errorCode { try server.receiveStopSending(id) } == .streamStateError)
        #expect(
            errorCode { try server.receiveReset(id, finalSize: 0) }
                == .streamStateError)
    }

    // Holds: 9000-19.4-1, 9000-19.8-1, 9000-19.13-1
    @Test("Nobody sends on a stream that flows only towards it (RFC 9000 sections 19.4, 19.8 and 19.13)")
    func sendOnlyStreams() throws {
        let peers = StreamPeers()
        let id = try #require(peers.server.open(.unidirectional))
        #expect(errorCode { try peers.server.receiveStream(id, 0, [1]) } == .streamStateError)
        #expect(errorCode { try peers.server.streams.receiveStreamDataBlocked(id, 1) } == .streamStateError)
        #expect(
            errorCode { try peers.server.receiveReset(id, finalSize: 0) }
                == .streamStateError)
    }

    // Holds: 9000-19.5-2, 9000-19.10-2
    @Test("Nobody steers a stream that flows only towards it (RFC 9000 sections 19.5 and 19.10)")
    func receiveOnlyStreams() {
        let server = StreamsEnd(role: .server)
        let id = StreamID(rawValue: 2)
        #expect(errorCode { try server.streams.receiveMaxStreamData(id, 1) } == .streamStateError)
        #expect(errorCode { try server.receiveStopSending(id) } == .streamStateError)
    }

    @Test("Applications get errors and not traps for streams of the wrong kind (RFC 9000 section 2.4)")
    func applicationErrors() throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, [1])
        try peers.settle()
        #expect(streamError { try peers.client.read(id) } == .sendOnly)
        #expect(streamError { try peers.client.stopSending(id, code: 0) } == .sendOnly)
        #expect(streamError { try peers.server.write(id, [1]) } == .receiveOnly)
        #expect(streamError { try peers.server.reset(id, code: 0) } == .receiveOnly)
        let unknown = StreamID(rawValue: 400)
        #expect(streamError { try peers.server.write(unknown, [1]) } == .unknownStream)
        #expect(streamError { _ = try peers.server.read(unknown) } == .unknownStream)
        #expect(streamError { try peers.server.setPriority(unknown, .default) } == .unknownStream)
        #expect(streamError { try peers.client.reset(id, code: 1 << 62) } == .invalidErrorCode)
        #expect(streamError { try peers.server.stopSending(id, code: .max) } == .invalidErrorCode)
    }
}
