import Foundation
import Testing

@testable import GodwitQPACK

/// Encoder and decoder with a network between them that keeps the order of each stream and no other.
struct DisorderedPair {
    private var generator: SeededGenerator
    private var encoder: QPACKEncoder
    private var decoder: QPACKDecoder
    private var encoderStream: [UInt8] = []
    private var decoderStream: [UInt8] = []
    private var onTheWay: [(stream: UInt64, bytes: [UInt8])] = []
    private var blocked: [UInt64: [UInt8]] = [:]
    private var cancelled: Set<UInt64> = []
    private var sent: [UInt64: [FieldSection]] = [:]
    private var nextStream: UInt64 = 0
    private(set) var decodedCount = 0
    private(set) var blockedCount = 0
    var evictedCount: UInt64 { decoder.table.droppedCount }
    var insertCount: UInt64 { decoder.insertCount }

    init(seed: UInt64, table: Int, blocked: Int) throws {
        generator = SeededGenerator(seed: seed)
        encoder = try makeEncoder(table: UInt64(table), blocked: UInt64(blocked), limit: table)
        decoder = makeDecoder(table: table, blocked: blocked)
    }

    /// One thing happens, whichever.
    mutating func step() throws {
        switch generator.below(8) {
        case 0, 1: send()
        case 2: try deliverInstructions(upTo: 1 + generator.below(64))
        case 3: try deliverAcknowledgments(upTo: 1 + generator.below(8))
        case 4, 5, 6: try deliverSection()
        default: if generator.chance(10) { try cancel() }
        }
    }

    /// All that is on its way arrives.
    mutating func settle() throws {
        try deliverInstructions(upTo: .max)
        while !onTheWay.isEmpty { try deliverSection() }
        #expect(blocked.isEmpty)
        try deliverAcknowledgments(upTo: .max)
        #expect(encoder.outstandingSectionCount == 0)
        #expect(encoder.blockingStreamCount == 0)
        #expect(encoder.knownReceivedCount == encoder.insertCount)
        #expect(encoder.table.table.entries == decoder.table.entries)
        #expect(!sent.values.contains { !$0.isEmpty })
    }

    /// Both ends are written and read back.
    mutating func freezeAndThaw() throws {
        encoder = try JSONDecoder().decode(QPACKEncoder.self, from: JSONEncoder().encode(encoder))
        decoder = try JSONDecoder().decode(QPACKDecoder.self, from: JSONEncoder().encode(decoder))
    }

    private mutating func send() {
        let isNewStream = nextStream == 0 || generator.chance(70)
        if isNewStream { nextStream += 1 }
        let stream = isNewStream ? nextStream : 1 + UInt64(generator.below(Int(nextStream)))
        let section = randomSection()
        var bytes: [UInt8] = []
        encoder.encode(section, stream: stream, into: &bytes)
        encoder.takeEncoderStreamBytes(into: &encoderStream)
        onTheWay.append((stream, bytes))
        if !cancelled.contains(stream) { sent[stream, default: []].append(section) }
    }

    private mutating func randomSection() -> FieldSection {
        var section = FieldSection()
        for _ in 0..<generator.below(8) {
            let name = ["server", "vary", "x-a", "x-longer-name", ":path", "cookie", "", "etag"][
                generator.below(8)]
            let value = [UInt8](
                repeating: UInt8(generator.below(256)), count: [0, 1, 7, 30, 60][generator.below(5)])
            let isCommon = generator.chance(70)
            section.append(
                name: Array(name.utf8), value: isCommon ? Array("value \(generator.below(6))".utf8) : value,
                neverIndexed: generator.chance(5))
        }
        return section
    }

    private mutating func deliverInstructions(upTo limit: Int) throws {
        let count = min(limit, encoderStream.count)
        try decoder.receive(Array(encoderStream[..<count]))
        encoderStream.removeFirst(count)
        while let stream = decoder.nextUnblocked() {
            let waiting = blocked.removeValue(forKey: stream)
            try decode(try #require(waiting), stream)
        }
    }

    private mutating func deliverAcknowledgments(upTo limit: Int) throws {
        if limit == .max || generator.chance(50) { decoder.takeDecoderStreamBytes(into: &decoderStream) }
        let count = min(limit, decoderStream.count)
        try encoder.receive(Array(decoderStream[..<count]))
        decoderStream.removeFirst(count)
    }

    private mutating func deliverSection() throws {
        guard !onTheWay.isEmpty else { return }
        let pick = onTheWay[generator.below(onTheWay.count)].stream
        // What is behind a blocked section of its stream waits with it.
        guard blocked[pick] == nil else { return }
        let index = try #require(onTheWay.firstIndex { $0.stream == pick })
        let (stream, bytes) = onTheWay.remove(at: index)
        guard !cancelled.contains(stream) else { return }
        try decode(bytes, stream)
    }

    private mutating func decode(_ bytes: [UInt8], _ stream: UInt64) throws {
        guard let section = try decoder.decode(bytes, stream: stream) else {
            blocked[stream] = bytes
            blockedCount += 1
            return
        }
        decodedCount += 1
        let expected = sent[stream]?.removeFirst()
        #expect(section.map(\.nameBytes) == expected?.map(\.nameBytes))
        #expect(section.map(\.valueBytes) == expected?.map(\.valueBytes))
    }

    /// The decoder's end loses interest in a stream; what comes for it, also what the encoder sends before
    /// and after it hears of that, is dropped.
    private mutating func cancel() throws {
        guard let stream = blocked.keys.min() ?? onTheWay.first?.stream, !cancelled.contains(stream) else {
            return
        }
        decoder.cancel(stream: stream)
        blocked[stream] = nil
        sent[stream] = []
        cancelled.insert(stream)
    }
}

@Suite("Streams that overtake each other (RFC 9204 section 2.1.2)")
struct DisorderTests {
    // Holds: 9204-2.1-1, 9204-2.2-1, 9204-4.5.1.2-1
    @Test(
        "Whatever the order of arrival, the lines are those that were sent",
        arguments: [31, 100, 220, 512, 4096], [0, 1, 3, 100])
    func disorder(table: Int, blocked: Int) throws {
        var blockedCount = 0
        for seed in 0..<3 as Range<UInt64> {
            var pair = try DisorderedPair(seed: seed, table: table, blocked: blocked)
            for _ in 0..<300 { try pair.step() }
            try pair.settle()
            blockedCount += pair.blockedCount
            #expect(pair.decodedCount > 20)
            #expect(pair.evictedCount > 0 || table >= 4096 || table < 100)
        }
        #expect((blockedCount > 0) == (blocked > 0 && table >= 100))
    }

    @Test("Both ends can be frozen at any moment and go on elsewhere", arguments: [100, 220, 4096])
    func frozen(table: Int) throws {
        for seed in 0..<2 as Range<UInt64> {
            var pair = try DisorderedPair(seed: seed, table: table, blocked: 3)
            for step in 0..<300 {
                try pair.step()
                if step.isMultiple(of: 7) { try pair.freezeAndThaw() }
            }
            try pair.settle()
            #expect(pair.insertCount > 0)
        }
    }
}
