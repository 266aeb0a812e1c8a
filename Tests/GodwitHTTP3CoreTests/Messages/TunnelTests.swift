import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("CONNECT and extended CONNECT")
struct TunnelTests {
    private func pair(
        _ request: [(String, String)] = PeerBytes.connect, status: String = "200"
    ) -> (client: TestEndpoint, server: TestEndpoint) {
        var client = TestEndpoint.started(.client, peer: [(0x08, 1)])
        var server = TestEndpoint.started(.server) { $0.isConnectProtocolEnabled = true }
        #expect(client.request(request, fin: false) == nil)
        #expect(server.receive(client.buffer, on: 0).request?.method == .connect)
        #expect(server.respond([(":status", status)], fin: false) == nil)
        #expect(client.receive(server.buffer, on: 0).response != nil)
        (client.buffer, server.buffer) = ([], [])
        return (client, server)
    }

    @Test("A tunnel carries DATA both ways, and each side ends by itself (RFC 9114 section 4.4)")
    func carriesData() {
        var (client, server) = pair()
        #expect(client.data(3) == nil && server.data(3) == nil)
        #expect(server.receive(client.buffer + [1, 2, 3], on: 0) == [.data(0, 2..<5)])
        #expect(client.receive(server.buffer + [1, 2, 3], on: 0, fin: true) == [.data(0, 2..<5), .end(0)])
        #expect(client.data(1, fin: true) == nil)
        #expect(client.machine.openRequestCount == 0)
    }

    // Holds: 9114-4.4-2
    @Test("HEADERS in a tunnel are H3_FRAME_UNEXPECTED (RFC 9114 section 4.4)")
    func headersInTunnel() {
        let trailers = PeerBytes.headers(("x", "1"))
        var (client, server) = pair()
        expectClose(client.receive(trailers, on: 0), .frameUnexpected)
        expectClose(server.receive(trailers, on: 0), .frameUnexpected)
    }

    // Holds: 9114-4.4-2
    @Test(
        "Every frame but DATA that is known is H3_FRAME_UNEXPECTED in a tunnel (RFC 9114 section 4.4)",
        arguments: [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0d, 0xf0700] as [UInt64])
    func otherFrames(type: UInt64) {
        var (client, server) = pair()
        expectClose(client.receive(PeerBytes.frame(type, [0]), on: 0), .frameUnexpected)
        expectClose(server.receive(PeerBytes.frame(type, [0]), on: 0), .frameUnexpected)
        var (unharmed, _) = pair()
        #expect(unharmed.receive(PeerBytes.frame(0x21, [0]), on: 0).isEmpty)
    }

    // Holds: 9114-4.4-3, 9114-4.4-4
    @Test(
        "What breaks a tunnel is told at once, so that a proxy can close what is behind (RFC 9114 section 4.4)"
    )
    func broken() {
        var reset = pair().server
        reset.machine.receiveReset(of: 0, code: 0x10c)
        #expect(reset.take() == [.resetByPeer(0, code: .requestCancelled)])
        var stopped = pair().server
        stopped.machine.receiveStopSending(of: 0, code: 0x10c)
        #expect(stopped.take() == [.stoppedByPeer(0, code: .requestCancelled)])
        var failed = pair().server
        expectClose(failed.receive([0x00, 0x02, 0x61], on: 0, fin: true), .frameError)
    }

    @Test("Neither side of a tunnel sends trailers (RFC 9114 section 4.4)")
    func noTrailers() {
        var (client, server) = pair()
        #expect(client.trailers([("x", "1")]) == .outOfOrder)
        #expect(server.trailers([("x", "1")]) == .outOfOrder)
        var early = TestEndpoint.started(.client)
        #expect(early.request(PeerBytes.connect, fin: false) == nil)
        #expect(early.trailers([("x", "1")]) == .outOfOrder)
    }

    @Test("A refused CONNECT has a response like any other (RFC 9114 section 4.4)")
    func refused() {
        var (client, server) = pair(status: "403")
        #expect(server.data(2) == nil)
        #expect(server.trailers([("x", "1")]) == nil)
        let actions = client.receive([0x00, 2, 0x61, 0x62] + PeerBytes.headers(("x", "1")), on: 0, fin: true)
        #expect(actions.count == 3 && actions.last == .end(0))
    }

    @Test("Content-Length means nothing to a tunnel (RFC 9110 section 9.3.6)")
    func contentLength() {
        var server = TestEndpoint.started(.server)
        let head = PeerBytes.headers(PeerBytes.connect + [("content-length", "1")])
        let actions = server.receive(head + PeerBytes.data("abc"), on: 0)
        #expect(actions.request?.contentLength == nil && actions.count == 2)
        #expect(server.respond(PeerBytes.ok + [("content-length", "3")], fin: false) != nil)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.connect, fin: false) == nil)
        let response = PeerBytes.headers(PeerBytes.ok + [("content-length", "1")])
        let received = client.receive(response + PeerBytes.data("abc"), on: 0)
        #expect(received.response?.contentLength == nil && received.count == 2)
    }

    // Holds: 9220-3-4, 9220-3-5, 9220-3-6, 9220-3-7
    @Test("Extended CONNECT has scheme, path and protocol (RFC 9220 section 3, RFC 8441 section 4)")
    func extended() throws {
        var server = TestEndpoint.started(.server) { $0.isConnectProtocolEnabled = true }
        let actions = server.receive(PeerBytes.headers(PeerBytes.extendedConnect), on: 0)
        let head = try #require(actions.request)
        let line = try #require(head.protocolLine)
        #expect(head.fields[line].value == "websocket" && head.pathLine != nil && head.method == .connect)
        #expect(head.fields == FieldSection(PeerBytes.extendedConnect))
    }

    static let malformed: [MessageCase] = [
        MessageCase("without scheme", PeerBytes.extendedConnect.filter { $0.0 != ":scheme" }),
        MessageCase("without path", PeerBytes.extendedConnect.filter { $0.0 != ":path" }),
        MessageCase("without authority", PeerBytes.extendedConnect.filter { $0.0 != ":authority" }),
        MessageCase("with another method", PeerBytes.get + [(":protocol", "websocket")]),
        MessageCase(
            "with an empty protocol",
            PeerBytes.extendedConnect.map { $0.0 == ":protocol" ? ($0.0, "") : $0 }),
        MessageCase(
            "with a protocol that is no token",
            PeerBytes.extendedConnect.map { $0.0 == ":protocol" ? ($0.0, "web socket") : $0 }),
        MessageCase("with two protocols", PeerBytes.extendedConnect + [(":protocol", "websocket")]),
        MessageCase("with upgrade", PeerBytes.extendedConnect + [("upgrade", "websocket")]),
        MessageCase("with connection", PeerBytes.extendedConnect + [("connection", "upgrade")]),
    ]

    // Holds: 9220-3-3, 9220-3-8
    @Test("Extended CONNECT breaks its rules: H3_MESSAGE_ERROR (RFC 8441 section 4)", arguments: malformed)
    func malformedExtended(example: MessageCase) {
        var server = TestEndpoint.started(.server) { $0.isConnectProtocolEnabled = true }
        expectStreamError(server.receive(PeerBytes.headers(example.lines), on: 0), .messageError)
        var client = TestEndpoint.started(.client, peer: [(0x08, 1)])
        guard case .malformed = client.request(example.lines, fin: false) else {
            Issue.record("a client sends it")
            return
        }
    }

    // Holds: 9114-7.2.4.2-1, 9114-9-3, 9114-9-4
    @Test("A client waits for the server's setting before it extends CONNECT (RFC 8441 section 3)")
    func needsSetting() {
        var client = TestEndpoint(.client)
        #expect(client.request(PeerBytes.extendedConnect, fin: false) == .notEnabledByPeer)
        client.receive([0x00] + PeerBytes.settings([(0x08, 1)]), on: 3)
        #expect(client.request(PeerBytes.extendedConnect, fin: false) == nil)
    }
}

@Suite("Datagrams")
struct DatagramTests {
    private func server(_ request: [(String, String)] = PeerBytes.extendedConnect) -> TestEndpoint {
        var server = TestEndpoint.started(.server, peer: [(0x33, 1)]) {
            $0.areDatagramsEnabled = true
            $0.isConnectProtocolEnabled = true
        }
        server.receive(PeerBytes.headers(request), on: 4)
        return server
    }

    @Test("A datagram belongs to the stream of four times its number (RFC 9297 section 2.1)")
    func delivered() {
        var server = server()
        #expect(server.receiveDatagram([1, 7, 8]) == [.datagram(4, 1..<3)])
        #expect(server.receiveDatagram([0x40, 1, 7, 8]) == [.datagram(4, 2..<4)])
        #expect(server.receiveDatagram([1]) == [.datagram(4, 1..<1)])
    }

    // Holds: 9297-2.1-2
    @Test("A datagram too short for its stream is H3_DATAGRAM_ERROR (RFC 9297 section 2.1)")
    func tooShort() {
        for bytes in [[], [0x40]] as [[UInt8]] {
            var server = server()
            expectClose(server.receiveDatagram(bytes), .datagramError)
        }
    }

    // Holds: 9297-2.1-1
    @Test("A datagram for a stream that can't be is H3_DATAGRAM_ERROR (RFC 9297 section 2.1)")
    func impossibleStream() {
        var server = server()
        #expect(server.receiveDatagram(PeerBytes.varint((1 << 60) - 1)).isEmpty)
        expectClose(server.receiveDatagram(PeerBytes.varint(1 << 60)), .datagramError)
    }

    @Test("A datagram that we never asked for is H3_DATAGRAM_ERROR (RFC 9297 section 2.1.1)")
    func notEnabled() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receiveDatagram([0, 1]), .datagramError)
    }

    // Holds: 9297-2.1-4, 9297-2.1-5
    @Test("Datagrams for streams that are not open or have ended are dropped (RFC 9297 section 2.1)")
    func dropped() {
        var server = server()
        #expect(server.receiveDatagram([9, 1]).isEmpty)
        #expect(server.receiveDatagram([0, 1]).isEmpty)
        server.receive([], on: 4, fin: true)
        #expect(server.receiveDatagram([1, 1]).isEmpty)
    }

    // Holds: 9297-2-2, 9297-2-3
    @Test(
        "A datagram for a request that gives it no meaning aborts the request (RFC 9297 section 2)",
        arguments: [PeerBytes.get, PeerBytes.post, PeerBytes.connect])
    func meaningless(request: [(String, String)]) {
        var server = server(request)
        let actions = server.receiveDatagram([1, 1])
        #expect(actions.resetCode(of: 4) == .datagramError && actions.failure?.code == .datagramError)
        #expect(actions.closing == nil)
    }

    // Holds: 9114-7.2.4.2-1, 9114-9-3, 9297-2-1, 9297-2.1-3, 9297-2.1.1-3
    @Test("We send datagrams when both sides said that they take them (RFC 9297 section 2.1.1)")
    func sending() {
        func begin(_ server: inout TestEndpoint, on id: StreamID = 4) -> HTTP3SendError? {
            server.attempt { (machine, buffer) throws(HTTP3SendError) in
                try machine.beginDatagram(on: id, into: &buffer)
            }
        }
        var server = server()
        #expect(begin(&server) == nil && server.buffer == [1])
        #expect(begin(&server, on: 8) == .unknownStream)
        #expect(server.respond(PeerBytes.ok, on: 4) == nil)
        #expect(begin(&server) == .sendingEnded)
        var get = self.server(PeerBytes.get)
        #expect(begin(&get) == .outOfOrder)
        var plain = self.server(PeerBytes.connect)
        #expect(begin(&plain) == .outOfOrder)
        var silent = TestEndpoint.started(.server, peer: [(0x33, 1)]) { $0.isConnectProtocolEnabled = true }
        silent.receive(PeerBytes.headers(PeerBytes.extendedConnect), on: 4)
        #expect(begin(&silent) == .notEnabledByPeer)
        var deaf = TestEndpoint.started(.server) {
            $0.areDatagramsEnabled = true
            $0.isConnectProtocolEnabled = true
        }
        deaf.receive(PeerBytes.headers(PeerBytes.extendedConnect), on: 4)
        #expect(begin(&deaf) == .notEnabledByPeer)
    }

    // Holds: 9114-9-3, 9297-2.1.1-3
    @Test("No datagram goes out ahead of our SETTINGS (RFC 9297 section 2.1.1)")
    func afterSettings() {
        func begin(_ client: inout TestEndpoint) -> HTTP3SendError? {
            client.attempt { (machine, buffer) throws(HTTP3SendError) in
                try machine.beginDatagram(on: 0, into: &buffer)
            }
        }
        var client = TestEndpoint(.client) { $0.areDatagramsEnabled = true }
        client.receive([0x00] + PeerBytes.settings([(0x08, 1), (0x33, 1)]), on: 3)
        #expect(client.request(PeerBytes.extendedConnect, fin: false) == nil)
        #expect(begin(&client) == .notEnabledByPeer)
        client.machine.start(.own(by: .client))
        client.machine.writePendingBytes { _, bytes, _ in min(bytes.count, 3) }
        #expect(begin(&client) == .notEnabledByPeer)
        _ = client.sent()
        #expect(begin(&client) == nil)
    }
}

@Suite("The Capsule-Protocol field")
struct CapsuleProtocolTests {
    private static let capsules = [("capsule-protocol", "?1")]

    private func pair(_ more: [(String, String)]) -> (client: TestEndpoint, server: TestEndpoint) {
        var client = TestEndpoint.started(.client, peer: [(0x08, 1)])
        var server = TestEndpoint.started(.server) { $0.isConnectProtocolEnabled = true }
        #expect(client.request(PeerBytes.extendedConnect + more, fin: false) == nil)
        #expect(server.receive(client.buffer, on: 0).request != nil)
        return (client, server)
    }

    // Holds: 9297-3.2-2, 9297-3.2-4
    @Test(
        "Capsules don't go with fields that describe content: H3_MESSAGE_ERROR (RFC 9297 section 3.2)",
        arguments: [
            ("content-length", "0"), ("content-type", "text/plain"), ("transfer-encoding", "chunked"),
        ])
    func withContentFields(field: (String, String)) {
        var server = TestEndpoint.started(.server) { $0.isConnectProtocolEnabled = true }
        let request = PeerBytes.extendedConnect + [field] + Self.capsules
        expectStreamError(server.receive(PeerBytes.headers(request), on: 0), .messageError)
        var client = TestEndpoint.started(.client, peer: [(0x08, 1)])
        guard case .malformed(field.0, _) = client.request(request, fin: false) else {
            Issue.record("a client sends it")
            return
        }
        var (asking, answering) = pair(Self.capsules)
        let response = PeerBytes.ok + Self.capsules + [field]
        expectStreamError(asking.receive(PeerBytes.headers(response), on: 0), .messageError)
        guard case .malformed = answering.respond(response, fin: false) else {
            Issue.record("a server sends it")
            return
        }
    }

    // Holds: 9297-3.2-3, 9297-3.2-4
    @Test(
        "Capsules don't go with a status that has other content or none (RFC 9297 section 3.2)",
        arguments: ["204", "205", "206"])
    func withoutContent(status: String) {
        let response = [(":status", status)] + Self.capsules
        var (client, server) = pair(Self.capsules)
        expectStreamError(client.receive(PeerBytes.headers(response), on: 0), .messageError)
        guard case .malformed(":status", _) = server.respond(response, fin: false) else {
            Issue.record("a server sends it")
            return
        }
    }

    // Holds: 9297-3.4-4
    @Test(
        "Only a response that succeeds can have capsules (RFC 9297 section 3.4)", arguments: ["300", "404"])
    func unsuccessful(status: String) {
        let response = [(":status", status), ("content-type", "text/plain")] + Self.capsules
        var (client, server) = pair(Self.capsules)
        guard case .malformed("capsule-protocol", _) = server.respond(response, fin: false) else {
            Issue.record("a server sends it")
            return
        }
        guard case .malformed = server.inform([(":status", "103")] + Self.capsules) else {
            Issue.record("a server sends it")
            return
        }
        // A receiver is not told to mind.
        #expect(client.receive(PeerBytes.headers(response), on: 0).response != nil)
    }

    // Holds: 9297-3.4-1, 9297-3.4-2, 9297-3.4-3
    @Test(
        "Only the Boolean true means capsules, whatever its parameters (RFC 9297 section 3.4)",
        arguments: [
            (["?1"], true), (["?1;a;b=2"], true), ([" ?1 "], false), (["?0"], false), (["1"], false),
            (["a"], false), (["?1", "?1"], false), (["?1, ?1"], false), (["?1;"], false), ([""], false),
            (["\"?1\""], false), (["?2"], false), (["?1 a"], false),
        ])
    func values(values: [String], isMeant: Bool) {
        var server = TestEndpoint.started(.server) { $0.isConnectProtocolEnabled = true }
        let fields = values.map { ("capsule-protocol", $0) } + [("content-type", "text/plain")]
        let actions = server.receive(PeerBytes.headers(PeerBytes.extendedConnect + fields), on: 0)
        // White space around a value is no part of any, so that one is malformed for another reason.
        #expect((actions.request == nil) == (isMeant || values[0].first == " "))
    }

    @Test("Where there is no tunnel the field says nothing (RFC 9297 section 3.4)")
    func elsewhere() {
        var server = TestEndpoint.started(.server)
        let request = PeerBytes.post + Self.capsules + [("content-type", "text/plain")]
        #expect(server.receive(PeerBytes.headers(request), on: 0).request != nil)
    }
}

@Suite("Capsules")
struct CapsuleTests {
    private func capsule(_ type: UInt64, _ value: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        CapsuleType(rawValue: type).appendHeader(length: value.count, to: &bytes)
        return bytes + value
    }

    private func read(_ pieces: [[UInt8]], maximum: Int = 100) throws(HTTP3Error) -> [String] {
        var reader = CapsuleReader(maximumLength: maximum)
        var read: [String] = []
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                reader.receive(bytes) { capsule in
                    read.append(
                        "\(capsule.type.rawValue) \(capsule.length) \(capsule.value.map { Array($0) } ?? [0])"
                    )
                }
            }
        }
        try reader.finish()
        return read
    }

    // Holds: 9297-3.2-1, 9297-3.3-2
    @Test("Capsules come out as they went in, cut anywhere (RFC 9297 section 3.2)")
    func roundTrip() throws {
        let bytes =
            capsule(0, [1, 2, 3]) + capsule(0x1234, []) + capsule(0, [UInt8](repeating: 9, count: 70))
        let expected = ["0 3 [1, 2, 3]", "4660 0 []", "0 70 \([UInt8](repeating: 9, count: 70))"]
        #expect(try read([bytes]) == expected)
        #expect(try read(bytes.map { [$0] }) == expected)
        for cut in 0...bytes.count {
            #expect(try read([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
    }

    // Holds: 9297-3.2-1
    @Test("A value too long to be kept is skipped (RFC 9297 section 3.5)")
    func tooLong() throws {
        let bytes = capsule(0, [UInt8](repeating: 9, count: 101)) + capsule(0, [1])
        #expect(try read([bytes]) == ["0 101 [0]", "0 1 [1]"])
        #expect(try read(bytes.map { [$0] }) == ["0 101 [0]", "0 1 [1]"])
    }

    // Holds: 9297-3.3-1, 9297-3.3-3, 9297-3.3-5
    @Test("An end within a capsule makes the message malformed (RFC 9297 section 3.3)")
    func truncated() {
        let bytes = capsule(0x1234, [1, 2, 3])
        for count in 1..<bytes.count {
            #expect(throws: HTTP3Error.self) { try read([Array(bytes[..<count])]) }
        }
    }
}
