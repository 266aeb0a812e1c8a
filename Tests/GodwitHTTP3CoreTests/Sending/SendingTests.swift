import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Sending: nothing malformed goes out")
struct SendingTests {
    private func server(_ request: [(String, String)] = PeerBytes.get) -> TestEndpoint {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(request), on: 0, fin: true)
        return server
    }

    private func ok(length: String) -> [(String, String)] { PeerBytes.ok + [("content-length", length)] }

    // Holds: 9114-7.2.1-1
    @Test("The parts of a response come in their order (RFC 9114 section 4.1)")
    func order() {
        var server = server()
        #expect(server.data(1) == .outOfOrder)
        #expect(server.trailers([("x", "1")]) == .outOfOrder)
        #expect(server.inform([(":status", "103")]) == nil)
        #expect(server.data(1) == .outOfOrder)
        #expect(server.inform([(":status", "103")]) == nil)
        #expect(server.respond(PeerBytes.ok, fin: false) == nil)
        #expect(server.respond(PeerBytes.ok) == .outOfOrder)
        #expect(server.inform([(":status", "103")]) == .outOfOrder)
        #expect(server.data(5) == nil && server.data(5) == nil)
        #expect(server.trailers([("x", "1")]) == nil)
        #expect(server.data(1) == .unknownStream)
        #expect(server.machine.openRequestCount == 0)
    }

    @Test("Nothing follows the end of a message (RFC 9114 section 4.1)")
    func behindTheEnd() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.post), on: 0)
        #expect(server.respond(PeerBytes.ok, fin: true) == nil)
        #expect(server.data(1) == .sendingEnded)
        #expect(server.trailers([]) == .sendingEnded)
        #expect(server.respond(PeerBytes.ok) == .sendingEnded)
        #expect(server.inform([(":status", "103")]) == .sendingEnded)
        #expect(throws: HTTP3SendError.sendingEnded) { try server.machine.finish(0) }
    }

    // Holds: 9114-7.1-1
    @Test("What is written is what the peer reads (RFC 9114 section 7.2)")
    func readBack() {
        var server = server()
        #expect(server.inform([(":status", "103"), ("link", "</a>")]) == nil)
        #expect(server.respond(PeerBytes.ok + [("x", "y")], fin: false) == nil)
        #expect(server.data(300) == nil)
        server.buffer += [UInt8](repeating: 9, count: 300)
        #expect(server.data(0) == nil)
        #expect(server.trailers([("x-sum", "1")]) == nil)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        let actions = client.receive(server.buffer, on: 0, fin: true)
        let count = server.buffer.count
        guard actions.count == 5, case .informationalResponse(0, let interim) = actions[0],
            case .response(0, let head) = actions[1], case .data(0, let range) = actions[2],
            case .trailers(0, let trailers) = actions[3], actions[4] == .end(0)
        else {
            Issue.record("\(actions)")
            return
        }
        #expect(interim.fields.pairs == [":status: 103", "link: </a>"])
        #expect(head.fields.pairs == [":status: 200", "x: y"] && trailers.pairs == ["x-sum: 1"])
        #expect(range.count == 300 && range.upperBound < count)
    }

    // Holds: 9114-4.1-1, 9114-7.2.1-1
    @Test("A request with content, sent in parts (RFC 9114 section 4.1)")
    func requestInParts() throws {
        var client = TestEndpoint.started(.client)
        #expect(client.data(1) == .unknownStream)
        #expect(client.request(PeerBytes.post, fin: false) == nil)
        #expect(client.request(PeerBytes.post, fin: false) == .outOfOrder)
        #expect(client.data(3) == nil)
        client.buffer += [1, 2, 3]
        try client.machine.finish(0)
        var server = TestEndpoint.started(.server)
        let actions = server.receive(client.buffer, on: 0, fin: true)
        #expect(actions.count == 3 && actions.last == .end(0))
    }

    @Test("Content has the length that the fields say (RFC 9114 section 4.1.2)")
    func contentLength() {
        var server = server()
        #expect(server.respond(ok(length: "10")) == .contentLengthMismatch)
        #expect(server.respond(ok(length: "10"), fin: false) == nil)
        #expect(server.data(11) == .contentLengthMismatch)
        #expect(server.data(9, fin: true) == .contentLengthMismatch)
        #expect(server.data(4) == nil)
        #expect(server.trailers([]) == .contentLengthMismatch)
        #expect(throws: HTTP3SendError.contentLengthMismatch) { try server.machine.finish(0) }
        #expect(server.data(7) == .contentLengthMismatch)
        #expect(server.data(6, fin: true) == nil)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.post + [("content-length", "1")]) == .contentLengthMismatch)
        #expect(client.request(PeerBytes.post + [("content-length", "0")]) == nil)
    }

    @Test(
        "Responses that have no content get none (RFC 9110 section 6.4.1)", arguments: ["204", "304", "205"])
    func withoutContent(status: String) {
        var server = server()
        #expect(server.respond([(":status", status)], fin: false) == nil)
        #expect(server.data(1) == .contentLengthMismatch)
        #expect(server.data(0, fin: true) == nil)
    }

    @Test("A response to HEAD has no content, and may say how long it would be (RFC 9110 section 8.6)")
    func head() {
        var server = server([(":method", "HEAD")] + PeerBytes.get.dropFirst())
        #expect(server.respond(ok(length: "1000"), fin: true) == nil)
        var other = self.server([(":method", "HEAD")] + PeerBytes.get.dropFirst())
        #expect(other.respond(ok(length: "1000"), fin: false) == nil)
        #expect(other.data(1000) == .contentLengthMismatch)
        #expect(other.trailers([]) == nil)
    }

    @Test("Content-Length does not go with 1xx and 204 (RFC 9110 section 8.6)")
    func forbiddenLength() {
        var server = server()
        for status in ["204"] {
            let error = server.respond([(":status", status), ("content-length", "0")])
            #expect(
                error == .malformed(field: "content-length", reason: "in a response that never has content"))
        }
        let error = server.inform([(":status", "103"), ("content-length", "0")])
        #expect(error == .malformed(field: "content-length", reason: "in an interim response"))
    }

    @Test("Interim and final responses are not mixed up (RFC 9114 section 4.1)")
    func interimOrFinal() {
        var server = server()
        #expect(
            server.inform(PeerBytes.ok) == .malformed(field: ":status", reason: "not of an interim response"))
        let error = server.respond([(":status", "100")])
        #expect(error == .malformed(field: ":status", reason: "of an interim response"))
    }

    // Holds: 9114-4.2-3, 9114-4.3-4
    @Test(
        "Trailers that frame or route a message are not sent (RFC 9110 section 6.5.1)",
        arguments: [
            "content-length", "host", ":status", "connection", "te", "X",
        ])
    func trailers(name: String) {
        var server = server()
        #expect(server.respond(PeerBytes.ok, fin: false) == nil)
        guard case .malformed(let field, _) = server.trailers([(name, "1")]) else {
            Issue.record("sent")
            return
        }
        #expect(field == name)
        #expect(server.trailers([("x", "1")]) == nil)
    }

    // Holds: 9114-7.2.4.2-1
    @Test("The peer's limit on field sections is kept to (RFC 9114 section 4.2.2)")
    func peerLimit() {
        var server = TestEndpoint.started(.server, peer: [(0x06, 100)])
        server.receive(PeerBytes.headers(PeerBytes.post), on: 0)
        let large = PeerBytes.ok + [("x", String(repeating: "a", count: 30))]
        let size = FieldSection(large).size
        #expect(size == 42 + 63)
        let error = HTTP3SendError.fieldSectionTooLarge(size: size, limit: 100)
        #expect(server.respond(large) == error)
        #expect(server.inform([(":status", "103")] + large.dropFirst()) == error)
        #expect(server.buffer.isEmpty)
        #expect(server.respond(PeerBytes.ok, fin: false) == nil)
        #expect(
            server.trailers([("x", String(repeating: "a", count: 68))])
                == .fieldSectionTooLarge(size: 101, limit: 100))
        #expect(server.trailers([("x", String(repeating: "a", count: 67))]) == nil)
        var client = TestEndpoint.started(.client, peer: [(0x06, 100)])
        guard case .fieldSectionTooLarge = client.request(PeerBytes.get) else {
            Issue.record("sent")
            return
        }
        #expect(client.machine.openRequestCount == 0)
    }

    @Test("A large field section goes out whole, and leaves nothing behind for the next")
    func largeSection() {
        var server = TestEndpoint.started(.server)
        for id: StreamID in [0, 4] { server.receive(PeerBytes.headers(PeerBytes.get), on: id, fin: true) }
        let large = PeerBytes.ok + [("x", String(repeating: "~^", count: 10_000))]
        var client = TestEndpoint.started(.client)
        for (id, lines) in [(StreamID(rawValue: 0), large), (4, PeerBytes.ok)] {
            #expect(client.request(PeerBytes.get, on: id) == nil)
            server.buffer = []
            #expect(server.respond(lines, on: id) == nil)
            #expect(client.receive(server.buffer, on: id, fin: true).response?.fields == FieldSection(lines))
        }
    }

    @Test("Each role sends its own messages, on streams that are open")
    func roles() {
        var server = server()
        #expect(server.request(PeerBytes.get, on: 4) == .wrongRole)
        #expect(server.respond(PeerBytes.ok, on: 4) == .unknownStream)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get, on: 1) == .unknownStream)
        #expect(client.request(PeerBytes.get, on: 2) == .unknownStream)
        #expect(client.request(PeerBytes.get) == nil)
        #expect(client.respond(PeerBytes.ok) == .wrongRole)
        #expect(client.inform([(":status", "103")]) == .wrongRole)
    }

    @Test("A request that nobody has heard of is not answered")
    func beforeHead() {
        var server = TestEndpoint.started(.server)
        server.machine.streamOpened(0)
        #expect(server.respond(PeerBytes.ok) == .outOfOrder)
        #expect(server.inform([(":status", "103")]) == .outOfOrder)
    }

    @Test("Memory that is given back serves again, and shows nothing of before")
    func recycle() throws {
        var server = TestEndpoint.started(.server)
        for index in 0..<20 as Range<UInt64> {
            let lines = PeerBytes.get + [("x", String(repeating: "\(index)", count: Int(20 - index)))]
            let head = try #require(
                server.receive(PeerBytes.headers(lines), on: StreamID(rawValue: index * 4)).request)
            #expect(head.fields == FieldSection(lines))
            server.machine.recycle(head.fields)
        }
    }
}
