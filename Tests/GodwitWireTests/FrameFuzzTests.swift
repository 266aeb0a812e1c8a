import GodwitWire
import Testing

@Suite("Frames under attack")
struct FrameFuzzTests {
    @Test(
        "Whatever the bytes, decoding never traps, and what it accepts it writes back as the same frame",
        arguments: UInt64(0)..<8)
    func mutations(seed: UInt64) throws {
        var examples = FrameExamples(generator: SeededGenerator(seed: seed))
        for _ in 0..<600 {
            var packet = packet(of: &examples)
            examples.generator.mutate(&packet)
            try decodeAll(packet)
        }
    }

    @Test("Random bytes are no better than mutated ones", arguments: UInt64(100)..<104)
    func noise(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<600 {
            // Most types are small; a uniform first byte would seldom be one.
            try decodeAll([UInt8(generator.below(0x34))] + generator.bytes(upTo: 60))
        }
    }

    private func packet(of examples: inout FrameExamples) -> [UInt8] {
        let frames = (0...examples.generator.below(3)).map { _ in
            examples.frame(kind: examples.generator.below(FrameExamples.kinds))
        }
        let ack = AckFrame.withRanges(examples.ranges(upTo: 6), ecn: examples.ecnCounts()) {
            encoded(.ack($0))
        }
        return frames.flatMap(encoded) + ack
    }

    private func decodeAll(_ packet: [UInt8]) throws {
        try reading(packet) { reader in
            while !reader.isAtEnd {
                let before = reader.remaining
                guard let frame = try? Frame.decode(&reader) else { return }
                #expect(reader.remaining < before)
                try check(frame)
            }
        }
    }

    private func check(_ frame: Frame) throws {
        try expect(encoded(frame), toBe: frame)
        if case .ack(let ack) = frame {
            #expect(Array(ack.ranges).count == ack.rangeCount)
            var bound = UInt64.max
            for range in ack.ranges {
                #expect(range.smallest <= range.largest && range.largest < bound)
                bound = range.smallest
            }
        }
    }
}
