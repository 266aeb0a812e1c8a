import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Datagrams")
struct DatagramQueueTests {
    private func queue(peerLimit: UInt64 = 1200, byteLimit: Int = 10_000) -> DatagramQueue {
        var queue = DatagramQueue(maxFrameSize: 1200, byteLimit: byteLimit)
        queue.applyPeerLimit(peerLimit)
        return queue
    }

    private func enqueue(
        _ queue: inout DatagramQueue, _ bytes: [UInt8], overflow: DatagramQueue.Overflow = .refuse
    ) throws -> UInt64 {
        try bytes.withUnsafeBytes { try queue.enqueue($0, overflow: overflow) }
    }

    private func write(_ queue: inout DatagramQueue, size: Int, fresh: Bool = true) -> TestPacket {
        var packet = TestPacket(bytes: [UInt8](repeating: 0, count: size), records: [])
        let count = packet.bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            queue.write(into: &writer, records: &packet.records, isFreshPacket: fresh)
            return writer.count
        }
        packet.bytes.removeSubrange(count...)
        return packet
    }

    private func receive(_ queue: inout DatagramQueue, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try queue.receive($0) }
    }

    private func datagramError(_ body: () throws -> Void) -> DatagramError? {
        do {
            try body()
            return nil
        } catch {
            return error as? DatagramError
        }
    }

    @Test("Datagrams go out whole and in order, as many as fit (RFC 9221 section 5)")
    func roundTrip() throws {
        var sender = queue()
        var receiver = queue()
        for size in [0, 1, 500, 600, 300] { _ = try enqueue(&sender, pattern(size)) }
        var sizes: [Int] = []
        while sender.hasDataToSend {
            let packet = write(&sender, size: 1200)
            sizes.append(packet.records.count)
            try packet.forEachFrame { if case .datagram(let data) = $0 { try receiver.receive(data) } }
        }
        #expect(sizes == [4, 1])
        for size in [0, 1, 500, 600, 300] {
            #expect(receiver.nextSize == size)
            #expect(receiver.read { Array($0) } == pattern(size))
        }
        #expect(!receiver.hasReceived && receiver.read { _ in 0 } == nil)
    }

    @Test("Nothing is sent to a peer that takes no datagrams, or none so large (RFC 9221 section 3)")
    func peerLimit() throws {
        var none = DatagramQueue(maxFrameSize: 0)
        #expect(datagramError { _ = try enqueue(&none, [1]) } == .unsupportedByPeer)
        var small = queue(peerLimit: 100)
        #expect(small.maximumSize == 97)
        #expect(small.maximumSize(inPacketSpace: 50) == 48)
        #expect(datagramError { _ = try enqueue(&small, pattern(98)) } == .tooLarge(maximum: 97))
        _ = try enqueue(&small, pattern(97))
        small.applyPeerLimit(10)
        #expect(small.maximumSize == 97, "a limit never falls")
        small.rejectEarlyData()
        small.applyPeerLimit(10)
        #expect(write(&small, size: 1200).bytes.isEmpty)
        #expect(small.counts.oversized == 1 && !small.hasDataToSend)
    }

    @Test("Datagrams that were not allowed close the connection (RFC 9221 section 3)")
    func ownLimit() throws {
        var none = DatagramQueue(maxFrameSize: 0)
        #expect(errorCode { try receive(&none, []) } == .protocolViolation)
        var small = DatagramQueue(maxFrameSize: 10)
        try receive(&small, pattern(9))
        #expect(errorCode { try receive(&small, pattern(10)) } == .protocolViolation)
    }

    @Test("A full queue refuses or drops the oldest, as the sender wants (RFC 9221 section 5)")
    func fullQueue() throws {
        var sender = queue(byteLimit: 1000)
        for _ in 0..<2 { _ = try enqueue(&sender, pattern(400)) }
        #expect(datagramError { _ = try enqueue(&sender, pattern(400)) } == .queueFull)
        #expect(try enqueue(&sender, pattern(700), overflow: .dropOldest) == 2)
        #expect(sender.counts.displaced == 2)
        #expect(write(&sender, size: 1200).records == [.datagram(2)])
        var receiver = queue(byteLimit: 1000)
        for fill: UInt8 in 0..<5 { try receive(&receiver, [UInt8](repeating: fill, count: 400)) }
        #expect(receiver.counts.dropped == 3 && receiver.counts.received == 5)
        #expect(receiver.read { $0[0] } == 3)
    }

    @Test("Empty datagrams are bounded too")
    func emptyDatagrams() throws {
        var receiver = queue()
        for _ in 0..<5000 { try receive(&receiver, []) }
        #expect(receiver.counts.dropped == UInt64(5000 - DatagramQueue.countLimit))
    }

    @Test(
        "A datagram that does not fit waits for a packet of its own, and is dropped if even that is too small"
    )
    func doesNotFit() throws {
        var sender = queue()
        _ = try enqueue(&sender, pattern(1000))
        #expect(write(&sender, size: 900, fresh: false).bytes.isEmpty)
        #expect(sender.hasDataToSend)
        #expect(write(&sender, size: 900).bytes.isEmpty)
        #expect(!sender.hasDataToSend && sender.counts.oversized == 1)
    }

    @Test("A datagram that fills the packet goes without its length (RFC 9221 section 4)")
    func withoutLength() throws {
        var sender = queue()
        _ = try enqueue(&sender, pattern(999))
        let packet = write(&sender, size: 1000)
        #expect(packet.bytes.count == 1000 && packet.bytes[0] == 0x30)
        packet.forEachFrame { frame in
            guard case .datagram(let data) = frame else { return }
            #expect(Array(data) == pattern(999))
        }
    }

    @Test("What became of datagrams is counted, and nothing is sent again (RFC 9221 section 5)")
    func fates() throws {
        var sender = queue()
        for _ in 0..<2 { _ = try enqueue(&sender, pattern(500)) }
        let records = write(&sender, size: 1200).records
        sender.onAcked(records[0])
        sender.onLost(records[1])
        sender.onLost(.handshakeDone)
        #expect(sender.counts.sent == 2 && sender.counts.acknowledged == 1 && sender.counts.lost == 1)
        #expect(!sender.hasDataToSend)
    }

    @Test("Messages of all sizes pass through a queue in one piece", arguments: 0..<3 as Range<UInt64>)
    func randomMessages(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var queue = MessageQueue()
        var sizes: [Int] = []
        for _ in 0..<800 {
            if sizes.count < 12, generator.chance(55) {
                let size = Int.random(in: 0...700, using: &generator)
                pattern(size, from: size).withUnsafeBytes { _ = queue.append($0) }
                sizes.append(size)
            } else if let size = sizes.first {
                #expect(queue.firstCount == size)
                #expect(queue.withFirst { Array($0) } == pattern(size, from: size))
                queue.removeFirst()
                sizes.removeFirst()
            }
            #expect(queue.byteCount == sizes.reduce(0, +) && queue.count == sizes.count)
        }
    }
}
