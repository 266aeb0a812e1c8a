import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Flow control")
struct FlowControlTests {
    let id = StreamID(rawValue: 2)

    // MARK: As a sender

    // Holds: 9000-2.2-3, 9000-4.1-1, 9000-19.10-3
    @Test("A sender stops at the stream's limit and says so once (RFC 9000 section 4.1)")
    func stopsAtStreamLimit() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxStreamDataUnidirectional: 1000))
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(3000))
        #expect(
            peers.client.frames() == ["STREAM 2 0..<1000", "STREAM_DATA_BLOCKED 2 1000"])
        #expect(!peers.client.hasStreamDataToSend && !peers.client.hasControlFramesToSend)
        try peers.client.streams.receiveMaxStreamData(id, 900)
        #expect(!peers.client.hasStreamDataToSend, "a limit that does not grow is ignored")
        try peers.client.streams.receiveMaxStreamData(id, 1500)
        #expect(
            peers.client.frames().sorted() == [
                "STREAM 2 1000..<1500", "STREAM_DATA_BLOCKED 2 1500",
            ])
    }

    // Holds: 9000-2.2-3, 9000-4.1-1
    @Test("A sender stops at the connection's limit and says so once (RFC 9000 section 4.1)")
    func stopsAtConnectionLimit() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxData: 1000))
        let first = try #require(peers.client.open(.unidirectional))
        let second = try #require(peers.client.open(.unidirectional))
        try peers.client.write(first, pattern(600))
        try peers.client.write(second, pattern(600))
        #expect(
            peers.client.frames() == [
                "STREAM 2 0..<600", "STREAM 6 0..<400", "DATA_BLOCKED 1000",
            ])
        #expect(!peers.client.hasStreamDataToSend && !peers.client.hasControlFramesToSend)
        try peers.client.streams.receiveMaxData(1000)
        #expect(!peers.client.hasStreamDataToSend)
        try peers.client.streams.receiveMaxData(1100)
        #expect(peers.client.frames() == ["STREAM 6 400..<500", "DATA_BLOCKED 1100"])
    }

    // Holds: 9000-4.1-3, 9000-4.6-4, 9000-19.11-2
    @Test("Frames that raise no limit take nothing back (RFC 9000 sections 4.1 and 4.6)")
    func limitsNeverFall() throws {
        let peers = StreamPeers(
            server: StreamLimits(
                initialMaxData: 100, initialMaxStreamDataUnidirectional: 100, maxStreamsUnidirectional: 2))
        let id = try #require(peers.client.open(.unidirectional))
        for hundreds: UInt64 in [10, 5, 0] {
            try peers.client.streams.receiveMaxData(hundreds * 100)
            try peers.client.streams.receiveMaxStreamData(id, hundreds * 100)
            try peers.client.streams.receiveMaxStreams(.unidirectional, hundreds)
        }
        try peers.client.write(id, pattern(900))
        #expect(peers.client.frames() == ["STREAM 2 0..<900"])
        let others = (0..<20).filter { _ in peers.client.open(.unidirectional) != nil }
        #expect(others.count == 9)
    }

    // Holds: 9000-19.9-1
    @Test("Streams that have ended count toward the connection's limit (RFC 9000 section 19.9)")
    func endedStreamsCount() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxData: 1000))
        let first = try #require(peers.client.open(.unidirectional))
        let second = try #require(peers.client.open(.unidirectional))
        try peers.client.write(first, pattern(400), fin: true)
        try peers.client.write(second, pattern(300))
        let packets = peers.client.packets()
        try peers.client.reset(second, code: 0)
        for packet in packets + peers.client.packets() { peers.client.acknowledge(packet) }
        _ = peers.client.events()
        #expect(peers.client.openCount == 0)
        let third = try #require(peers.client.open(.unidirectional))
        try peers.client.write(third, pattern(600))
        #expect(peers.client.frames() == ["STREAM 10 0..<300", "DATA_BLOCKED 1000"])
    }

    // Holds: 9000-4.4-1
    @Test("A direction that goes on keeps its flow control when the other is reset (RFC 9000 section 4.4)")
    func resetOfOtherDirection() throws {
        let peers = StreamPeers(client: StreamLimits(initialMaxStreamDataBidirectionalLocal: 1000))
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.reset(id, code: 1)
        try peers.settle()
        #expect(streamError { try peers.server.read(id) } == .resetByPeer(code: 1))
        try peers.server.write(id, pattern(3000))
        let packets = peers.server.packets()
        #expect(packets.flatMap(\.frames) == ["STREAM 0 0..<1000", "STREAM_DATA_BLOCKED 0 1000"])
        for packet in packets { try peers.client.receive(packet) }
        try peers.client.read(id)
        let credit = try #require(peers.client.packet())
        #expect(credit.frames == ["MAX_STREAM_DATA 0 2000"])
        try peers.server.receive(credit)
        #expect(peers.server.frames().contains("STREAM 0 1000..<2000"))
        #expect(errorCode { try peers.client.receiveStream(id, 2000, [1]) } == .flowControlError)
    }

    @Test("Lost data and a bare end need no credit (RFC 9000 section 4.1)")
    func retransmissionNeedsNoCredit() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxData: 500))
        let id = try #require(peers.client.open(.unidirectional))
        try peers.client.write(id, pattern(500))
        let packet = try #require(peers.client.packet())
        try peers.client.write(id, [], fin: true)
        #expect(try #require(peers.client.packet()).frames == ["STREAM 2 500..<500 FIN"])
        peers.client.lose(packet)
        #expect(try #require(peers.client.packet()).frames == ["STREAM 2 0..<500 FIN"])
    }

    @Test("A sender that waits for credit can say so again to keep a connection alive (RFC 9000 section 4.1)")
    func repeatsBlockedSignals() throws {
        let peers = StreamPeers(
            server: StreamLimits(initialMaxData: 500, initialMaxStreamDataUnidirectional: 400))
        let first = try #require(peers.client.open(.unidirectional))
        let second = try #require(peers.client.open(.unidirectional))
        try peers.client.write(first, pattern(900))
        try peers.client.write(second, pattern(300))
        _ = peers.client.packets()
        peers.client.streams.repeatBlockedSignals()
        #expect(
            try #require(peers.client.packet()).frames == ["DATA_BLOCKED 500", "STREAM_DATA_BLOCKED 2 400"])
    }

    // MARK: As a receiver

    // Holds: 9000-4.1-2, 9000-19.10-4
    @Test("More than a stream may carry closes the connection (RFC 9000 section 4.1)")
    func streamLimitViolated() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(initialMaxStreamDataUnidirectional: 1000))
        try server.receiveStream(id, 900, pattern(100))
        #expect(errorCode { try server.receiveStream(id, 1000, [1]) } == .flowControlError)
        let other = StreamsEnd(role: .server, limits: StreamLimits(initialMaxStreamDataUnidirectional: 1000))
        #expect(errorCode { try other.receiveStream(id, 1 << 61, [1]) } == .flowControlError)
        #expect(
            errorCode { try other.receiveReset(id, finalSize: 1001) }
                == .flowControlError)
    }

    // Holds: 9000-4.1-2, 9000-19.9-2
    @Test(
        "More than the connection may carry closes it, counted by the highest offsets (RFC 9000 section 4.1)")
    func connectionLimitViolated() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(initialMaxData: 1000))
        try server.receiveStream(StreamID(rawValue: 2), 599, [1])
        try server.receiveStream(StreamID(rawValue: 2), 0, pattern(600))
        try server.receiveStream(StreamID(rawValue: 6), 399, [1])
        #expect(errorCode { try server.receiveStream(StreamID(rawValue: 6), 400, [1]) } == .flowControlError)
        #expect(
            errorCode { try server.receiveReset(StreamID(rawValue: 10), finalSize: 1) } == .flowControlError)
    }

    // Holds: 9000-19.9-1, 9000-19.9-2
    @Test("Streams that have ended count when the peer adds up (RFC 9000 section 19.9)")
    func endedStreamsOfPeerCount() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(initialMaxData: 1000))
        try server.receiveStream(StreamID(rawValue: 2), 0, pattern(400), fin: true)
        try server.read(StreamID(rawValue: 2))
        try server.receiveReset(StreamID(rawValue: 6), finalSize: 600)
        _ = server.events()
        #expect(server.openCount == 0)
        #expect(errorCode { try server.receiveStream(StreamID(rawValue: 10), 0, [1]) } == .flowControlError)
    }

    // Holds: 9000-4.2-1
    @Test(
        "Credit grows only as the application consumes, and is told when half is used (RFC 9000 section 4.2)")
    func creditFollowsConsumption() throws {
        let limits = StreamLimits(initialMaxData: 1500, initialMaxStreamDataUnidirectional: 1000)
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(1000))
        #expect(!server.hasControlFramesToSend)
        try server.read(id, count: 499)
        #expect(!server.hasControlFramesToSend)
        try server.read(id, count: 1)
        #expect(try #require(server.packet()).frames == ["MAX_STREAM_DATA 2 1500"])
        try server.read(id)
        #expect(try #require(server.packet()).frames == ["MAX_DATA 2500", "MAX_STREAM_DATA 2 2000"])
        #expect(!server.hasControlFramesToSend)
    }

    @Test("A peer that says it is blocked gets the credit there is (RFC 9000 sections 19.12 and 19.13)")
    func blockedPeerGetsCredit() throws {
        let limits = StreamLimits(initialMaxData: 1500, initialMaxStreamDataUnidirectional: 1000)
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(1000))
        try server.streams.receiveStreamDataBlocked(id, 1000)
        try server.streams.receiveDataBlocked(1500)
        #expect(!server.hasControlFramesToSend)
        try server.read(id, count: 100)
        try server.streams.receiveStreamDataBlocked(id, 1000)
        try server.streams.receiveDataBlocked(1500)
        #expect(try #require(server.packet()).frames == ["MAX_DATA 1600", "MAX_STREAM_DATA 2 1100"])
    }

    @Test("Unread data of one stream does not keep back another for good (RFC 9000 section 4.2)")
    func unreadStreamDoesNotStarveOthers() throws {
        let server = StreamsEnd(
            role: .server, limits: StreamLimits(initialMaxData: 1000, maximumConnectionWindow: 1000))
        try server.receiveStream(StreamID(rawValue: 2), 0, pattern(600))
        try server.receiveStream(StreamID(rawValue: 6), 0, pattern(399))
        try server.read(StreamID(rawValue: 6))
        #expect(!server.hasControlFramesToSend, "the peer has a byte of credit left")
        try server.receiveStream(StreamID(rawValue: 6), 399, [1])
        try server.read(StreamID(rawValue: 6))
        #expect(server.frames() == ["MAX_DATA 1400"])
    }

    @Test("A stream of known size gets no more credit (RFC 9000 section 3.2)")
    func noCreditBehindTheEnd() throws {
        let limits = StreamLimits(initialMaxData: 100_000, initialMaxStreamDataUnidirectional: 1000)
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(900))
        try server.read(id)
        try server.receiveStream(id, 950, pattern(50), fin: true)
        #expect(!server.hasControlFramesToSend)
        try server.receiveStream(id, 900, pattern(50))
        try server.read(id)
        #expect(!server.hasControlFramesToSend)
    }

    @Test("What a reset leaves unread goes back to the connection (RFC 9000 section 4.5)")
    func resetReturnsCredit() throws {
        let limits = StreamLimits(initialMaxData: 2000, initialMaxStreamDataUnidirectional: 1300)
        let server = StreamsEnd(role: .server, limits: limits)
        try server.receiveStream(id, 0, pattern(300))
        try server.receiveStream(id, 600, pattern(300))
        try server.read(id, count: 100)
        try server.receiveReset(id, finalSize: 1200)
        #expect(server.receiveCredit.consumed == 1200)
        #expect(try #require(server.packet()).frames == ["MAX_DATA 3200"])
    }
}

@Suite("Windows that follow the application")
struct ReceiveWindowTests {
    let rtt = TimeSpan.milliseconds(50)

    /// Consumes `total` bytes in steps, one each `interval`, and returns the window then.
    private func size(after total: UInt64, step: UInt64, interval: TimeSpan, maximum: UInt64 = 1 << 30)
        -> UInt64
    {
        var window = ReceiveWindow(size: 100_000)
        var now = Instant.zero
        var consumed: UInt64 = 0
        while consumed < total {
            consumed += step
            now += interval
            window.noteConsumed(consumed, now: now, rtt: rtt, maximumSize: maximum)
            if window.isUpdateDue(consumed: consumed) { _ = window.announce(consumed: consumed) }
        }
        return window.size
    }

    @Test("A window that is consumed in under two round trips doubles (RFC 9000 section 4.2)")
    func doubles() {
        #expect(size(after: 61_000, step: 1000, interval: .microseconds(900)) == 200_000)
        #expect(size(after: 170_000, step: 1000, interval: .microseconds(400)) == 400_000)
    }

    @Test("A slower application keeps its window (RFC 9000 section 4.2)")
    func keeps() {
        #expect(size(after: 1_000_000, step: 1000, interval: .microseconds(1100)) == 100_000)
    }

    @Test("A window grows to its maximum and no further (RFC 9000 section 4.2)")
    func stopsAtMaximum() {
        #expect(
            size(after: 10_000_000, step: 10_000, interval: .microseconds(10), maximum: 700_000) == 700_000)
    }

    @Test("A freeze does not count as slowness (RFC 9000 section 4.2)")
    func freeze() {
        var window = ReceiveWindow(size: 100_000)
        window.noteConsumed(0, now: .zero, rtt: rtt, maximumSize: 1 << 20)
        window.noteConsumed(40_000, now: .zero + .milliseconds(1), rtt: rtt, maximumSize: 1 << 20)
        window.restartMeasurement()
        let thawed = Instant.zero + .seconds(3600)
        window.noteConsumed(45_000, now: thawed, rtt: rtt, maximumSize: 1 << 20)
        window.noteConsumed(95_000, now: thawed + .milliseconds(1), rtt: rtt, maximumSize: 1 << 20)
        #expect(window.size == 200_000)
    }

    @Test("The connection's window stays half as large again as a stream's (RFC 9000 section 4.1)")
    func connectionWindowFollows() throws {
        let limits = StreamLimits(
            initialMaxData: 10_000, initialMaxStreamDataUnidirectional: 10_000,
            maximumConnectionWindow: 100_000,
            maximumStreamWindow: 40_000)
        let peers = StreamPeers(server: limits)
        let id = try #require(peers.client.open(.unidirectional))
        var now = Instant.zero
        var sent = 0
        for _ in 0..<100 {
            sent += try peers.client.write(id, pattern(20_000, from: sent))
            try peers.settle()
            now += .milliseconds(1)
            try peers.server.read(id, at: now, rtt: rtt)
            try peers.settle()
        }
        let slot = try #require(peers.server.table.peekSlot(of: id))
        #expect(peers.server.table.slots[slot].receiving.window.size == 40_000)
        #expect(peers.server.receiveCredit.window.size >= 60_000)
        #expect(peers.server.receiveCredit.window.size <= 100_000)
    }
}
