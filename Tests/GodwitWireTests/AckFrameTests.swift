import GodwitWire
import Testing

@Suite("ACK frames")
struct AckFrameTests {
    // Holds: 9000-19.3-1
    @Test("Ranges are walked newest first (RFC 9000 section 19.3.1)")
    func walk() throws {
        // Largest 100, three ranges: 95...100, 90...92 behind a gap of 2 numbers, 10 behind one of 79.
        try expectAck(hex("02 4064 0a 02 05 01 02 404e 00")) { ack, _ in
            #expect(ack.largestAcknowledged == 100)
            #expect(ack.encodedDelay == 10)
            #expect(ack.rangeCount == 3)
            #expect(ack.ecn == nil)
            #expect(
                Array(ack.ranges) == [
                    .init(smallest: 95, largest: 100), .init(smallest: 90, largest: 92),
                    .init(smallest: 10, largest: 10),
                ])
            #expect(ack.firstRange.count == 6)
            #expect(ack.firstRange.contains(95) && !ack.firstRange.contains(94))
        }
    }

    // Holds: 9000-19.3-1
    @Test("The counts of type 0x03 follow the ranges (RFC 9000 section 19.3.2)")
    func ecnCounts() throws {
        try expectAck(hex("03 05 00 00 05 01 02 4003 01")) { ack, reader in
            #expect(ack.ecn == ECNCounts(ect0: 1, ect1: 2, congestionExperienced: 3))
            #expect(Array(ack.ranges) == [.init(smallest: 0, largest: 5)])
            #expect(reader.readUInt8() == 0x01)
        }
    }

    // Holds: 9000-12.4-5, 9000-19.3-1
    @Test("Any ranges come back as they were sent (RFC 9000 section 19.3)")
    func roundTrip() throws {
        var examples = FrameExamples(generator: SeededGenerator(seed: 3))
        for _ in 0..<200 {
            let ranges = examples.ranges(upTo: 1 + examples.generator.below(100))
            let (delay, ecn) = (examples.varint(), examples.ecnCounts())
            try AckFrame.withRanges(ranges, encodedDelay: delay, ecn: ecn) { ack in
                #expect(ack.ranges.map { $0.smallest...$0.largest } == ranges)
                try expect(encoded(.ack(ack)), toBe: .ack(ack))
            }
        }
    }

    // Holds: 9000-19.3.1-1
    @Test(
        "A range that would reach below packet number 0 is refused (RFC 9000 section 19.3.1)",
        arguments: [
            "02 05 00 00 06", "02 05 00 01 05 00 00", "02 05 00 01 04 00 00", "02 05 00 01 03 01 00",
            "02 05 00 01 03 00 01", "02 05 00 01 00 ffffffffffffffff 00",
            "02 05 00 01 00 00 ffffffffffffffff",
            "03 05 00 00 06 00 00 00",
        ])
    func negativeRange(text: String) {
        let error = decodingError(hex(text))
        #expect(error?.code == .frameEncodingError)
        #expect(error?.frameType == UInt64(hex(text)[0]))
    }

    @Test("Ranges down to packet number 0 are fine (RFC 9000 section 19.3.1)")
    func downToZero() {
        for text in ["02 05 00 00 05", "02 05 00 01 03 00 00", "02 05 00 01 02 00 01", "02 00 00 00 00"] {
            #expect(decodingError(hex(text)) == nil)
        }
    }

    @Test("A count of ranges beyond what the packet holds is refused at once (RFC 9000 section 19.3)")
    func hugeCount() {
        #expect(decodingError(hex("02 4064 00 ffffffffffffffff 00 00 00 00 00"))?.code == .frameEncodingError)
    }

    @Test("The delay is scaled by the exponent and can't overflow (RFC 9000 section 19.3)")
    func delay() {
        AckFrame.withRanges([0...0], encodedDelay: 100) { ack in
            #expect(ack.delay(exponent: 0) == .microseconds(100))
            #expect(ack.delay(exponent: 3) == .microseconds(800))
        }
        AckFrame.withRanges([0...0], encodedDelay: VariableLengthInteger.max) { ack in
            #expect(ack.delay(exponent: 20) == TimeSpan(nanoseconds: .max))
        }
    }

    @Test("Written range by range, a frame holds as many as fit and says so")
    func writerFillsWhatFits() throws {
        var examples = FrameExamples(generator: SeededGenerator(seed: 8))
        for _ in 0..<200 {
            let ranges = examples.ranges(upTo: 90).map {
                AckRange(smallest: $0.lowerBound, largest: $0.upperBound)
            }
            let (ecn, capacity) = (examples.ecnCounts(), examples.generator.below(400))
            var count = 0
            let bytes = written(capacity: capacity) { writer in
                guard var ack = AckFrameWriter(first: ranges[0], encodedDelay: 7, ecn: ecn, into: &writer)
                else {
                    return
                }
                count = 1
                for range in ranges.dropFirst() {
                    guard ack.append(range, into: &writer) else { break }
                    count += 1
                }
                ack.finish(into: &writer)
            }
            guard count > 0 else {
                #expect(bytes.isEmpty)
                continue
            }
            #expect(count == ranges.count || count == AckFrameWriter.maxRanges || bytes.count + 16 > capacity)
            try expectAck(bytes) { ack, reader in
                #expect(Array(ack.ranges) == Array(ranges.prefix(count)))
                #expect(ack.ecn == ecn)
                #expect(reader.isAtEnd)
            }
        }
    }
}
