import Testing

@testable import GodwitQPACK

/// The exchange of RFC 9204 appendix B, read by our decoder and, where it has a choice of its own only in
/// what it inserts, written by the parts of our encoder.
@Suite("The examples of RFC 9204 appendix B")
struct ExampleTests {
    static let capacityAndTwoInserts =
        "3fbd01 c00f7777772e6578616d706c652e636f6d c10c2f73616d706c652f70617468"
    static let thirdInsert = "4a637573746f6d2d6b65790c637573746f6d2d76616c7565"

    @Test("A literal with a name of the static table (appendix B.1)")
    func literal() throws {
        var decoder = makeDecoder(table: 220)
        let decoded = try #require(try decoder.decode(hex("0000 510b2f696e6465782e68746d6c")))
        #expect(text(decoded) == [":path: /index.html"])
        #expect(decoder.takeInstructions().isEmpty)
    }

    @Test("Two inserts and a section that refers to them (appendix B.2)")
    func dynamicTable() throws {
        var decoder = makeDecoder(table: 220)
        #expect(try decoder.decode(hex("0381 10 11"), stream: 4) == nil)
        try decoder.receive(hex(Self.capacityAndTwoInserts))
        #expect(text(decoder.table.entries) == [":authority: www.example.com", ":path: /sample/path"])
        #expect(decoder.table.size == 106)
        #expect(decoder.nextUnblocked() == 4)
        let decoded = try #require(try decoder.decode(hex("0381 10 11"), stream: 4))
        #expect(text(decoded) == [":authority: www.example.com", ":path: /sample/path"])
        #expect(decoder.takeInstructions() == hex("84"))
    }

    @Test("An insert ahead of its use (appendix B.3)")
    func speculativeInsert() throws {
        var decoder = try decoderAfterB2()
        try decoder.receive(hex(Self.thirdInsert))
        #expect(decoder.table.size == 160)
        #expect(decoder.takeInstructions() == hex("01"))
        #expect(decoder.takeInstructions().isEmpty)
    }

    @Test("A duplicate that comes late, and a stream that is cancelled before (appendix B.4)")
    func duplicate() throws {
        var decoder = try decoderAfterB3()
        #expect(try decoder.decode(hex("0500 80 c1 81"), stream: 8) == nil)
        decoder.cancel(stream: 8)
        #expect(decoder.takeInstructions() == hex("48"))
        try decoder.receive(hex("02"))
        #expect(decoder.nextUnblocked() == nil)
        #expect(decoder.table.size == 217)
        let again = try #require(try decoder.decode(hex("0500 80 c1 81"), stream: 12))
        #expect(text(again) == [":authority: www.example.com", ":path: /", "custom-key: custom-value"])
    }

    @Test("An insert that evicts the oldest entry (appendix B.5)")
    func eviction() throws {
        var decoder = try decoderAfterB3()
        try decoder.receive(hex("02"))
        try decoder.receive(hex("810d637573746f6d2d76616c756532"))
        #expect(
            text(decoder.table.entries) == [
                ":path: /sample/path", "custom-key: custom-value", ":authority: www.example.com",
                "custom-key: custom-value2",
            ])
        #expect(decoder.table.size == 215)
        #expect(decoder.table.droppedCount == 1)
    }

    @Test("The instructions of the examples, byte by byte, come to the same table")
    func cutAnywhere() throws {
        var decoder = makeDecoder(table: 220)
        for byte in hex(Self.capacityAndTwoInserts + Self.thirdInsert + "02 810d637573746f6d2d76616c756532") {
            try decoder.receive([byte])
        }
        #expect(decoder.table.size == 215)
        #expect(decoder.insertCount == 5)
    }

    @Test(
        "An encoder that inserts the lines of the example writes a section that says the same (appendix B.2)")
    func encoder() throws {
        var encoder = try makeEncoder(table: 220, limit: 220)
        let lines = [(":authority", "www.example.com"), ("custom-key", "custom-value")]
        let bytes = encoder.encode([lines[0], lines[0]], stream: 4)
        // Post-base indices, since the insert was made for this section, and our Huffman code for its value.
        #expect(bytes == hex("0280 10 10"))
        #expect(encoder.takeInstructions() == hex("3fbd01 c08cf1e3c2e5f23a6ba0ab90f4ff"))
        try encoder.receive(hex("84"))
        #expect(encoder.knownReceivedCount == 1)
        #expect(encoder.encode([lines[0]], stream: 8) == hex("0200 80"))
        #expect(encoder.takeInstructions().isEmpty)
    }

    private func decoderAfterB2() throws -> QPACKDecoder {
        var decoder = makeDecoder(table: 220)
        try decoder.receive(hex(Self.capacityAndTwoInserts))
        _ = try decoder.decode(hex("0381 10 11"), stream: 4)
        _ = decoder.takeInstructions()
        return decoder
    }

    private func decoderAfterB3() throws -> QPACKDecoder {
        var decoder = try decoderAfterB2()
        try decoder.receive(hex(Self.thirdInsert))
        _ = decoder.takeInstructions()
        return decoder
    }
}
