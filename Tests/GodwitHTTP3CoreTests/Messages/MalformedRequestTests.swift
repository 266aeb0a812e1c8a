import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

/// A message and what is wrong with it.
struct MessageCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let lines: [(String, String)]

    init(_ description: String, _ lines: [(String, String)]) {
        testDescription = description
        self.lines = lines
    }
}

@Suite("Malformed requests")
struct MalformedRequestTests {
    private static func get(_ more: (String, String)...) -> [(String, String)] { PeerBytes.get + more }

    private static func without(_ name: String, _ more: (String, String)...) -> [(String, String)] {
        PeerBytes.get.filter { $0.0 != name } + more
    }

    private static func with(_ name: String, _ value: String) -> [(String, String)] {
        PeerBytes.get.map { $0.0 == name ? (name, value) : $0 }
    }

    static let pseudoHeaders: [MessageCase] = [
        MessageCase("method missing", without(":method")),
        MessageCase("scheme missing", without(":scheme")),
        MessageCase("path missing", without(":path")),
        MessageCase("neither authority nor host", without(":authority")),
        MessageCase("nothing at all", []),
        MessageCase("method twice", PeerBytes.get + [(":method", "GET")]),
        MessageCase("path twice", [(":path", "/a")] + PeerBytes.get),
        MessageCase("scheme twice", [(":scheme", "https")] + PeerBytes.get),
        MessageCase("authority twice", [(":authority", "a.example")] + PeerBytes.get),
        MessageCase("path behind a field", without(":path", ("x", "1"), (":path", "/"))),
        MessageCase("unknown", [(":foo", "bar")] + PeerBytes.get),
        MessageCase("misspelt", without(":authority") + [(":autority", "a.example")]),
        MessageCase("of responses", [(":status", "200")] + PeerBytes.get),
        MessageCase("as long as known ones", [(":authoritx", "a"), (":schemx", "b")] + PeerBytes.get),
        MessageCase("as long as the protocol", [(":protocox", "a")] + PeerBytes.get),
        MessageCase("as long as the path", [(":patx", "/")] + PeerBytes.get),
        MessageCase("a colon alone", [(":", "x")] + PeerBytes.get),
        MessageCase("uppercase", without(":path", (":Path", "/"))),
        MessageCase("protocol that is not enabled", PeerBytes.extendedConnect),
        MessageCase("empty method", with(":method", "")),
        MessageCase("method with a space", with(":method", "GET /")),
        MessageCase("empty scheme", with(":scheme", "")),
        MessageCase(
            "uppercase scheme without authority",
            without(":authority").map { $0.0 == ":scheme" ? ($0.0, "HTTPS") : $0 }),
        MessageCase(
            "http without authority", without(":authority").map { $0.0 == ":scheme" ? ($0.0, "Http") : $0 }),
        MessageCase("scheme that is none", with(":scheme", "ht tp")),
        MessageCase("scheme that begins with a digit", with(":scheme", "1http")),
        MessageCase("no path for another scheme", [(":method", "GET"), (":scheme", "urn")]),
        MessageCase(
            "empty authority for another scheme",
            [(":method", "GET"), (":scheme", "urn"), (":path", "a:b"), (":authority", "")]),
        MessageCase("empty path", with(":path", "")),
        MessageCase("path without slash", with(":path", "index.html")),
        MessageCase("asterisk without OPTIONS", with(":path", "*")),
        MessageCase("path with a space", with(":path", "/a b")),
        MessageCase("path with a fragment", with(":path", "/a#b")),
        MessageCase("path with a line feed", with(":path", "/a\nb")),
        MessageCase("empty authority", with(":authority", "")),
        MessageCase("empty authority beside a host", with(":authority", "") + [("host", "a.example")]),
        MessageCase("authority with user information", with(":authority", "u:p@a.example")),
        MessageCase("authority with a path", with(":authority", "a.example/x")),
        MessageCase("authority with a space", with(":authority", "a.example b")),
        MessageCase("authority with a null", with(":authority", "a.\u{0}example")),
    ]

    static let fields: [MessageCase] = [
        MessageCase("uppercase name", get(("X-Upper", "1"))),
        MessageCase("empty name", get(("", "1"))),
        MessageCase("name with a space", get(("x y", "1"))),
        MessageCase("name with a colon", get(("x:y", "1"))),
        MessageCase("name with a line feed", get(("x\ny", "1"))),
        MessageCase("name with a null", get(("x\u{0}", "1"))),
        MessageCase("name beyond ASCII", get(("xé", "1"))),
        MessageCase("name with a delete", get(("x\u{7f}", "1"))),
        MessageCase("value with a carriage return", get(("x", "a\rb"))),
        MessageCase("value with a line feed", get(("x", "a\nb"))),
        MessageCase("value with a null", get(("x", "a\u{0}b"))),
        MessageCase("long value with a line feed", get(("x", "0123456701234567012345\n70123"))),
        MessageCase("long value with a null", get(("x", "01234567\u{0}1234567"))),
        MessageCase("value with a delete", get(("x", "0123456701234\u{7f}567"))),
        MessageCase("value with another control", get(("x", "a\u{1}b"))),
        MessageCase("value with a space before", get(("x", " a"))),
        MessageCase("value with a space behind", get(("x", "a "))),
        MessageCase("value with a tab before", get(("x", "\ta"))),
        MessageCase("value with a tab behind", get(("x", "a\t"))),
        MessageCase("value of a space", get(("x", " "))),
        MessageCase("connection", get(("connection", "close"))),
        MessageCase("keep-alive", get(("keep-alive", "timeout=5"))),
        MessageCase("proxy-connection", get(("proxy-connection", "keep-alive"))),
        MessageCase("transfer-encoding", get(("transfer-encoding", "chunked"))),
        MessageCase("upgrade", get(("upgrade", "websocket"))),
        MessageCase("te of gzip", get(("te", "gzip"))),
        MessageCase("te of more than trailers", get(("te", "trailers, gzip"))),
        MessageCase("host beside another authority", get(("host", "b.example"))),
        MessageCase("empty host", without(":authority", ("host", ""))),
        MessageCase("two hosts", without(":authority", ("host", "a.example"), ("host", "a.example"))),
        MessageCase("host with user information", without(":authority", ("host", "u@a.example"))),
        MessageCase("host with a path", without(":authority", ("host", "a.example/x"))),
        MessageCase("host with a space", without(":authority", ("host", "a.example b"))),
        MessageCase("host beyond ASCII", without(":authority", ("host", "é.example"))),
        MessageCase("content-length that is no number", get(("content-length", "five"))),
        MessageCase("empty content-length", get(("content-length", ""))),
        MessageCase("negative content-length", get(("content-length", "-1"))),
        MessageCase("content-length with a plus", get(("content-length", "+1"))),
        MessageCase("content-length that overflows", get(("content-length", "18446744073709551617"))),
        MessageCase("content-length as a list", get(("content-length", "0, 0"))),
        MessageCase("content-length twice", get(("content-length", "0"), ("content-length", "0"))),
    ]

    static let connects: [MessageCase] = [
        MessageCase("with scheme", PeerBytes.connect + [(":scheme", "https")]),
        MessageCase("with path", PeerBytes.connect + [(":path", "/")]),
        MessageCase("without authority", [(":method", "CONNECT")]),
        MessageCase("without port", [(":method", "CONNECT"), (":authority", "b.example")]),
        MessageCase("with an empty port", [(":method", "CONNECT"), (":authority", "b.example:")]),
        MessageCase("without host", [(":method", "CONNECT"), (":authority", ":443")]),
        MessageCase("with a port that is no number", [(":method", "CONNECT"), (":authority", "b:https")]),
        MessageCase("with port 0", [(":method", "CONNECT"), (":authority", "b.example:0")]),
        MessageCase("with a port above all", [(":method", "CONNECT"), (":authority", "b.example:65536")]),
        MessageCase("with user information", [(":method", "CONNECT"), (":authority", "u@b.example:443")]),
        MessageCase("with IPv6 without brackets", [(":method", "CONNECT"), (":authority", "::1:443")]),
        MessageCase("with another host", PeerBytes.connect + [("host", "c.example:443")]),
        MessageCase("with an empty host", PeerBytes.connect + [("host", "")]),
    ]

    // Holds: 9114-4.1.2-1, 9114-4.1.2-2, 9114-4.3-1, 9114-4.3-3, 9114-4.3-5, 9114-4.3-6, 9114-4.3-7
    // Holds: 9114-4.3.1-1, 9114-4.3.1-4, 9114-4.3.1-5, 9114-4.3.1-6, 9114-4.3.1-7, 9114-4.3.1-8
    @Test(
        "Pseudo-header fields break the rules: H3_MESSAGE_ERROR (RFC 9114 section 4.3)",
        arguments: pseudoHeaders)
    func brokenPseudoHeaders(example: MessageCase) { expectMalformed(example) }

    // Holds: 9114-4.1-5, 9114-4.1.2-1, 9114-4.1.2-2, 9114-4.2-2, 9114-4.2-3, 9114-4.2-4, 9114-4.2-5
    // Holds: 9114-4.3.1-1, 9114-4.3.1-8, 9114-4.3.1-9, 9114-10.3-1, 9114-10.3-2
    @Test("Fields break the rules: H3_MESSAGE_ERROR (RFC 9114 sections 4.2 and 10.3)", arguments: fields)
    func brokenFields(example: MessageCase) { expectMalformed(example) }

    // Holds: 9114-4.3.1-8, 9114-4.3.1-9, 9114-4.4-1
    @Test("CONNECT breaks its rules: H3_MESSAGE_ERROR (RFC 9114 section 4.4)", arguments: connects)
    func brokenConnect(example: MessageCase) { expectMalformed(example) }

    private func expectMalformed(_ example: MessageCase) {
        var server = TestEndpoint.started(.server)
        let actions = server.receive(PeerBytes.headers(example.lines), on: 0, fin: true)
        #expect(actions.request == nil)
        expectStreamError(actions, .messageError)
        #expect(server.machine.openRequestCount == 0)
        // The connection goes on.
        #expect(server.receive(PeerBytes.headers(PeerBytes.get), on: 4, fin: true).request != nil)
        // What is malformed to receive can't be sent either.
        var client = TestEndpoint.started(.client)
        let error = client.request(example.lines)
        if example.testDescription.contains("not enabled") {
            #expect(error == .notEnabledByPeer)
        } else if case .malformed(let field, let reason) = error {
            #expect(!field.isEmpty && !reason.isEmpty)
        } else {
            Issue.record("sent: \(String(describing: error))")
        }
        #expect(client.buffer.isEmpty && client.machine.openRequestCount == 0)
    }

    static let wellFormed: [MessageCase] = [
        MessageCase("host in place of authority", without(":authority", ("host", "a.example"))),
        MessageCase("host that equals authority", get(("host", "a.example"))),
        MessageCase(
            "OPTIONS of everything",
            [
                (":method", "OPTIONS"), (":scheme", "https"), (":authority", "a.example"), (":path", "*"),
            ]),
        MessageCase("te of trailers", get(("te", "trailers"))),
        MessageCase("empty value", get(("x", ""))),
        MessageCase("inner white space", get(("x", "a b\tc"))),
        MessageCase("value beyond ASCII", get(("x", "é"))),
        MessageCase("every character of a name", get(("!#$%&'*+-.^_`|~09az", "1"))),
        MessageCase("pseudo-header fields in another order", PeerBytes.get.reversed()),
        MessageCase(
            "a scheme without authority", [(":method", "GET"), (":scheme", "urn"), (":path", "a:b")]),
        MessageCase("a method of one's own", with(":method", "FROBNICATE")),
        MessageCase("a lowercase method, which is another", with(":method", "get")),
        MessageCase("a query", with(":path", "/a?b=c&d=%20")),
        MessageCase("an address of IPv6", with(":authority", "[::1]:443")),
        MessageCase("CONNECT", PeerBytes.connect),
        MessageCase("CONNECT with a host", PeerBytes.connect + [("host", "b.example:443")]),
        MessageCase("CONNECT to IPv6", [(":method", "CONNECT"), (":authority", "[::1]:65535")]),
        MessageCase(
            "names as long as those that have a meaning",
            get(
                ("tf", "1"), ("hose", "1"), ("cookis", "1"), ("upgradx", "1"), ("prioritx", "1"),
                ("connectiox", "1"),
                ("keep-alivx", "1"), ("content-lengtx", "x"), ("proxy-connectiox", "1"),
                ("transfer-encodinx", "1"),
                ("transxer-encoding", "1"), ("a-name-that-is-longer-than-that", "1"))),
        MessageCase("upgrade-insecure-requests", get(("upgrade-insecure-requests", "1"))),
        MessageCase("content-length of none", get(("content-length", "0"))),
    ]

    // Holds: 9114-4.2-5, 9114-4.3.1-5, 9114-4.3.1-7, 9114-4.3.1-9, 9114-4.3.1-10, 9114-4.4-1
    @Test(
        "What keeps to the rules comes through as it was sent (RFC 9114 section 4.3.1)", arguments: wellFormed
    )
    func accepted(example: MessageCase) {
        var client = TestEndpoint.started(.client)
        #expect(client.request(example.lines) == nil)
        var server = TestEndpoint.started(.server)
        let actions = server.receive(client.buffer, on: 0, fin: true)
        #expect(actions.request?.fields == FieldSection(example.lines))
        #expect(actions.last == .end(0))
    }

    @Test("The reason names the field, and nothing in it can harm a log")
    func reasons() {
        var server = TestEndpoint.started(.server)
        server.machine.streamOpened(0)
        server.receive(PeerBytes.headers(PeerBytes.post), on: 0)
        let name = "x\u{1b}[31m" + String(repeating: "y", count: 1000)
        let actions = server.receive(PeerBytes.headers((name, "1")), on: 0)
        let reason = actions.failure?.reason ?? ""
        #expect(reason.contains("x?[31m") && reason.utf8.count < 200 && !reason.contains("\u{1b}"))
    }

    // Holds: 9114-4.1.2-2, 9114-4.2-2, 9114-4.2-4, 9114-4.3-4
    @Test(
        "Trailers have no pseudo-header fields and no connection-specific ones (RFC 9114 section 4.3)",
        arguments: [
            ":path", ":status", ":foo", "connection", "te", "Upper",
        ])
    func trailers(name: String) {
        let value = name == "te" ? "trailers" : "x"
        var server = TestEndpoint.started(.server)
        let post = PeerBytes.headers(PeerBytes.post) + PeerBytes.data("a")
        let actions = server.receive(post + PeerBytes.headers((name, value)), on: 0, fin: true)
        expectStreamError(actions, .messageError)
        #expect(actions.failure?.code == .messageError)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        let response = PeerBytes.headers(PeerBytes.ok) + PeerBytes.headers((name, value))
        expectStreamError(client.receive(response, on: 0), .messageError)
    }

    // Holds: 9114-4.2.1-1
    @Test("Cookies in several lines are one for whoever asks (RFC 9114 section 4.2.1)")
    func cookies() {
        var server = TestEndpoint.started(.server)
        let lines = PeerBytes.get + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]
        let head = server.receive(PeerBytes.headers(lines), on: 0).request
        #expect(head?.cookie.map { String(decoding: $0, as: UTF8.self) } == "a=1; b=2; c=3")
        let plain = server.receive(PeerBytes.headers(PeerBytes.get), on: 4).request
        #expect(plain != nil && plain?.cookie == nil)
    }
}
