import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

/// A client and a server write, read, lose, reorder and duplicate at random, and a model knows what every stream
/// should deliver.
private struct TransferModel {
    struct Channel {
        var written: [UInt8] = []
        var ended = false
        var read: [UInt8] = []
        var finished = false
    }

    struct Flight {
        var packet: TestPacket
        var isDelivered = false
    }

    var generator: SeededGenerator
    let ends: [StreamsEnd]
    /// The channel of a stream from one end to the other: by sender and id.
    var channels: [[StreamID: Channel]] = [[:], [:]]
    var flights: [[Flight]] = [[], []]
    var now = Instant.zero

    init(seed: UInt64, limits: StreamLimits) {
        generator = SeededGenerator(seed: seed)
        let peers = StreamPeers(client: limits, server: limits)
        ends = [peers.client, peers.server]
    }

    mutating func step(lossPercent: Int) throws {
        now += .milliseconds(1)
        let end = Int.random(in: 0...1, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: openStream(end)
        case 1, 2, 3: try writeSome(end)
        case 4, 5, 6: if let packet = send(end) { flights[end].append(Flight(packet: packet)) }
        case 7, 8: try deliverSome(end, lossPercent: lossPercent)
        default: try readSome(end)
        }
    }

    mutating func send(_ end: Int) -> TestPacket? {
        ends[end].packet(size: Int.random(in: 60...1200, using: &generator))
    }

    mutating func openStream(_ end: Int) {
        let direction = StreamID.Direction.allCases.randomElement(using: &generator)!
        guard let id = ends[end].open(direction) else { return }
        channels[end][id] = Channel()
        if direction == .bidirectional { channels[1 - end][id] = Channel() }
        if generator.chance(50) {
            let urgency = UInt8.random(in: 0...7, using: &generator)
            try? ends[end].setPriority(id, .init(urgency: urgency, isIncremental: generator.chance(50)))
        }
    }

    mutating func writeSome(_ end: Int) throws {
        let open = channels[end].keys.filter { !channels[end][$0]!.ended }.sorted()
        guard let id = open.randomElement(using: &generator), isKnown(id, to: end) else { return }
        var channel = channels[end][id]!
        let bytes = pattern(Int.random(in: 0...3000, using: &generator), from: channel.written.count)
        let fin = generator.chance(10)
        let count = try ends[end].write(id, bytes, fin: fin)
        channel.written += bytes[..<count]
        channel.ended = fin && count == bytes.count
        channels[end][id] = channel
    }

    /// A stream of the other's is known once a frame of it has arrived.
    private func isKnown(_ id: StreamID, to end: Int) -> Bool {
        let role = ends[end].role
        return id.initiator == role || id.index < ends[end].remote[id.direction].openedCount
    }

    mutating func deliverSome(_ end: Int, lossPercent: Int) throws {
        guard !flights[end].isEmpty else { return }
        let index = Int.random(in: 0..<min(8, flights[end].count), using: &generator)
        if !flights[end][index].isDelivered, generator.chance(lossPercent) {
            ends[end].lose(flights[end].remove(at: index).packet)
            return
        }
        try ends[1 - end].receive(flights[end][index].packet)
        flights[end][index].isDelivered = true
        if generator.chance(20) { return }
        let packet = flights[end].remove(at: index).packet
        // An acknowledgement may be lost with its packet, and then the packet counts as lost though it arrived.
        if generator.chance(10) { ends[end].lose(packet) } else { ends[end].acknowledge(packet) }
    }

    mutating func readSome(_ end: Int) throws {
        _ = ends[end].events()
        let open = channels[1 - end].keys.filter { !channels[1 - end][$0]!.finished }.sorted()
        for id in open where isKnown(id, to: end) && generator.chance(50) { try read(id, at: end) }
    }

    private mutating func read(_ id: StreamID, at end: Int) throws {
        let appetite = Int.random(in: 0...4000, using: &generator)
        var bytes: [UInt8] = []
        let result = try ends[end].streams.read(id, now: now, rtt: .milliseconds(20)) { view in
            bytes += view.prefix(appetite)
            return bytes.count
        }
        let expected = pattern(bytes.count, from: channels[1 - end][id]!.read.count)
        try #require(bytes == expected, "stream \(id) delivered what was not written")
        channels[1 - end][id]!.read += bytes
        channels[1 - end][id]!.finished = result.isFinished
    }

    mutating func finish() throws {
        for _ in 0..<4000 where !isQuiet {
            for end in 0...1 {
                for id in channels[end].keys.sorted() where !channels[end][id]!.ended && isKnown(id, to: end) {
                    channels[end][id]!.ended = try ends[end].write(id, [], fin: true) == 0
                }
                if let packet = send(end) { flights[end].append(Flight(packet: packet)) }
                try deliverSome(end, lossPercent: 5)
                try readSome(end)
            }
        }
    }

    private var isQuiet: Bool {
        flights.allSatisfy(\.isEmpty)
            && ends.allSatisfy { !$0.hasStreamDataToSend && !$0.hasControlFramesToSend && $0.openCount == 0 }
    }

    /// Carries both ends over to bytes and back, as a migrating server does.
    mutating func snapshot() throws {
        for end in 0...1 {
            let bytes = try JSONEncoder().encode(ends[end].streams)
            ends[end].streams = try JSONDecoder().decode(Streams.self, from: bytes)
        }
    }
}

@Suite("Random transfers between two ends")
struct StreamTransferModelTests {
    static let limits = StreamLimits(
        initialMaxData: 20_000, initialMaxStreamDataBidirectionalLocal: 6_000,
        initialMaxStreamDataBidirectionalRemote: 6_000, initialMaxStreamDataUnidirectional: 5_000,
        maximumConnectionWindow: 80_000, maximumStreamWindow: 30_000, maxStreamsBidirectional: 5,
        maxStreamsUnidirectional: 4, sendBufferLimit: 20_000, unsentLimit: 8_000)

    @Test("Every byte arrives once and in order, whatever the network does (RFC 9000 section 2.2)",
        arguments: 0..<8 as Range<UInt64>)
    func everyByteArrives(seed: UInt64) throws {
        var model = TransferModel(seed: seed, limits: Self.limits)
        for step in 0..<800 {
            try model.step(lossPercent: 15)
            if step % 300 == 299 { try model.snapshot() }
        }
        try model.finish()
        for end in 0...1 {
            for (id, channel) in model.channels[end] {
                #expect(channel.ended && channel.finished, "stream \(id) of end \(end) with seed \(seed)")
                #expect(channel.read == channel.written, "stream \(id) of end \(end) with seed \(seed)")
            }
            #expect(model.ends[end].openCount == 0, "end \(end) with seed \(seed)")
            #expect(model.ends[end].receiveCredit.consumed == model.ends[end].receiveCredit.used)
            #expect(model.ends[end].receiveCredit.islandCount == 0)
        }
    }
}
