import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Streams that wait for QPACK")
struct BlockedStreamTests {
    /// A client whose requests refer to a table that the server does not have yet, and the server.
    private func pair() -> (client: TestEndpoint, server: TestEndpoint) {
        var client = TestEndpoint.started(.client, peer: [(0x01, 4096), (0x07, 64)])
        let lines = PeerBytes.get + [("x-custom", "a value that is worth a place")]
        // What is sent again and again gets into the table.
        for id in 1000..<1008 as Range<UInt64> {
            client.buffer = []
            #expect(client.request(lines, on: StreamID(rawValue: id * 4)) == nil)
        }
        client.buffer = []
        return (client, TestEndpoint.started(.server))
    }

    private let lines = PeerBytes.get + [("x-custom", "a value that is worth a place")]

    @Test("A section that waits holds its stream up, and no other (RFC 9204 section 2.1.2)")
    func waits() throws {
        var (client, server) = pair()
        #expect(client.request(lines, on: 0, fin: false) == nil)
        let request = client.buffer
        let content = PeerBytes.data("abc")
        #expect(server.receive(request + content, on: 0).isEmpty)
        #expect(server.unconsumed == content)
        // Given again too soon, it is still not taken.
        #expect(server.receive(content, on: 0, fin: true).isEmpty && server.unconsumed == content)
        #expect(server.receive(PeerBytes.headers(PeerBytes.get), on: 4, fin: true).request != nil)
        let encoderBytes = try #require(client.sent()[6])
        let actions = server.receive(encoderBytes, on: 6)
        #expect(actions.request?.fields == FieldSection(lines))
        #expect(actions.last == .resume(0) && actions.count == 2)
        #expect(server.receive(content, on: 0, fin: true) == [.data(0, 2..<5), .end(0)])
        #expect(server.unconsumed.isEmpty)
    }

    @Test("An end that was told is remembered while the section waits")
    func endIsRemembered() throws {
        for endsLater in [false, true] {
            var (client, server) = pair()
            #expect(client.request(lines, on: 0) == nil)
            #expect(server.receive(client.buffer, on: 0, fin: !endsLater).isEmpty)
            #expect(server.unconsumed.isEmpty)
            if endsLater { #expect(server.receive([], on: 0, fin: true).isEmpty) }
            let actions = server.receive(try #require(client.sent()[6]), on: 6)
            #expect(actions.count == 2 && actions.request != nil && actions.last == .end(0))
        }
    }

    @Test("A section in pieces can wait too, and come in any number")
    func many() throws {
        var (client, server) = pair()
        for id: StreamID in [0, 4, 8] {
            client.buffer = []
            #expect(client.request(lines, on: id) == nil)
            for byte in client.buffer { #expect(server.receive([byte], on: id).isEmpty) }
            #expect(server.receive([], on: id, fin: true).isEmpty)
        }
        var actions: [HTTP3Action] = []
        for byte in try #require(client.sent()[6]) { actions += server.receive([byte], on: 6) }
        #expect(actions.filter { if case .request = $0 { true } else { false } }.count == 3)
        for id: StreamID in [0, 4, 8] { #expect(actions.contains(.end(id))) }
    }

    // Holds: 9114-4.1.2-2
    @Test("A malformed request that had to wait is found then (RFC 9114 section 4.1.2)")
    func malformed() throws {
        var (client, server) = pair()
        #expect(client.request(lines, on: 0) == nil)
        // The same section twice: as trailers it has pseudo-header fields.
        let section = client.buffer
        #expect(server.receive(PeerBytes.headers(PeerBytes.post) + section, on: 0).count == 1)
        let actions = server.receive(try #require(client.sent()[6]), on: 6)
        expectStreamError(actions, .messageError)
        #expect(actions.failure?.code == .messageError)
    }

    @Test(
        "A stream that is reset or given up while it waits is cancelled at QPACK (RFC 9204 section 2.2.2.2)")
    func cancelled() throws {
        for way in 0..<3 {
            var (client, server) = pair()
            #expect(client.request(lines, on: 0) == nil)
            server.receive(client.buffer, on: 0)
            switch way {
            case 0: server.machine.receiveReset(of: 0, code: 0x10c)
            case 1: server.machine.cancel(0)
            default: server.machine.stopReceiving(0)
            }
            _ = server.take()
            #expect(server.sent()[11] == [0x40])
            let actions = server.receive(try #require(client.sent()[6]), on: 6)
            #expect(actions.isEmpty)
            #expect(client.receive([0x40], on: 11).isEmpty)
        }
    }

    // Holds: 9204-2.1.2-2
    @Test("More waiting streams than promised are QPACK_DECOMPRESSION_FAILED (RFC 9204 section 2.1.2)")
    func tooMany() {
        var (client, _) = pair()
        var server = TestEndpoint.started(.server) { $0.qpackBlockedStreams = 2 }
        for id: StreamID in [0, 4, 8] {
            client.buffer = []
            #expect(client.request(lines, on: id) == nil)
            let actions = server.receive(client.buffer, on: id)
            if id == 8 {
                expectClose(actions, .qpackDecompressionFailed)
            } else {
                #expect(actions.isEmpty)
            }
        }
    }

    // Holds: 9204-2.1.2-1
    @Test("Before the peer's SETTINGS nothing can have to wait (RFC 9204 section 3.2.3)")
    func beforeSettings() {
        var client = TestEndpoint(.client)
        client.machine.start(.own(by: .client))
        _ = client.sent()
        var server = TestEndpoint.started(.server)
        for id in 0..<20 as Range<UInt64> {
            client.buffer = []
            #expect(client.request(lines, on: StreamID(rawValue: id * 4)) == nil)
            #expect(server.receive(client.buffer, on: StreamID(rawValue: id * 4)).request != nil)
        }
        #expect(client.sent().isEmpty)
    }

    @Test("What waits counts as kept, and is refused beyond the bound (RFC 9114 section 10.5)")
    func bounded() throws {
        var (client, _) = pair()
        var server = TestEndpoint.started(.server) { $0.limits.heldBytes = 10 }
        #expect(client.request(lines, on: 0) == nil && client.buffer.count > 8)
        #expect(server.receive(client.buffer, on: 0).isEmpty)
        client.buffer = []
        #expect(client.request(lines, on: 4) == nil)
        #expect(
            server.receive(client.buffer, on: 4) == [
                .fieldSectionTooLarge(4), .stopSending(4, code: .noError),
            ])
        // Stream 0 is told, and gives its share back.
        #expect(server.receive(try #require(client.sent()[6]), on: 6).request != nil)
        client.buffer = []
        #expect(client.request(lines + [("x-new", "1"), ("x-new", "1"), ("x-new", "1")], on: 8) == nil)
        #expect(server.receive([], on: 8).isEmpty)
    }

    // Holds: 9204-4.3.1-2, 9204-4.4.3-1
    @Test("What breaks QPACK ends the connection with its own codes (RFC 9204 section 6)")
    func errors() {
        var section = TestEndpoint.started(.server)
        expectClose(
            section.receive(PeerBytes.frame(0x01, [0, 0, 0xff, 0x24]), on: 0), .qpackDecompressionFailed)
        var empty = TestEndpoint.started(.server)
        expectClose(empty.receive(PeerBytes.frame(0x01), on: 0), .qpackDecompressionFailed)
        var encoder = TestEndpoint.started(.server)
        expectClose(encoder.receive(hex("3f e1 c7 af a0 25"), on: 6), .qpackEncoderStreamError)
        var decoder = TestEndpoint.started(.server)
        expectClose(decoder.receive([0x00], on: 10), .qpackDecoderStreamError)
    }
}
