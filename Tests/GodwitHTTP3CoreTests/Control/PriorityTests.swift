import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Priorities")
struct PriorityTests {
    private func parse(_ value: String) -> Priority? {
        Array(value.utf8).withUnsafeBytes { Priority(fieldValue: $0) }
    }

    @Test(
        "Urgency and increments are read, what is left out has its default (RFC 9218 section 4)",
        arguments: [
            ("", Priority(urgency: 3, isIncremental: false)),
            ("u=0", Priority(urgency: 0)),
            ("u=7, i", Priority(urgency: 7, isIncremental: true)),
            ("i", Priority(isIncremental: true)),
            ("i=?1,u=5", Priority(urgency: 5, isIncremental: true)),
            ("i=?0", Priority()),
            ("u=1,u=2", Priority(urgency: 2)),
            ("  u=4 \t ,\t i  ", Priority(urgency: 4, isIncremental: true)),
            ("u=2;foo=bar;baz, i;q=1.5", Priority(urgency: 2, isIncremental: true)),
        ])
    func known(value: String, priority: Priority) { #expect(parse(value) == priority) }

    // Holds: 9218-4-1
    @Test(
        "Unknown keys, values out of range and of other types are ignored (RFC 9218 section 4)",
        arguments: [
            "u=8", "u=-1", "u=3.0", "u=\"1\"", "u=?1", "u", "i=1", "i=a", "u=(1 2)", "u=:AQ==:",
            "u=999999999999999",
            "x, y=1, z=\"a, b\\\"c\"", "*a.b-c_d=*t/k:n", "a=(), b=(1 \"x\" ?0;p), c=( 1 )", "d=@1659578233",
            "uu=1",
            "x=-12.345",
        ])
    func ignored(value: String) { #expect(parse(value) == .default) }

    @Test(
        "What is no dictionary says nothing at all (RFC 9218 section 4, RFC 8941 section 4.2)",
        arguments: [
            "u=1,", ",", "u=", "u=1 i", "=1", "U=1", "u=1;", "u=1;=2", "u=\"", "u=\"\\x\"", "u=?2", "u=:a",
            "u=1.", "u=-",
            "u=1.2345", "u=1234567890123456", "u=(1", "u=(1,2)", "é", "u=1\u{0}", "u=\"é\"", "u=1;A=2",
            "u=(;a)", "u=(1;)",
            "u=@x", "u=(\"a\"1)",
            "u=1234567890123.1",
        ])
    func broken(value: String) { #expect(parse(value) == nil) }

    @Test("A priority reads as it was written (RFC 9218 section 4)")
    func roundTrip() {
        for urgency in 0...7 as ClosedRange<UInt8> {
            for isIncremental in [false, true] {
                let priority = Priority(urgency: urgency, isIncremental: isIncremental)
                #expect(parse(priority.fieldValue) == priority)
            }
        }
        #expect(Priority(urgency: 200).urgency == 7)
        var fields = FieldSection()
        Priority.default.append(to: &fields)
        #expect(fields.isEmpty)
        Priority(urgency: 1, isIncremental: true).append(to: &fields)
        #expect(fields.pairs == ["priority: u=1, i"])
    }

    @Test("A response's field changes only what it names (RFC 9218 section 8)")
    func merge() {
        var priority = Priority(urgency: 5, isIncremental: true)
        #expect(merge("u=1", into: &priority))
        #expect(priority == Priority(urgency: 1, isIncremental: true))
        #expect(!merge("u=2,", into: &priority))
        #expect(priority.urgency == 1)
    }

    private func merge(_ value: String, into priority: inout Priority) -> Bool {
        Array(value.utf8).withUnsafeBytes { priority.merge(fieldValue: $0) }
    }

    @Test("A request's priority is in its head; several lines are one dictionary (RFC 9218 section 5)")
    func ofRequest() {
        func priority(_ values: String...) -> Priority? {
            var server = TestEndpoint.started(.server)
            let lines = PeerBytes.get + values.map { ("priority", $0) }
            return server.receive(PeerBytes.headers(lines), on: 0).request?.priority
        }
        #expect(priority() == .default)
        #expect(priority("u=1, i") == Priority(urgency: 1, isIncremental: true))
        #expect(priority("u=1", "i") == Priority(urgency: 1, isIncremental: true))
        #expect(priority("u=1", "i,") == .default)
        #expect(priority("i,", "u=1") == .default)
    }
}

@Suite("PRIORITY_UPDATE")
struct PriorityUpdateTests {
    private let urgent = Priority(urgency: 0, isIncremental: true)

    private func update(_ id: UInt64, _ value: String = "u=0, i", type: UInt64 = 0xf0700) -> [UInt8] {
        PeerBytes.frame(type, PeerBytes.varint(id) + Array(value.utf8))
    }

    @Test("An open request gets another priority (RFC 9218 section 7)")
    func ofOpenRequest() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.get), on: 0, fin: true)
        #expect(server.receive(update(0), on: 2) == [.priority(0, urgent)])
        #expect(server.receive(update(0, ""), on: 2) == [.priority(0, .default)])
    }

    @Test("A priority that comes before its request waits for it, the last one (RFC 9218 section 7)")
    func beforeRequest() {
        var server = TestEndpoint.started(.server)
        #expect(server.receive(update(4, "u=6") + update(4), on: 2).isEmpty)
        let head = PeerBytes.headers(PeerBytes.get + [("priority", "u=7")])
        #expect(server.receive(head, on: 0).request?.priority == Priority(urgency: 7))
        #expect(server.receive(head, on: 4).request?.priority == urgent)
    }

    @Test("A priority that comes between opening and head counts as well (RFC 9218 section 7)")
    func betweenOpeningAndHead() {
        var server = TestEndpoint.started(.server)
        server.machine.streamOpened(0)
        #expect(server.receive(update(0), on: 2).isEmpty)
        #expect(server.receive(PeerBytes.headers(PeerBytes.get), on: 0).request?.priority == urgent)
    }

    @Test("Priorities of requests that are over mean nothing (RFC 9218 section 7)")
    func afterRequest() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.get), on: 0, fin: true)
        #expect(server.respond(PeerBytes.ok) == nil)
        #expect(server.receive(update(0), on: 2).isEmpty)
    }

    @Test("A value that can't be read changes nothing (RFC 9218 section 7)")
    func unreadable() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.get), on: 0)
        #expect(server.receive(update(0, "u=1,"), on: 2).isEmpty)
    }

    // Holds: 9218-7.2-4
    @Test(
        "A stream that is no request stream is H3_ID_ERROR (RFC 9218 section 7.2)",
        arguments: [1, 2, 3] as [UInt64])
    func notARequest(id: UInt64) {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive(update(id), on: 2), .idError)
    }

    // Holds: 9218-7.2-7
    @Test("Pushes that were never promised are H3_ID_ERROR (RFC 9218 section 7.2)")
    func push() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive(update(0, type: 0xf0701), on: 2), .idError)
    }

    // Holds: 9218-7.2-9
    @Test(
        "Servers don't send it: H3_FRAME_UNEXPECTED (RFC 9218 section 7.2)",
        arguments: [0xf0700, 0xf0701] as [UInt64])
    func fromServer(type: UInt64) {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        expectClose(client.receive(update(0, type: type), on: 3), .frameUnexpected)
    }

    // Holds: 9114-7.1-2
    @Test("A frame without an id is H3_FRAME_ERROR (RFC 9114 section 7.1)")
    func truncated() {
        for payload in [[], [0x40]] as [[UInt8]] {
            var server = TestEndpoint.started(.server)
            expectClose(server.receive(PeerBytes.frame(0xf0700, payload), on: 2), .frameError)
        }
    }

    @Test("What waits for requests is bounded, and so is its length (RFC 9218 section 7)")
    func bounds() {
        var server = TestEndpoint.started(.server) { $0.limits.pendingPriorities = 3 }
        for id in 1...13 as ClosedRange<UInt64> { #expect(server.receive(update(id * 4), on: 2).isEmpty) }
        #expect(server.receive(update(4, "u=1"), on: 2).isEmpty)
        let request = PeerBytes.headers(PeerBytes.get)
        #expect(server.receive(request, on: 4).request?.priority == Priority(urgency: 1))
        #expect(server.receive(request, on: 12).request?.priority == urgent)
        #expect(server.receive(request, on: 16).request?.priority == .default)
        var other = TestEndpoint.started(.server)
        let long = update(0, "x=\"" + String(repeating: "a", count: 2000) + "\"")
        expectClose(other.receive(long, on: 2), .excessiveLoad)
    }

    // Holds: 9218-7.2-1, 9218-7.2-3, 9218-7.2-5, 9218-7.2-8
    @Test("A client tells another priority, for requests that are open (RFC 9218 section 7.2)")
    func sending() throws {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get, on: 4) == nil)
        try client.machine.updatePriority(urgent, of: 4)
        var server = TestEndpoint.started(.server)
        server.receive(client.buffer, on: 4, fin: true)
        #expect(server.receive(client.sent()[2] ?? [], on: 2) == [.priority(4, urgent)])
        #expect(throws: HTTP3SendError.unknownStream) { try client.machine.updatePriority(urgent, of: 0) }
        #expect(throws: HTTP3SendError.wrongRole) { try server.machine.updatePriority(urgent, of: 4) }
    }

    @Test("Priorities don't pile up where the peer gives no credit")
    func pileUp() throws {
        var client = TestEndpoint.started(.client) { $0.limits.pendingBytes = 100 }
        #expect(client.request(PeerBytes.get) == nil)
        for _ in 0..<1000 { try client.machine.updatePriority(urgent, of: 0) }
        #expect((client.sent()[2]?.count ?? 0) < 120)
    }
}
