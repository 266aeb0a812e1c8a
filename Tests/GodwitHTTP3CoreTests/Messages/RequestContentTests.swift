import GodwitHTTP3Core
import GodwitWire
import Testing

@Suite("Content of requests")
struct RequestContentTests {
    private func receive(length: String, _ frames: [UInt8], fin: Bool = true) -> [HTTP3Action] {
        var server = TestEndpoint.started(.server)
        let head = PeerBytes.headers(PeerBytes.post + [("content-length", length)])
        return server.receive(head + frames, on: 0, fin: fin)
    }

    @Test("Content has the length it was said to have, in however many frames (RFC 9114 section 4.1.2)")
    func matching() {
        #expect(receive(length: "6", PeerBytes.data("abcdef")).last == .end(0))
        #expect(receive(length: "6", PeerBytes.data("abc") + PeerBytes.data("def")).last == .end(0))
        #expect(receive(length: "0", []).last == .end(0))
        #expect(receive(length: "6", PeerBytes.data("abcdef")).request?.contentLength == 6)
    }

    // Holds: 9114-4.1.2-2
    @Test("Less or more content is H3_MESSAGE_ERROR (RFC 9114 section 4.1.2)")
    func mismatch() {
        for (length, frames) in [
            ("6", PeerBytes.data("abcde")), ("6", []), ("0", PeerBytes.data("a")),
            ("6", PeerBytes.data("abc") + PeerBytes.data("defg")),
            ("6", PeerBytes.data("abc") + PeerBytes.headers(("x", "1"))),
        ] {
            let actions = receive(length: length, frames)
            expectStreamError(actions, .messageError)
            #expect(actions.failure?.code == .messageError)
        }
    }

    // Holds: 9114-4.1.2-2
    @Test("Too much content is found by the header of its frame (RFC 9114 section 4.1.2)")
    func foundEarly() {
        let actions = receive(length: "6", [0x00] + PeerBytes.varint(1 << 50), fin: false)
        expectStreamError(actions, .messageError)
    }

    @Test("Without Content-Length any content goes, and frames of any length")
    func unlimited() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.post) + [0x00] + PeerBytes.varint((1 << 62) - 1), on: 0)
        for _ in 0..<10 {
            #expect(server.receive([UInt8](repeating: 1, count: 1000), on: 0) == [.data(0, 0..<1000)])
        }
    }

    @Test("Content-Length may be as large as it likes to be and not overflow anything")
    func huge() {
        let actions = receive(length: "999999999999999999", PeerBytes.data("abc"), fin: false)
        #expect(actions.request?.contentLength == 999_999_999_999_999_999 && actions.count == 2)
    }
}
