import Testing

@testable import GodwitQPACK

@Suite("Field line representations (RFC 9204 section 4.5)")
struct FieldLineTests {
    /// A decoder whose table holds a: 1, b: 2, c: 3 and d: 4, the first of which is evicted.
    private func decoder() throws -> QPACKDecoder {
        var decoder = makeDecoder(table: 102)
        try decoder.receive(hex("3f47 41610131 41620132 41630133 41640134"))
        #expect(decoder.table.droppedCount == 1)
        #expect(decoder.insertCount == 4)
        return decoder
    }

    /// What one line decodes to behind a prefix with all four inserts required and base 3.
    private func line(_ representation: String) throws -> FieldLine {
        var decoder = try decoder()
        let decoded = try #require(try decoder.decode(hex("0580" + representation)))
        #expect(decoded.count == 1)
        return decoded[0]
    }

    @Test(
        "Each representation names the line it should",
        arguments: [
            ("d1", ":method: GET"), ("ff00", ":status: 100"), ("80", "c: 3"), ("81", "b: 2"), ("10", "d: 4"),
            ("510131", ":path: 1"), ("5f390131", "accept-language: 1"), ("400139", "c: 9"),
            ("410139", "b: 9"),
            ("000139", "d: 9"), ("21780139", "x: 9"), ("2700 78787878787878 00", "xxxxxxx: "), ("2000", ": "),
            ("29f3 81 07", "x: 0"), ("29f3 00", "x: "),
        ])
    func representations(representation: String, expected: String) throws {
        let line = try line(representation)
        #expect(line.description == expected)
        #expect(!line.isNeverIndexed)
    }

    // Holds: 9204-4.5.4-2
    @Test(
        "The N bit of every literal is kept, so that the next hop can keep it (RFC 9204 section 4.5.4)",
        arguments: ["710131", "600139", "080139", "31780139"])
    func neverIndexed(representation: String) throws {
        #expect(try line(representation).isNeverIndexed)
    }

    // Holds: 9204-4.5.4-1, 9204-4.5.4-2, 9204-7.1.3-1, 9204-7.1.3-2
    @Test("A line that was never to be indexed is sent on that way (RFC 9204 section 7.1.3)")
    func neverIndexedAgain() throws {
        var section = FieldSection()
        section.append(name: "accept", value: "*/*", neverIndexed: true)
        section.append(name: "x-secret", value: "1", neverIndexed: true)
        var encoder = try makeEncoder()
        for stream in 0..<3 as Range<UInt64> {
            var bytes: [UInt8] = []
            encoder.encode(section, stream: stream, into: &bytes)
            #expect(try makeDecoder().decodeOnce(bytes) == section)
        }
        #expect(encoder.insertCount == 0)
        #expect(!encoder.hasEncoderStreamBytes)
    }

    @Test("Sections without references need no acknowledgment (RFC 9204 section 4.4.1)")
    func noAcknowledgment() throws {
        var decoder = try decoder()
        _ = decoder.takeInstructions()
        _ = try decoder.decode(hex("0000 d1"), stream: 4)
        #expect(!decoder.hasDecoderStreamBytes)
        // Required are inserts that the lines don't refer to; that may be an error, but need not.
        _ = try decoder.decode(hex("0500 d1"), stream: 8)
        #expect(decoder.takeInstructions() == hex("88"))
    }

    // Holds: 9204-2.2.1-1, 9204-2.2.3-1, 9204-3.1-1
    @Test(
        "What a section can't refer to is an error (RFC 9204 sections 2.2.3 and 3.1)",
        arguments: [
            // No such static entry; evicted; below the base's zero; beyond the required inserts.
            ("0580", "ff24"), ("0580", "5f540131"), ("0580", "82"), ("0580", "420131"), ("0580", "83"),
            ("0580", "bfffffffffffffff3f"), ("0580", "11"), ("0580", "010131"),
            ("0580", "1fffffffffffffff7f"),
            ("0480", "11"), ("0480", "010131"), ("0401", "80"), ("0000", "80"), ("0000", "10"),
            ("0000", "400131"),
            ("0000", "000131"),
        ])
    func invalidReference(prefix: String, representation: String) throws {
        var decoder = try decoder()
        let error = qpackError { _ = try decoder.decode(hex(prefix + representation)) }
        #expect(error?.kind == .decompressionFailed)
        #expect(error?.scope == .connection)
        #expect(error?.code == 0x200)
    }

    @Test(
        "A section that ends within a representation is an error (RFC 9204 section 6)",
        arguments: [
            "", "00", "ff", "0000ff", "00005f", "000051", "00005103 6162", "000027", "00002178", "0000217801",
            "0000bf",
        ])
    func truncated(section: String) {
        #expect(errorKind { _ = try makeDecoder().decodeOnce(hex(section)) } == .decompressionFailed)
    }

    @Test(
        "A Huffman code that is broken is an error (RFC 7541 section 5.2)",
        arguments: ["5181ff", "518400000000", "29ff00"])
    func invalidHuffman(representation: String) {
        #expect(
            errorKind { _ = try makeDecoder().decodeOnce(hex("0000" + representation)) }
                == .decompressionFailed)
    }

    // Holds: 9204-7.4-1
    @Test("An integer too large for us ends the stream alone (RFC 9204 section 7.4)")
    func integerTooLarge() {
        let error = qpackError { _ = try makeDecoder().decodeOnce(hex("0000 ff ffffffffffffffffff7f")) }
        #expect(error?.kind == .decompressionFailed)
        #expect(error?.scope == .stream)
    }
}

extension QPACKDecoder {
    /// Decodes with a copy that is thrown away.
    func decodeOnce(_ bytes: [UInt8]) throws -> FieldSection? {
        var copy = self
        return try copy.decode(bytes)
    }
}
