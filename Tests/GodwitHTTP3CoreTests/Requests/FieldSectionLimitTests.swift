import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Field sections above our limit")
struct FieldSectionLimitTests {
    private let large = PeerBytes.get + [("x", String(repeating: "a", count: 900))]

    private func server() -> TestEndpoint { .started(.server) { $0.maximumFieldSectionSize = 1000 } }

    @Test("A server can answer 431, and the connection goes on (RFC 9114 section 4.2.2)")
    func answered() {
        var server = server()
        let actions = server.receive(PeerBytes.headers(large), on: 0)
        #expect(actions == [.fieldSectionTooLarge(0), .stopSending(0, code: .noError)])
        #expect(server.receive(PeerBytes.data("late"), on: 0, fin: true).isEmpty)
        #expect(server.respond([(":status", "431")]) == nil)
        #expect(server.machine.openRequestCount == 0)
        #expect(server.receive(PeerBytes.headers(PeerBytes.get), on: 4).request != nil)
    }

    @Test("A section too long even encoded is not kept (RFC 9114 section 10.5.1)")
    func neverKept() {
        var server = server()
        let actions = server.receive([0x01] + PeerBytes.varint(1 << 40) + [0, 0], on: 0)
        #expect(actions == [.fieldSectionTooLarge(0), .stopSending(0, code: .noError)])
        for _ in 0..<100 { #expect(server.receive([UInt8](repeating: 0, count: 1000), on: 0).isEmpty) }
        #expect(server.respond([(":status", "431")], fin: false) == nil)
        #expect(server.data(3, fin: true) == nil)
    }

    @Test("The limit counts names, values and 32 bytes a line, and what just fits is taken")
    func exactly() {
        let overhead = FieldSection(PeerBytes.get + [("x", "")]).size
        for (count, fits) in [(1000 - overhead, true), (1001 - overhead, false)] {
            var server = server()
            let lines = PeerBytes.get + [("x", String(repeating: "a", count: count))]
            #expect((server.receive(PeerBytes.headers(lines), on: 0).request != nil) == fits)
        }
    }

    @Test("Trailers have the same limit (RFC 9114 section 4.2.2)")
    func trailers() {
        var server = server()
        let bytes =
            PeerBytes.headers(PeerBytes.post) + PeerBytes.headers(("x", String(repeating: "a", count: 1000)))
        let actions = server.receive(bytes, on: 0, fin: true)
        #expect(actions.count == 3 && actions[1] == .fieldSectionTooLarge(0))
        #expect(server.respond([(":status", "431")]) == nil)
    }

    @Test("A client drops such a response (RFC 9114 section 4.2.2)")
    func client() {
        var client = TestEndpoint.started(.client) { $0.maximumFieldSectionSize = 1000 }
        #expect(client.request(PeerBytes.post, fin: false) == nil)
        let lines = PeerBytes.ok + [("x", String(repeating: "a", count: 1000))]
        #expect(
            client.receive(PeerBytes.headers(lines), on: 0) == [
                .fieldSectionTooLarge(0), .resetStream(0, code: .excessiveLoad),
                .stopSending(0, code: .excessiveLoad),
            ])
        #expect(client.machine.openRequestCount == 0)
    }

    @Test("A client is done with such a response, also when it ends at once and as the last of a shutdown")
    func clientIsDone() {
        var client = TestEndpoint.started(.client) { $0.maximumFieldSectionSize = 1000 }
        for id: StreamID in [0, 4] { #expect(client.request(PeerBytes.get, on: id) == nil) }
        #expect(client.receive(PeerBytes.frame(0x07, [8]), on: 3) == [.goaway(8)])
        let response = PeerBytes.headers(PeerBytes.ok + [("x", String(repeating: "a", count: 1000))])
        for id: StreamID in [0, 4] {
            let actions = client.receive(response, on: id, fin: true)
            let expected: [HTTP3Action] = [
                .fieldSectionTooLarge(id), .stopSending(id, code: .excessiveLoad),
            ]
            #expect(actions == expected + (id == 4 ? [.drained] : []))
        }
    }

    @Test("The limit is told to the peer (RFC 9114 section 7.2.4.1)")
    func told() {
        #expect(HTTP3Settings(server().machine.configuration).maximumFieldSectionSize == 1000)
    }
}
