import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Request streams: frames in their order")
struct RequestFramingTests {
    private let request = PeerBytes.headers(PeerBytes.get)
    private let post = PeerBytes.headers(PeerBytes.post)

    @Test("A request without content is a header section and the end (RFC 9114 section 4.1)")
    func get() throws {
        var server = TestEndpoint.started(.server)
        let actions = server.receive(request, on: 0, fin: true)
        let head = try #require(actions.request)
        #expect(actions == [.request(0, head), .end(0)])
        #expect(head.method == .get && head.pseudoHeaderCount == 4)
        #expect(head.fields[try #require(head.pathLine)].value == "/")
        #expect(head.fields[try #require(head.authorityLine)].value == "a.example")
        #expect(head.fields[try #require(head.schemeLine)].value == "https")
        #expect(head.fields[head.methodLine].value == "GET")
        #expect(head.protocolLine == nil && head.contentLength == nil && !head.isEarlyData)
    }

    @Test("Content is told as ranges of what was given (RFC 9114 section 7.2.1)")
    func ranges() {
        var server = TestEndpoint.started(.server)
        let bytes = post + PeerBytes.data("abc") + PeerBytes.data("defgh")
        let actions = server.receive(bytes, on: 0, fin: true)
        let contents = actions.compactMap { action -> String? in
            guard case .data(0, let range) = action else { return nil }
            return String(decoding: bytes[range], as: UTF8.self)
        }
        #expect(contents == ["abc", "defgh"])
        #expect(actions.last == .end(0))
    }

    @Test("A request may come byte by byte (RFC 9114 section 7.1)")
    func byteByByte() {
        var server = TestEndpoint.started(.server)
        let bytes = post + PeerBytes.data("abc") + PeerBytes.headers(("x-sum", "9"))
        var content: [UInt8] = []
        var kinds: [String] = []
        for byte in bytes {
            for action in server.receive([byte], on: 0) {
                switch action {
                case .request: kinds.append("head")
                case .data(_, let range):
                    content += [byte][range]
                    kinds.append("data")
                case .trailers(_, let fields): kinds.append("trailers \(fields.pairs)")
                default: kinds.append("other")
                }
            }
        }
        #expect(kinds == ["head", "data", "data", "data", "trailers [\"x-sum: 9\"]"])
        #expect(content == Array("abc".utf8))
        #expect(server.receive([], on: 0, fin: true) == [.end(0)])
    }

    // Holds: 9114-4.1-3
    @Test("DATA before the header section is H3_FRAME_UNEXPECTED, even empty (RFC 9114 section 4.1)")
    func dataFirst() {
        for (role, id) in [(Role.server, StreamID(rawValue: 0)), (.client, 0)] {
            var endpoint = TestEndpoint.started(role)
            if role == .client { #expect(endpoint.request(PeerBytes.get) == nil) }
            expectClose(endpoint.receive(PeerBytes.frame(0x00), on: id), .frameUnexpected)
        }
    }

    // Holds: 9114-4.1-3
    @Test("DATA behind an interim response is H3_FRAME_UNEXPECTED (RFC 9114 section 4.1)")
    func dataBehindInterim() {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        let bytes = PeerBytes.headers((":status", "103")) + PeerBytes.data("x")
        expectClose(client.receive(bytes, on: 0), .frameUnexpected)
    }

    // Holds: 9114-4.1-3
    @Test("Neither HEADERS nor DATA follow the trailer section (RFC 9114 section 4.1)")
    func behindTrailers() {
        let trailed = post + PeerBytes.headers(("x-sum", "9"))
        for more in [PeerBytes.data("x"), PeerBytes.frame(0x00), PeerBytes.headers(("x-more", "1"))] {
            var server = TestEndpoint.started(.server)
            expectClose(server.receive(trailed + more, on: 0), .frameUnexpected)
            var client = TestEndpoint.started(.client)
            #expect(client.request(PeerBytes.get) == nil)
            let response = PeerBytes.headers(PeerBytes.ok) + PeerBytes.headers(("x-sum", "9"))
            expectClose(client.receive(response + more, on: 0), .frameUnexpected)
        }
    }

    // Holds: 9114-7.2.3-1, 9114-7.2.4-5, 9114-7.2.6-2, 9114-7.2.7-1, 9218-7.2-2
    @Test(
        "Frames of the control stream on a request stream are H3_FRAME_UNEXPECTED (RFC 9114 section 7.2)",
        arguments: [0x03, 0x04, 0x07, 0x0d, 0xf0700, 0xf0701] as [UInt64])
    func controlFrames(type: UInt64) {
        for before in [[], request] {
            var server = TestEndpoint.started(.server)
            expectClose(server.receive(before + PeerBytes.frame(type), on: 0), .frameUnexpected)
        }
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        expectClose(client.receive(PeerBytes.frame(type), on: 0), .frameUnexpected)
    }

    // Holds: 9114-7.2.8-3, 9218-2.1-5
    @Test(
        "Frames that HTTP/2 had are H3_FRAME_UNEXPECTED here too (RFC 9114 section 7.2.8)",
        arguments: [0x02, 0x06, 0x08, 0x09] as [UInt64])
    func reservedFrames(type: UInt64) {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive(request + PeerBytes.frame(type, [1, 2]), on: 0), .frameUnexpected)
    }

    // Holds: 9114-7.2.8-1, 9114-9-1
    @Test("Unknown frames may stand anywhere, and mean nothing (RFC 9114 sections 4.1 and 9)")
    func unknownFrames() {
        let grease =
            PeerBytes.frame(0x21) + PeerBytes.frame(0x40, [1, 2, 3]) + PeerBytes.frame(0x1f * 77 + 0x21)
        let bytes =
            grease + post + grease + PeerBytes.data("ab") + grease + PeerBytes.headers(("x-sum", "9"))
            + grease
        var server = TestEndpoint.started(.server)
        let actions = server.receive(bytes, on: 0, fin: true)
        #expect(actions.count == 4 && actions.last == .end(0), "\(actions)")
    }

    // Holds: 9114-7.1-4, 9114-10.8-1
    @Test("A stream that ends within a frame is H3_FRAME_ERROR (RFC 9114 section 7.1)")
    func truncated() {
        let whole = post + PeerBytes.data("abc") + PeerBytes.frame(0x40, [1, 2])
        let boundaries = [post.count, post.count + 5, whole.count]
        for count in 1..<whole.count where !boundaries.contains(count) {
            var server = TestEndpoint.started(.server)
            let actions = server.receive(Array(whole[..<count]), on: 0, fin: true)
            #expect(actions.closing?.code == .frameError, "\(count)")
        }
    }

    @Test("A reset may come within a frame (RFC 9114 section 7.1)")
    func resetWithinFrame() {
        var server = TestEndpoint.started(.server)
        #expect(server.receive(post + [0x00, 0x05, 0x61], on: 0).count == 2)
        server.machine.receiveReset(of: 0, code: 0x10c)
        #expect(server.take() == [.resetByPeer(0, code: .requestCancelled)])
    }

    @Test("A stream that ends before a request is H3_REQUEST_INCOMPLETE (RFC 9114 section 4.1)")
    func incompleteRequest() {
        for bytes in [[], PeerBytes.frame(0x21, [1])] {
            var server = TestEndpoint.started(.server)
            let actions = server.receive(bytes, on: 0, fin: true)
            #expect(actions == [.resetStream(0, code: .requestIncomplete)])
            #expect(server.machine.openRequestCount == 0)
        }
    }

    @Test("A stream that ends before the final response is no response (RFC 9114 section 4.1.2)")
    func incompleteResponse() {
        for bytes in [[], PeerBytes.headers((":status", "100"))] {
            var client = TestEndpoint.started(.client)
            #expect(client.request(PeerBytes.get) == nil)
            let actions = client.receive(bytes, on: 0, fin: true)
            #expect(actions.failure?.code == .messageError && actions.closing == nil)
        }
    }

    // Holds: 9114-4.1-2
    @Test("A second request or response on a stream is malformed (RFC 9114 section 4.1)")
    func secondMessage() {
        var server = TestEndpoint.started(.server)
        expectStreamError(server.receive(request + request, on: 0), .messageError)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        let response = PeerBytes.headers(PeerBytes.ok)
        expectStreamError(client.receive(response + PeerBytes.data("a") + response, on: 0), .messageError)
    }

    @Test("Any number of interim responses come before the final one (RFC 9114 section 4.1)")
    func interimResponses() {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        var bytes: [UInt8] = []
        for _ in 0..<20 { bytes += PeerBytes.headers((":status", "103"), ("link", "</a.css>")) }
        let actions = client.receive(bytes + PeerBytes.headers(PeerBytes.ok), on: 0, fin: true)
        let interim = actions.compactMap { action -> Int? in
            guard case .informationalResponse(0, let head) = action else { return nil }
            return head.isInformational ? head.status : nil
        }
        #expect(interim == [Int](repeating: 103, count: 20))
        #expect(actions.response?.status == 200 && actions.last == .end(0))
        #expect(client.machine.openRequestCount == 0)
    }

    @Test("Streams do not disturb each other, in whatever order they come")
    func manyStreams() {
        var server = TestEndpoint.started(.server)
        for index in 0..<200 as Range<UInt64> { server.machine.streamOpened(StreamID(rawValue: index * 4)) }
        for index in (0..<200 as Range<UInt64>).reversed() {
            let id = StreamID(rawValue: index * 4)
            let actions = server.receive(PeerBytes.headers(PeerBytes.get + [("x-index", "\(index)")]), on: id)
            #expect(actions.request?.fields["x-index"] == "\(index)")
        }
        for index in 0..<200 as Range<UInt64> {
            let id = StreamID(rawValue: index * 4)
            #expect(server.receive([], on: id, fin: true) == [.end(id)])
            #expect(server.respond(PeerBytes.ok, on: id) == nil)
        }
        #expect(server.machine.openRequestCount == 0)
        #expect(server.receive(request, on: 400).isEmpty)
    }

    @Test("A stream opens all lower ones of its kind (RFC 9000 section 3.2)")
    func opensLower() {
        var server = TestEndpoint.started(.server)
        #expect(server.receive(request, on: 12, fin: true).request != nil)
        #expect(server.machine.openRequestCount == 4)
        for id: StreamID in [8, 0, 4] { #expect(server.receive(request, on: id, fin: true).request != nil) }
        server.machine.streamOpened(16)
        #expect(server.machine.openRequestCount == 5)
        server.machine.streamOpened(8)
        #expect(server.machine.openRequestCount == 5)
    }

    @Test("A stream far above all others is not believed (RFC 9114 section 10.5)")
    func farAbove() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive(request, on: StreamID(rawValue: 1 << 60)), .idError)
        var other = TestEndpoint.started(.server)
        other.machine.streamOpened(StreamID(rawValue: 4095 * 4))
        #expect(other.take().closing == nil && other.machine.openRequestCount == 1024)
    }
}
