import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Responses")
struct ResponseTests {
    private static func ok(_ more: (String, String)...) -> [(String, String)] { PeerBytes.ok + more }

    private func client(_ method: [(String, String)] = PeerBytes.get) -> TestEndpoint {
        var client = TestEndpoint.started(.client)
        #expect(client.request(method, fin: method[0].1 != "CONNECT") == nil)
        return client
    }

    static let malformed: [MessageCase] = [
        MessageCase("no status", [("x", "1")]),
        MessageCase("nothing at all", []),
        MessageCase("status twice", ok((":status", "200"))),
        MessageCase("status behind a field", [("x", "1"), (":status", "200")]),
        MessageCase("status of two digits", [(":status", "20")]),
        MessageCase("status of four digits", [(":status", "2000")]),
        MessageCase("status below 100", [(":status", "099")]),
        MessageCase("status that is no number", [(":status", "2oo")]),
        MessageCase("status with a space", [(":status", "200 OK")]),
        MessageCase("switching protocols", [(":status", "101")]),
        MessageCase("a path", [(":status", "200"), (":path", "/")]),
        MessageCase("a method", [(":method", "GET"), (":status", "200")]),
        MessageCase("unknown pseudo-header field", [(":status", "200"), (":reason", "OK")]),
        MessageCase("uppercase name", ok(("Server", "x"))),
        MessageCase("connection", ok(("connection", "close"))),
        MessageCase("transfer-encoding", ok(("transfer-encoding", "chunked"))),
        MessageCase("te", ok(("te", "trailers"))),
        MessageCase("line feed in a value", ok(("x", "a\nb"))),
        MessageCase("content-length twice", ok(("content-length", "1"), ("content-length", "1"))),
        MessageCase("content-length that is no number", ok(("content-length", "0x10"))),
    ]

    // Holds: 9114-4.1-5, 9114-4.1.2-1, 9114-4.1.2-2, 9114-4.1.2-3, 9114-4.2-2, 9114-4.2-3, 9114-4.2-4
    // Holds: 9114-4.2-5, 9114-4.3-1, 9114-4.3-2, 9114-4.3-5, 9114-4.3-6, 9114-4.3-7, 9114-4.3.2-1
    // Holds: 9114-10.3-2
    @Test(
        "A malformed response is never shown: H3_MESSAGE_ERROR (RFC 9114 section 4.1.2)", arguments: malformed
    )
    func neverShown(example: MessageCase) {
        var client = client()
        let actions = client.receive(PeerBytes.headers(example.lines), on: 0)
        #expect(actions.response == nil)
        expectStreamError(actions, .messageError)
        #expect(actions.failure?.code == .messageError)
        #expect(client.machine.openRequestCount == 0)
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.get), on: 0, fin: true)
        guard case .malformed = server.respond(example.lines) else {
            Issue.record("a server sends it")
            return
        }
        #expect(server.buffer.isEmpty && server.respond(PeerBytes.ok) == nil)
    }

    @Test("A response comes through as it was sent (RFC 9114 section 4.3.2)")
    func accepted() {
        var client = client()
        let lines = Self.ok(("content-type", "text/plain"), ("content-length", "3"), ("x", ""))
        let actions = client.receive(PeerBytes.headers(lines) + PeerBytes.data("abc"), on: 0, fin: true)
        #expect(actions.response?.fields == FieldSection(lines))
        #expect(actions.response?.contentLength == 3)
        #expect(actions.last == .end(0))
    }

    // Holds: 9114-4.3.2-1
    @Test("Every status but 101 from 100 to 999 is one (RFC 9110 section 15)")
    func statusCodes() {
        for status in [100, 199, 200, 204, 304, 404, 599, 600, 999] {
            var client = client()
            let actions = client.receive(PeerBytes.headers((":status", "\(status)")), on: 0)
            #expect(actions.closing == nil && actions.count == 1 && client.machine.openRequestCount == 1)
        }
    }

    // Holds: 9114-4.1.2-2
    @Test(
        "Responses that never have content must not have any (RFC 9114 section 4.1.2)",
        arguments: [
            "204", "304", "205", "head",
        ])
    func withoutContent(kind: String) {
        func respond(_ content: [UInt8]) -> [HTTP3Action] {
            var client = client(
                kind == "head" ? [(":method", "HEAD")] + PeerBytes.get.dropFirst() : PeerBytes.get)
            let status = kind == "head" ? "200" : kind
            let head = PeerBytes.headers((":status", status), ("content-length", "1000"))
            return client.receive(head + content, on: 0, fin: true)
        }
        let empty = respond([])
        #expect(empty.response?.contentLength == 1000 && empty.last == .end(0))
        #expect(respond(PeerBytes.frame(0x00)).last == .end(0))
        expectStreamError(respond(PeerBytes.data("x")), .messageError)
    }

    // Holds: 9114-4.1.2-2, 9114-4.1.2-3
    @Test("The content of a response has the length it was said to have (RFC 9114 section 4.1.2)")
    func contentLength() {
        let head = PeerBytes.headers(Self.ok(("content-length", "5")))
        for (content, isRight) in [("abcde", true), ("abcd", false), ("abcdef", false), ("", false)] {
            var client = client()
            let actions = client.receive(head + PeerBytes.data(content), on: 0, fin: true)
            #expect((actions.last == .end(0)) == isRight)
            // Both sides have ended, so that nobody is left to be told but the application.
            #expect(isRight || actions.failure?.code == .messageError && actions.closing == nil)
        }
    }

    @Test("Content-Length of an interim response says nothing about the final one (RFC 9110 section 8.6)")
    func interimLength() {
        var client = client()
        let interim = PeerBytes.headers((":status", "103"), ("content-length", "7"))
        let actions = client.receive(
            interim + PeerBytes.headers(PeerBytes.ok) + PeerBytes.data("ab"), on: 0, fin: true)
        #expect(actions.last == .end(0) && actions.closing == nil)
    }

    @Test("A response may come for a request that is not all sent yet (RFC 9114 section 4.1)")
    func early() {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.post, fin: false) == nil)
        let actions = client.receive(PeerBytes.headers((":status", "413")), on: 0, fin: true)
        #expect(actions.response?.status == 413 && actions.last == .end(0))
        #expect(client.data(5, fin: true) == nil)
        #expect(client.machine.openRequestCount == 0)
    }

    @Test("What comes on a stream that we never opened is ignored")
    func unsolicited() {
        var client = client()
        #expect(client.receive(PeerBytes.headers(PeerBytes.ok), on: 8, fin: true).isEmpty)
    }
}
