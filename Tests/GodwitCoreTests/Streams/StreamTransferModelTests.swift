import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

/// A client and a server write, read, lose, reorder and duplicate at random, and a model knows what every
/// stream should deliver.
private struct TransferModel {
    struct Channel {
        var written: [UInt8] = []
        var ended = false
        var read: [UInt8] = []
        var finished = false
        /// One of the two gave up, so that either may fail and not all need arrive.
        var isAbandoned = false
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
    let abandonsStreams: Bool
    var resetsSent = 0

    init(seed: UInt64, limits: StreamLimits, abandonsStreams: Bool = false) {
        self.abandonsStreams = abandonsStreams
        generator = SeededGenerator(seed: seed)
        let peers = StreamPeers(client: limits, server: limits)
        ends = [peers.client, peers.server]
    }

    mutating func step(lossPercent: Int) throws {
        now += .milliseconds(1)
        let end = Int.random(in: 0...1, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0:
            openStream(end)
            if abandonsStreams, generator.chance(30) { try abandonSome(end) }
        case 1, 2, 3: try writeSome(end)
        case 4, 5, 6: if let packet = send(end) { flights[end].append(Flight(packet: packet)) }
        case 7, 8: try deliverSome(end, lossPercent: lossPercent)
        default: try readSome(end)
        }
    }

    mutating func send(_ end: Int) -> TestPacket? {
        let packet = ends[end].packet(size: Int.random(in: 60...1200, using: &generator))
        for case .resetStream in packet?.records ?? [] { resetsSent += 1 }
        return packet
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
        do {
            let count = try ends[end].write(id, bytes, fin: fin)
            channel.written += bytes[..<count]
            channel.ended = fin && count == bytes.count
        } catch let error as StreamError {
            try #require(channel.isAbandoned, "stream \(id) failed with \(error)")
            channel.ended = true
        }
        channels[end][id] = channel
    }

    /// Resets a stream, or asks the other end to stop.
    mutating func abandonSome(_ end: Int) throws {
        let code = UInt64.random(in: 0...100, using: &generator)
        if generator.chance(50) {
            let open = channels[end].keys.filter { !channels[end][$0]!.ended }.sorted()
            guard let id = open.randomElement(using: &generator), isKnown(id, to: end) else { return }
            channels[end][id]!.isAbandoned = true
            channels[end][id]!.ended = true
            do { try ends[end].reset(id, code: code) } catch StreamError.unknownStream {}
        } else {
            let open = channels[1 - end].keys.filter { !channels[1 - end][$0]!.finished }.sorted()
            guard let id = open.randomElement(using: &generator), isKnown(id, to: end) else { return }
            channels[1 - end][id]!.isAbandoned = true
            channels[1 - end][id]!.finished = true
            do { try ends[end].stopSending(id, code: code) } catch StreamError.unknownStream {}
        }
    }

    /// A stream of the other's is known once a frame of it has arrived.
    private func isKnown(_ id: StreamID, to end: Int) -> Bool {
        let role = ends[end].streams.role
        return id.initiator == role || id.index < ends[end].streams.remote[id.direction].openedCount
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
        // An acknowledgement may be lost with its packet, and then the packet counts as lost though it
        // arrived.
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
        do {
            let result = try ends[end].streams.read(id, now: now, rtt: .milliseconds(20)) { view in
                bytes += view.prefix(appetite)
                return bytes.count
            }
            channels[1 - end][id]!.finished = result.isFinished
        } catch {
            try #require(channels[1 - end][id]!.isAbandoned, "stream \(id) failed with \(error)")
            channels[1 - end][id]!.finished = true
        }
        let expected = pattern(bytes.count, from: channels[1 - end][id]!.read.count)
        try #require(bytes == expected, "stream \(id) delivered what was not written")
        channels[1 - end][id]!.read += bytes
    }

    mutating func finish() throws {
        for _ in 0..<4000 where !isQuiet {
            for end in 0...1 {
                try endAll(end)
                if let packet = send(end) { flights[end].append(Flight(packet: packet)) }
                try deliverSome(end, lossPercent: 5)
                try readSome(end)
            }
        }
    }

    private mutating func endAll(_ end: Int) throws {
        for id in channels[end].keys.sorted() where !channels[end][id]!.ended && isKnown(id, to: end) {
            do {
                try ends[end].write(id, [], fin: true)
            } catch let error as StreamError {
                try #require(channels[end][id]!.isAbandoned, "stream \(id) failed with \(error)")
            }
            channels[end][id]!.ended = true
        }
    }

    private var isQuiet: Bool {
        flights.allSatisfy(\.isEmpty)
            && ends.map(\.streams).allSatisfy {
                !$0.hasStreamDataToSend && !$0.hasControlFramesToSend && $0.openCount == 0
            }
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

    // Holds: 9000-2.2-1, 9000-2.2-2, 9000-11.2-1
    @Test(
        "Every byte arrives once and in order, whatever the network does (RFC 9000 section 2.2)",
        arguments: 0..<6 as Range<UInt64>)
    func everyByteArrives(seed: UInt64) throws {
        let model = try run(TransferModel(seed: seed, limits: Self.limits))
        #expect(model.resetsSent == 0, "no application asked for one (RFC 9000 section 11.2)")
        for end in 0...1 {
            for (id, channel) in model.channels[end] {
                #expect(channel.ended && channel.finished, "stream \(id) of end \(end) with seed \(seed)")
                #expect(channel.read == channel.written, "stream \(id) of end \(end) with seed \(seed)")
            }
            expectNothingLeft(model.ends[end], seed)
        }
    }

    @Test(
        "Streams that are given up leave nothing behind, and their credit comes back (RFC 9000 section 4.5)",
        arguments: 100..<104 as Range<UInt64>)
    func abandonedStreams(seed: UInt64) throws {
        let model = try run(TransferModel(seed: seed, limits: Self.limits, abandonsStreams: true))
        #expect(model.resetsSent > 0)
        for end in 0...1 {
            let abandonedCount = model.channels[end].values.count { $0.isAbandoned }
            #expect(abandonedCount > 0)
            for (id, channel) in model.channels[end] where !channel.isAbandoned {
                #expect(channel.read == channel.written, "stream \(id) of end \(end) with seed \(seed)")
            }
            expectNothingLeft(model.ends[end], seed)
        }
    }

    private func run(_ start: TransferModel) throws -> TransferModel {
        var model = start
        for step in 0..<600 {
            try model.step(lossPercent: 15)
            if step % 200 == 199 { try model.snapshot() }
        }
        try model.finish()
        return model
    }

    private func expectNothingLeft(_ end: StreamsEnd, _ seed: UInt64) {
        #expect(end.openCount == 0, "seed \(seed)")
        #expect(end.receiveCredit.consumed == end.receiveCredit.used, "seed \(seed)")
        #expect(end.receiveCredit.islandCount == 0, "seed \(seed)")
    }
}
