import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Early data")
struct EarlyDataTests {
    private let remembered = HTTP3Settings(
        maximumFieldSectionSize: 1000, qpackMaximumTableCapacity: 4096, qpackBlockedStreams: 16,
        isConnectProtocolEnabled: true, areDatagramsEnabled: true)

    private func wire(_ settings: HTTP3Settings) -> [UInt8] {
        var pairs: [(UInt64, UInt64)] = [
            (0x01, settings.qpackMaximumTableCapacity), (0x07, settings.qpackBlockedStreams),
            (0x08, settings.isConnectProtocolEnabled ? 1 : 0), (0x33, settings.areDatagramsEnabled ? 1 : 0),
        ]
        if let size = settings.maximumFieldSectionSize { pairs.append((0x06, size)) }
        return [0x00] + PeerBytes.settings(pairs)
    }

    private func receive(_ change: (inout HTTP3Settings) -> Void, rejected: Bool = false) -> [HTTP3Action] {
        var client = TestEndpoint(.client, remembering: remembered)
        if rejected { client.machine.earlyDataRejected() }
        var settings = remembered
        change(&settings)
        #expect(
            settings.permitsEarlyData(under: remembered)
                == (client.machine.isClosed == false && isFine(settings)))
        return client.receive(wire(settings), on: 3)
    }

    private func isFine(_ settings: HTTP3Settings) -> Bool {
        settings.qpackMaximumTableCapacity == 4096 && settings.qpackBlockedStreams >= 16
            && settings.isConnectProtocolEnabled && settings.areDatagramsEnabled
            && settings.maximumFieldSectionSize ?? 0 >= 1000
    }

    // Holds: 9114-7.2.4.2-4
    @Test("A client keeps to the settings that it remembers (RFC 9114 section 7.2.4.2)")
    func kept() {
        var client = TestEndpoint(.client, remembering: remembered)
        #expect(client.machine.peerSettings == remembered && !client.machine.hasPeerSettings)
        #expect(client.request(PeerBytes.extendedConnect, on: 0, fin: false) == nil)
        let large = PeerBytes.get + [("x", String(repeating: "a", count: 1000))]
        guard case .fieldSectionTooLarge = client.request(large, on: 4) else {
            Issue.record("sent")
            return
        }
    }

    // Holds: 9297-2.1.1-5
    @Test("Settings that permit as much or more are fine (RFC 9114 section 7.2.4.2)")
    func compatible() {
        #expect(receive { _ in }.closing == nil)
        #expect(receive { $0.maximumFieldSectionSize = 1001 }.closing == nil)
        #expect(receive { $0.qpackBlockedStreams = 17 }.closing == nil)
        #expect(receive { $0.additional = [HTTP3Setting(identifier: 0x4242, value: 1)] }.closing == nil)
    }

    // Holds: 9114-7.2.4.2-7, 9114-7.2.4.2-9, 9220-3-2
    @Test(
        "A server that reduces them after it took early data is H3_SETTINGS_ERROR (RFC 9114 section 7.2.4.2)")
    func reduced() {
        expectClose(receive { $0.maximumFieldSectionSize = 999 }, .settingsError)
        expectClose(receive { $0.qpackBlockedStreams = 15 }, .settingsError)
        expectClose(receive { $0.isConnectProtocolEnabled = false }, .settingsError)
    }

    // Holds: 9114-7.2.4.2-10, 9297-2.1.1-6
    @Test("A setting that a server has left out is H3_SETTINGS_ERROR (RFC 9114 section 7.2.4.2)")
    func leftOut() {
        // Without a limit more would be permitted, and it is an error all the same.
        expectClose(receive { $0.maximumFieldSectionSize = nil }, .settingsError)
        var client = TestEndpoint(.client, remembering: remembered)
        let settings = PeerBytes.settings([(0x01, 4096), (0x06, 1000), (0x07, 16), (0x08, 1)])
        expectClose(client.receive([0x00] + settings, on: 3), .settingsError)
        var unlimited = TestEndpoint(.client, remembering: HTTP3Settings())
        #expect(unlimited.receive(PeerBytes.control(), on: 3).closing == nil)
    }

    // Holds: 9114-7.2.4.2-5
    @Test("What the server says now counts, not what was remembered (RFC 9114 section 7.2.4.2)")
    func newValues() {
        let large = PeerBytes.get + [("x", String(repeating: "a", count: 1000))]
        var client = TestEndpoint(.client, remembering: remembered)
        client.receive(wire(remembered.with { $0.maximumFieldSectionSize = 5000 }), on: 3)
        #expect(client.request(large) == nil)
        var refused = TestEndpoint(.client, remembering: remembered)
        refused.machine.earlyDataRejected()
        #expect(refused.request(large) == nil)
        refused.receive(wire(remembered.with { $0.maximumFieldSectionSize = 500 }), on: 3)
        guard case .fieldSectionTooLarge = refused.request(large, on: 4) else {
            Issue.record("sent")
            return
        }
    }

    // Holds: 9297-2.1.1-4, 9297-2.1.1-5, 9297-2.1.1-6
    @Test("Datagrams once allowed stay allowed (RFC 9297 section 2.1.1)")
    func datagrams() { expectClose(receive { $0.areDatagramsEnabled = false }, .settingsError) }

    // Holds: 9204-3.2.3-2
    @Test("Another table capacity is QPACK_DECODER_STREAM_ERROR (RFC 9204 section 3.2.3)")
    func capacity() {
        expectClose(receive { $0.qpackMaximumTableCapacity = 0 }, .qpackDecoderStreamError)
        expectClose(receive { $0.qpackMaximumTableCapacity = 8192 }, .qpackDecoderStreamError)
    }

    @Test("A table that was not offered may be offered now (RFC 9204 section 3.2.3)")
    func newCapacity() {
        var client = TestEndpoint(.client, remembering: HTTP3Settings())
        #expect(
            client.receive(wire(remembered.with { $0.maximumFieldSectionSize = nil }), on: 3).closing == nil)
    }

    // Holds: 9114-7.2.4.2-4
    @Test("What was remembered binds no server that refused early data (RFC 9114 section 7.2.4.2)")
    func rejected() {
        #expect(receive({ $0.maximumFieldSectionSize = 1 }, rejected: true).closing == nil)
        #expect(receive({ $0.qpackMaximumTableCapacity = 0 }, rejected: true).closing == nil)
        var client = TestEndpoint(.client, remembering: remembered)
        client.machine.earlyDataRejected()
        #expect(client.machine.peerSettings == HTTP3Settings())
    }

    // Holds: 9114-10.9-1
    @Test("A request says that it came in early data, so that 425 can be the answer (RFC 8470 section 5.2)")
    func marked() throws {
        var server = TestEndpoint.started(.server)
        server.machine.streamOpened(0, inEarlyData: true)
        server.machine.streamOpened(4)
        let early = try #require(server.receive(PeerBytes.headers(PeerBytes.post), on: 0, fin: true).request)
        #expect(early.isEarlyData && !early.method.isSafe)
        #expect(server.receive(PeerBytes.headers(PeerBytes.post), on: 4).request?.isEarlyData == false)
        #expect(server.respond([(":status", "425")]) == nil)
    }

    @Test("Safe methods are those that ask for nothing to change (RFC 9110 section 9.2.1)")
    func safeMethods() {
        let safe: [RequestMethod] = [.get, .head, .options, .trace]
        let unsafe: [RequestMethod] = [.post, .put, .delete, .patch, .connect, .other]
        #expect(safe.allSatisfy(\.isSafe) && !unsafe.contains(where: \.isSafe))
        for (name, method) in [
            ("GET", RequestMethod.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
            ("OPTIONS", .options), ("TRACE", .trace), ("PATCH", .patch), ("get", .other), ("FOO", .other),
            ("FOUR", .other), ("FIVES", .other), ("SIXSIX", .other), ("SEVENSE", .other),
        ] {
            var server = TestEndpoint.started(.server)
            let lines = [(":method", name)] + PeerBytes.get.dropFirst()
            #expect(server.receive(PeerBytes.headers(lines), on: 0).request?.method == method)
        }
    }
}

extension HTTP3Settings {
    fileprivate func with(_ change: (inout HTTP3Settings) -> Void) -> HTTP3Settings {
        var settings = self
        change(&settings)
        return settings
    }
}
