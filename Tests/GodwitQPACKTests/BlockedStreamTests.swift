import Testing

@testable import GodwitQPACK

@Suite("Blocked streams at the decoder (RFC 9204 section 2.2.1)")
struct BlockedStreamTests {
    private static let capacityAndInsert = "3fe11f 41610131"

    // Holds: 9204-2.2.2.1-1
    @Test("A section waits for its inserts and decodes when they are there")
    func waiting() throws {
        var decoder = makeDecoder()
        #expect(try decoder.decode(hex("0200 80"), stream: 4) == nil)
        #expect(try decoder.decode(hex("0300 80"), stream: 8) == nil)
        #expect(decoder.blockedStreamCount == 2)
        #expect(decoder.nextUnblocked() == nil)
        try decoder.receive(hex(Self.capacityAndInsert))
        #expect(decoder.nextUnblocked() == 4)
        #expect(decoder.nextUnblocked() == nil)
        #expect(text(try #require(try decoder.decode(hex("0200 80"), stream: 4))) == ["a: 1"])
        try decoder.receive(hex("41620132"))
        #expect(decoder.nextUnblocked() == 8)
        #expect(decoder.blockedStreamCount == 0)
        #expect(text(try #require(try decoder.decode(hex("0300 80"), stream: 8))) == ["b: 2"])
        #expect(decoder.takeInstructions() == hex("84 88"))
    }

    // Holds: 9204-2.2.2.1-1
    @Test("What the acknowledgments cover is not counted again (RFC 9204 section 2.2.2.3)")
    func increment() throws {
        var decoder = makeDecoder()
        try decoder.receive(hex(Self.capacityAndInsert + "41620132 41630133"))
        #expect(try decoder.decode(hex("0300 80"), stream: 4) != nil)
        #expect(decoder.takeInstructions() == hex("84 01"))
        #expect(!decoder.hasDecoderStreamBytes)
        #expect(try decoder.decode(hex("0200 80"), stream: 8) != nil)
        #expect(decoder.takeInstructions() == hex("88"))
    }

    // Holds: 9204-2.1.2-2
    @Test("One blocked stream more than we promised is an error (RFC 9204 section 2.1.2)")
    func tooMany() throws {
        var decoder = makeDecoder(blocked: 2)
        #expect(try decoder.decode(hex("0200 80"), stream: 4) == nil)
        #expect(try decoder.decode(hex("0200 80"), stream: 8) == nil)
        // The same stream again is no more streams.
        #expect(try decoder.decode(hex("0200 80"), stream: 8) == nil)
        #expect(errorKind { _ = try decoder.decode(hex("0200 80"), stream: 12) } == .decompressionFailed)
        var none = makeDecoder(blocked: 0)
        #expect(errorKind { _ = try none.decode(hex("0200 80"), stream: 4) } == .decompressionFailed)
    }

    @Test("A stream that is cancelled waits no more, and makes place for another (RFC 9204 section 2.2.2.2)")
    func cancelled() throws {
        var decoder = makeDecoder(blocked: 1)
        #expect(try decoder.decode(hex("0200 80"), stream: 4) == nil)
        decoder.cancel(stream: 4)
        #expect(decoder.takeInstructions() == hex("44"))
        #expect(try decoder.decode(hex("0200 80"), stream: 8) == nil)
        try decoder.receive(hex(Self.capacityAndInsert))
        #expect(decoder.nextUnblocked() == 8)
        #expect(decoder.nextUnblocked() == nil)
    }

    @Test("A stream whose section is tried again by itself is not named any more")
    func triedAgain() throws {
        var decoder = makeDecoder()
        #expect(try decoder.decode(hex("0200 80"), stream: 4) == nil)
        try decoder.receive(hex(Self.capacityAndInsert))
        #expect(try decoder.decode(hex("0200 80"), stream: 4) != nil)
        #expect(decoder.nextUnblocked() == nil)
    }

    @Test("Without a table nothing needs to be cancelled (RFC 9204 section 2.2.2.2)")
    func noTable() {
        var decoder = makeDecoder(table: 0)
        decoder.cancel(stream: 4)
        #expect(!decoder.hasDecoderStreamBytes)
    }
}

@Suite("Limits of the decoder (RFC 9204 section 7.3)")
struct DecoderLimitTests {
    @Test("A section as large as we accept is fine, one byte more is too large (RFC 9114 section 4.2.2)")
    func sectionSize() throws {
        let lines = section([(":method", "GET"), ("x-name", "some value"), ("accept", "text")])
        var encoder = QPACKEncoder()
        var bytes: [UInt8] = []
        encoder.encode(lines, stream: 0, into: &bytes)
        #expect(try makeDecoder(section: lines.size).decodeOnce(bytes) == lines)
        let error = qpackError { _ = try makeDecoder(section: lines.size - 1).decodeOnce(bytes) }
        #expect(error?.kind == .fieldSectionTooLarge)
        #expect(error?.scope == .stream)
    }

    @Test(
        "Every representation is held to the limit",
        arguments: ["d1", "80", "10", "510131", "400131", "000131", "21780131", "5181 07", "29f3 81 07"])
    func representations(representation: String) throws {
        var decoder = makeDecoder(section: 33)
        try decoder.receive(hex("3fe11f 41610131 41620132"))
        #expect(errorKind { _ = try decoder.decode(hex("0380" + representation)) } == .fieldSectionTooLarge)
    }

    @Test("A large entry can't be blown up into a section that we don't accept")
    func amplification() throws {
        var decoder = makeDecoder(section: 10_000)
        try decoder.receive(hex("3fe11f 4161 7f811e") + [UInt8](repeating: 0x62, count: 3968))
        let bytes = hex("0200") + [UInt8](repeating: 0x80, count: 1000)
        var section = FieldSection()
        let error = qpackError {
            _ = try bytes.withUnsafeBufferPointer { (bytes) throws(QPACKError) in
                try decoder.decode(UnsafeRawBufferPointer(bytes), stream: 4, into: &section)
            }
        }
        #expect(error?.kind == .fieldSectionTooLarge)
        #expect(section.isEmpty)
        #expect(section.storage.count <= 2 * 10_000)
    }

    @Test("After a section that was too large everything goes on: its references are released")
    func tooLargeIsAcknowledged() throws {
        var decoder = makeDecoder(section: 40)
        try decoder.receive(hex("3fe11f 41610131"))
        #expect(errorKind { _ = try decoder.decode(hex("0200 80 80"), stream: 4) } == .fieldSectionTooLarge)
        #expect(decoder.takeInstructions() == hex("84"))
        #expect(try decoder.decode(hex("0200 80"), stream: 8) != nil)
    }

    @Test("A peer that gives no credit for our instructions can't make them pile up (RFC 9204 section 7.3)")
    func pileUp() throws {
        var decoder = makeDecoder()
        try decoder.receive(hex("3fe11f 41610131"))
        let error = qpackError {
            for stream in 0..<100_000 as Range<UInt64> {
                _ = try decoder.decode(hex("0200 80"), stream: stream)
            }
        }
        #expect(error?.kind == .excessiveLoad)
        #expect(decoder.takeInstructions().count < QPACKDecoder.maximumPendingBytes + 16)
        var cancelling = makeDecoder()
        for stream in 0..<20_000 as Range<UInt64> { cancelling.cancel(stream: stream) }
        #expect(errorKind { try cancelling.receive([0x20]) } == .excessiveLoad)
    }

    @Test(
        "Random bytes never trap and never fill more than they may", arguments: 1...4 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var decoder = makeDecoder(table: 220, blocked: 3, section: 1000)
            try decoder.receive(hex(ExampleTests.capacityAndTwoInserts + ExampleTests.thirdInsert))
            var encoder = try makeEncoder()
            _ = encoder.encode([(":authority", "www.example.com")], stream: 1)
            for stream in 0..<6 as Range<UInt64> {
                let bytes = generator.bytes(generator.below(24))
                _ = errorKind { try decoder.receive(bytes) }
                _ = errorKind { try encoder.receive(bytes) }
                _ = errorKind { _ = try decoder.decode(bytes, stream: stream) }
                let prefix: [UInt8] = [UInt8(generator.below(6)), UInt8(generator.below(4))]
                _ = errorKind { _ = try decoder.decode(prefix + bytes, stream: stream) }
                _ = decoder.nextUnblocked()
            }
            #expect(decoder.table.size <= 220)
            #expect(decoder.blockedStreamCount <= 3)
        }
    }
}
