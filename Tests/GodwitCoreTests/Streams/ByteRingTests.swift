import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Rings of bytes")
struct ByteRingTests {
    /// Appends and consumes through a receive buffer, which is a ring with its books.
    @Test("Bytes keep their places as a ring wraps and grows (RFC 9000 section 2.2)")
    func wrapsAndGrows() {
        var buffer = ReceiveBuffer()
        var generator = SeededGenerator(seed: 1)
        var written = 0
        var read = 0
        for _ in 0..<400 {
            let count = Int.random(in: 0...900, using: &generator)
            pattern(count, from: written).withUnsafeBytes { buffer.insert($0, at: UInt64(written)) }
            written += count
            while written - read > 3000 || (read < written && generator.chance(50)) {
                var seen: [UInt8] = []
                let consumed = buffer.consume { view in
                    seen = Array(view.prefix(700))
                    return seen.count
                }
                #expect(seen == pattern(consumed, from: read))
                read += consumed
            }
        }
        #expect(buffer.capacity <= 4096)
    }

    @Test("A copy of a ring does not see what is written to the other (RFC 9000 section 2.2)")
    func copiesAreValues() {
        var buffer = SendBuffer()
        pattern(100).withUnsafeBytes { buffer.append($0) }
        var copy = buffer
        [UInt8](repeating: 0xff, count: 50).withUnsafeBytes { copy.append($0) }
        buffer.append(UnsafeRawBufferPointer(start: nil, count: 0))
        var bytes = [UInt8](repeating: 0, count: 100)
        bytes.withUnsafeMutableBytes { buffer.copy(to: $0, from: 0) }
        #expect(bytes == pattern(100))
        #expect(buffer.endOffset == 100 && copy.endOffset == 150)
    }

    @Test("A ring that was large for a burst shrinks when it has been too large for a while")
    func shrinks() {
        var buffer = ReceiveBuffer()
        func pass(_ count: Int, _ buffer: inout ReceiveBuffer) {
            pattern(count).withUnsafeBytes { buffer.insert($0, at: buffer.readableEnd) }
            while buffer.readableCount > 0 { _ = buffer.consume { $0.count } }
        }
        pass(200_000, &buffer)
        #expect(buffer.capacity == 262_144)
        for _ in 0..<9 { pass(1000, &buffer) }
        #expect(buffer.capacity == 1024)
        pass(10_000, &buffer)
        for _ in 0..<20 { pass(100, &buffer) }
        #expect(buffer.capacity == 16_384, "a modest ring stays")
        buffer.releaseSpareMemory()
        #expect(buffer.capacity == 0)
    }

    @Test("Steady bursts keep their ring")
    func burstsKeepTheirRing() {
        var buffer = ReceiveBuffer()
        for _ in 0..<50 {
            pattern(100_000).withUnsafeBytes { buffer.insert($0, at: buffer.readableEnd) }
            while buffer.readableCount > 0 { _ = buffer.consume { $0.count } }
            #expect(buffer.capacity == 131_072)
        }
    }

    @Test("Gaps of a set are found (RFC 9000 section 13.3)")
    func gaps() {
        var ranges = OffsetRanges()
        for range: Range<UInt64> in [10..<20, 30..<40, 50..<60] { ranges.insert(range) }
        func gaps(_ range: Range<UInt64>) -> [Range<UInt64>] {
            var gaps: [Range<UInt64>] = []
            ranges.forEachGap(in: range) { gaps.append($0) }
            return gaps
        }
        #expect(gaps(0..<100) == [0..<10, 20..<30, 40..<50, 60..<100])
        #expect(gaps(15..<55) == [20..<30, 40..<50])
        #expect(gaps(31..<39) == [])
        #expect(gaps(20..<30) == [20..<30])
        #expect(gaps(20..<31) == [20..<30])
        #expect(gaps(70..<70) == [])
    }
}

@Suite("Send buffers")
struct SendBufferTests {
    @Test(
        "Acknowledgements in any order free the front, losses leave out what arrived (RFC 9000 section 13.3)"
    )
    func randomAcknowledgements() {
        var generator = SeededGenerator(seed: 7)
        var buffer = SendBuffer()
        pattern(20_000).withUnsafeBytes { buffer.append($0) }
        buffer.noteSent(upTo: 20_000)
        var arrived = [Bool](repeating: false, count: 20_000)
        for _ in 0..<600 {
            let start = Int.random(in: 0..<19_900, using: &generator)
            let count = Int.random(in: 1...100, using: &generator)
            if generator.chance(60) {
                buffer.acknowledge(UInt64(start), length: UInt32(count))
                for index in start..<start + count { arrived[index] = true }
            } else {
                buffer.markLost(UInt64(start), length: UInt32(count))
            }
            let firstMissing = arrived.firstIndex(of: false) ?? arrived.count
            #expect(buffer.acknowledgedOffset == UInt64(firstMissing))
            if let lost = buffer.firstLost {
                #expect(!arrived[Int(lost.lowerBound)..<Int(lost.upperBound)].contains(true))
            }
        }
        buffer.markAllLost()
        var resent = 0
        while let lost = buffer.firstLost {
            resent += Int(lost.upperBound - lost.lowerBound)
            buffer.noteResent(upTo: lost.upperBound)
        }
        #expect(resent == arrived.filter { !$0 }.count)
    }

    @Test("Records that do not fit what was sent are harmless (RFC 9000 section 13.3)")
    func foreignRecords() {
        var buffer = SendBuffer()
        pattern(100).withUnsafeBytes { buffer.append($0) }
        buffer.noteSent(upTo: 50)
        buffer.acknowledge(60, length: 10)
        buffer.acknowledge(.max, length: 10)
        buffer.markLost(.max - 3, length: 10)
        buffer.markLost(50, length: 50)
        #expect(!buffer.hasLost && buffer.islandCount == 0)
        buffer.acknowledge(0, length: .max)
        #expect(buffer.acknowledgedOffset == 50)
    }
}
