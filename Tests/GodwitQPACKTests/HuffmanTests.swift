import GodwitWire
import Testing

@testable import GodwitQPACK

@Suite("Huffman code (RFC 7541 section 5.2)")
struct HuffmanTests {
    /// The coded strings of RFC 7541 appendix C.4 and C.6.
    static let strings: [(String, String)] = [
        ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
        ("a8eb10649cbf", "no-cache"),
        ("25a849e95ba97d7f", "custom-key"),
        ("25a849e95bb8e8b4bf", "custom-value"),
        ("6402", "302"),
        ("aec3771a4b", "private"),
        ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
        ("640eff", "307"),
        ("d07abe941054d444a8200595040b8166e084a62d1bff", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("9bd9ab", "gzip"),
        (
            "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
        ),
    ]

    @Test("The strings of the examples decode and encode (RFC 7541 appendix C)", arguments: strings)
    func examples(coded: String, text: String) throws {
        #expect(try decode(hex(coded)) == Array(text.utf8))
        #expect(encode(Array(text.utf8)) == hex(coded))
    }

    @Test("The code has the shape of the table: complete, and EOS is thirty ones (RFC 7541 appendix B)")
    func table() {
        #expect(HuffmanCode.codes[HuffmanCode.endOfString] == 0x3fff_ffff)
        #expect(HuffmanCode.codes[Int(UInt8(ascii: "/"))] == 0x18)
        #expect(HuffmanCode.codes[Int(UInt8(ascii: "0"))] == 0)
        #expect(HuffmanCode.codes[0] == 0x1ff8)
        #expect(HuffmanCode.codes[255] == 0x3ff_ffee)
        #expect(HuffmanCode.codes[249] == 0xfff_fffe)
        #expect(HuffmanCode.lengths.count == 257)
        let share = HuffmanCode.lengths.reduce(0) { $0 + 1 << (30 - Int($1)) }
        #expect(share == 1 << 30)
    }

    @Test("Every byte comes back, alone and between others")
    func everyByte() throws {
        for byte in UInt8.min...UInt8.max {
            for text in [
                [byte], [byte, byte, byte], [0x61, byte, 0x30], [UInt8](repeating: byte, count: 41),
            ] {
                #expect(try decode(encode(text)) == text)
            }
        }
    }

    @Test("Random strings of any length come back", arguments: 1...8 as ClosedRange<UInt64>)
    func randomStrings(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let count = generator.below(80)
            let isText = generator.chance(50)
            let text = generator.bytes(count).map { isText ? 0x20 + $0 % 0x5f : $0 }
            #expect(try decode(encode(text)) == text)
        }
    }

    @Test("Padding of more than seven bits is an error (RFC 7541 section 5.2)")
    func longPadding() {
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("a8eb10649cbfff")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("ff")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("f1e3c2e5f23a6ba0ab90f4ffff")) }
    }

    @Test("Padding that is not the start of EOS is an error (RFC 7541 section 5.2)")
    func wrongPadding() {
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("a8eb10649cbe")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("00")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("640efe")) }
    }

    @Test("EOS in a string is an error, wherever it stands (RFC 7541 section 5.2)")
    func endOfString() {
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("ffffffff")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("fffffffc 00000000 00000000")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode(hex("07ffffffff")) }
        #expect(throws: ParseFailure.invalidHuffman) { try decode([UInt8](repeating: 0xff, count: 40)) }
    }

    @Test("A string that is longer than its room is refused, not written")
    func noRoom() {
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 64)
        for room in 0..<64 {
            #expect(throws: ParseFailure.noRoom) { try decode(encode(text), room: room) }
        }
        #expect(throws: Never.self) { try decode(encode(text), room: 64) }
    }

    private func encode(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBytes { text in
            written { HuffmanCode.encode(text, into: $0.claim(HuffmanCode.encodedLength(text))) }
        }
    }

    @discardableResult
    private func decode(_ coded: [UInt8], room: Int? = nil) throws -> [UInt8] {
        let room = room ?? coded.count * 8 / 5
        var output = [UInt8](repeating: 0xee, count: room + 16)
        defer { #expect(output[room...].allSatisfy { $0 == 0xee }, "wrote past its room") }
        let count = try coded.withUnsafeBytes { coded in
            try output.withUnsafeMutableBytes { output in
                try HuffmanCode.decode(coded, into: UnsafeMutableRawBufferPointer(rebasing: output[..<room]))
            }
        }
        return Array(output[..<count])
    }
}
