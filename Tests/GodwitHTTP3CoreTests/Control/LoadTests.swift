import GodwitHTTP3Core
import GodwitWire
import Testing

@Suite("Peers that mean harm")
struct LoadTests {
    @Test("Too many frames without meaning are H3_EXCESSIVE_LOAD, wherever they are (RFC 9114 section 10.5)")
    func meaninglessFrames() {
        for (id, start, frame) in [
            (StreamID(rawValue: 2), [], PeerBytes.frame(0x21)),
            (0, PeerBytes.headers(PeerBytes.post), PeerBytes.frame(0x21)),
            (0, PeerBytes.headers(PeerBytes.post), PeerBytes.frame(0x00)),
            (0, PeerBytes.headers(PeerBytes.post), PeerBytes.frame(0x40, [1])),
        ] {
            var server = TestEndpoint.started(.server) { $0.limits.meaninglessElements = 100 }
            server.receive(start, on: id)
            for _ in 0..<100 { #expect(server.receive(frame, on: id).isEmpty) }
            expectClose(server.receive(frame, on: id), .excessiveLoad)
        }
    }

    @Test("So are too many frames that change what was said before (RFC 9114 section 10.5)")
    func repeatedFrames() {
        for frame in [
            PeerBytes.frame(0x0d, [1]), PeerBytes.frame(0x07, [0]), PeerBytes.frame(0xf0700, [0]),
            PeerBytes.frame(0xf0700, [0, 0x2c]), PeerBytes.frame(0xf0700, [0x40, 0x40]),
        ] {
            var server = TestEndpoint.started(.server) { $0.limits.meaninglessElements = 100 }
            server.receive(PeerBytes.headers(PeerBytes.get), on: 0)
            for _ in 0..<100 { #expect(server.receive(frame, on: 2).closing == nil) }
            expectClose(server.receive(frame, on: 2), .excessiveLoad)
        }
    }

    @Test("Many tiny frames are taken in portions, so that their actions need little room")
    func tinyFrames() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.post), on: 0)
        var bytes = [[UInt8]](repeating: [0x00, 0x01, 0x61], count: 3000).flatMap { $0 }
        var portions: [Int] = []
        while !bytes.isEmpty {
            let actions = server.receive(bytes, on: 0, fin: true)
            #expect(actions.last == (server.unconsumed.isEmpty ? .end(0) : .resume(0)))
            portions.append(actions.count - 1)
            bytes = server.unconsumed
        }
        #expect(portions.reduce(0, +) == 3000 && portions.count == 6 && portions.max() == 512)
    }

    @Test(
        "Field sections in pieces are kept up to a bound over all streams (RFC 9114 section 10.5)"
    )
    func heldSections() {
        var server = TestEndpoint.started(.server) { $0.limits.heldBytes = 10_000 }
        let part = [0x01] + PeerBytes.varint(5000) + [UInt8](repeating: 0, count: 4000)
        #expect(server.receive(part, on: 0).isEmpty && server.receive(part, on: 4).isEmpty)
        #expect(server.receive(part, on: 8) == [.fieldSectionTooLarge(8), .stopSending(8, code: .noError)])
        // What ends gives its share back, however it ends.
        server.machine.receiveReset(of: 0, code: 0x10c)
        server.machine.cancel(4)
        _ = server.take()
        #expect(server.receive(part, on: 12).isEmpty && server.receive(part, on: 16).isEmpty)
        server.machine.stopReceiving(12)
        _ = server.take()
        server.machine.cancel(16)
        _ = server.take()
        let whole = PeerBytes.headers(PeerBytes.get + [("x", String(repeating: "~", count: 6000))])
        for id in 5..<15 as Range<UInt64> {
            #expect(server.receive(Array(whole.dropLast()), on: StreamID(rawValue: id * 4)).isEmpty)
            #expect(server.receive(Array(whole.suffix(1)), on: StreamID(rawValue: id * 4)).request != nil)
        }
    }

    @Test("So are too many cancellations of streams that refer to nothing (RFC 9114 section 10.5)")
    func idleCancellations() {
        var server = TestEndpoint.started(.server) { $0.limits.meaninglessElements = 100 }
        #expect(server.receive([UInt8](repeating: 0x48, count: 100), on: 10).isEmpty)
        expectClose(server.receive([0x48], on: 10), .excessiveLoad)
        // One for each request is what a client says that gives them up.
        var busy = TestEndpoint.started(.server) { $0.limits.meaninglessElements = 10 }
        for id in 0..<15 as Range<UInt64> {
            busy.receive(PeerBytes.headers(PeerBytes.get), on: StreamID(rawValue: id * 4), fin: true)
            #expect(busy.receive([0x40 | UInt8(id * 4)], on: 10).isEmpty)
        }
    }

    @Test("So are too many streams of unknown types (RFC 9114 section 10.5)")
    func meaninglessStreams() {
        var server = TestEndpoint.started(.server) { $0.limits.meaninglessElements = 100 }
        for index in 3..<103 as Range<UInt64> {
            #expect(server.receive([0x21], on: .unidirectional(index, of: .client)).closing == nil)
        }
        expectClose(server.receive([0x21], on: .unidirectional(103, of: .client)), .excessiveLoad)
    }

    @Test("A peer that sends some with every request is no trouble (RFC 9114 section 10.5)")
    func usualGrease() {
        var server = TestEndpoint.started(.server) { $0.limits.meaninglessElements = 100 }
        let request = PeerBytes.frame(0x21) + PeerBytes.headers(PeerBytes.get) + PeerBytes.frame(0x40, [1])
        for index in 0..<500 as Range<UInt64> {
            let id = StreamID(rawValue: index * 4)
            #expect(server.receive(request, on: id, fin: true).closing == nil)
            #expect(server.respond(PeerBytes.ok, on: id) == nil)
        }
        var client = TestEndpoint.started(.client) { $0.limits.meaninglessElements = 100 }
        let response = PeerBytes.frame(0x21) + PeerBytes.headers(PeerBytes.ok) + PeerBytes.frame(0x40, [1])
        for index in 0..<500 as Range<UInt64> {
            let id = StreamID(rawValue: index * 4)
            #expect(client.request(PeerBytes.get, on: id) == nil)
            #expect(client.receive(response, on: id, fin: true).closing == nil)
        }
    }

    @Test("Random bytes on any stream never trap, and end in an error or in nothing")
    func randomBytes() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<300 {
            let role: Role = generator.next() & 1 == 0 ? .server : .client
            var endpoint = TestEndpoint(role) { $0.isConnectProtocolEnabled = true }
            if role == .client { _ = endpoint.request(PeerBytes.get) }
            for _ in 0..<20 {
                let ids: [StreamID] = [0, 0, 4, .control(of: role.peer), .encoder(of: role.peer), 14, 15]
                let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                    UInt8.random(in: 0...(generator.next() & 1 == 0 ? 9 : 255), using: &generator)
                }
                let id = ids[Int.random(in: 0..<ids.count, using: &generator)]
                endpoint.receive(bytes, on: id, fin: generator.next() % 16 == 0)
                if generator.next() % 32 == 0 {
                    endpoint.machine.receiveReset(of: id, code: generator.next())
                }
            }
        }
    }

    @Test("Damaged messages never trap, and are never taken for others")
    func damagedMessages() {
        var generator = SeededGenerator(seed: 12)
        let whole =
            PeerBytes.headers(PeerBytes.post + [("content-length", "5"), ("priority", "u=1, i")])
            + PeerBytes.data("abcde") + PeerBytes.headers(("x-sum", "1"))
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            var server = TestEndpoint(.server)
            let actions = server.receive(bytes, on: 0, fin: true)
            let (ends, fails) = (
                actions.contains(.end(0)), actions.closing != nil || actions.resetCode(of: 0) != nil
            )
            #expect(
                ends != fails || actions.contains(.fieldSectionTooLarge(0))
                    || server.machine.openRequestCount == 1)
        }
    }
}
