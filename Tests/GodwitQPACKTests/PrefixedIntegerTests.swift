import GodwitWire
import Testing

@testable import GodwitQPACK

@Suite("Prefixed integers (RFC 9204 section 4.1.1)")
struct PrefixedIntegerTests {
    @Test("The examples encode and decode (RFC 7541 appendix C.1)")
    func examples() throws {
        for (value, mask, coded) in [(10, 0x1f, "0a"), (1337, 0x1f, "1f9a0a"), (42, 0xff, "2a")] {
            #expect(encode(UInt64(value), mask: UInt8(mask)) == hex(coded))
            #expect(try decode(hex(coded), mask: UInt8(mask)) == UInt64(value))
        }
    }

    // Holds: 9204-4.1.1-1
    @Test("Values around every border come back, under every prefix, up to 62 bits (RFC 9204 section 4.1.1)")
    func borders() throws {
        for mask in [0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff] as [UInt8] {
            for bit in 0..<62 {
                for offset in -2...2 as ClosedRange<Int64> where Int64(1) << bit + offset >= 0 {
                    let value = UInt64(Int64(1) << bit + offset)
                    let bytes = encode(value, mask: mask)
                    #expect(bytes.count == PrefixedInteger.length(value, mask: mask))
                    #expect(bytes.count <= PrefixedInteger.maximumLength)
                    #expect(try decode(bytes, mask: mask) == value)
                }
            }
            #expect(try decode(encode(VariableLengthInteger.max, mask: mask), mask: mask) == 1 << 62 - 1)
        }
    }

    @Test("A value above 2^62 - 1 is refused (RFC 9204 section 4.1.1)")
    func tooLarge() {
        for mask in [0x07, 0x7f, 0xff] as [UInt8] {
            let bytes = encode(VariableLengthInteger.max, mask: mask)
            #expect(throws: ParseFailure.tooLarge) { try decode(incremented(bytes), mask: mask) }
        }
        #expect(throws: ParseFailure.tooLarge) { try decode(hex("7fffffffffffffffff7f"), mask: 0x7f) }
    }

    @Test("An encoding longer than any value needs is refused (RFC 9204 section 7.4)")
    func tooLong() throws {
        #expect(try decode(hex("7f808080808080808000"), mask: 0x7f) == 0x7f)
        #expect(throws: ParseFailure.tooLarge) { try decode(hex("7f80808080808080808000"), mask: 0x7f) }
        #expect(throws: ParseFailure.tooLarge) {
            try decode([0x7f] + [UInt8](repeating: 0x80, count: 99), mask: 0x7f)
        }
    }

    @Test("An encoding that ends early is incomplete")
    func truncated() {
        let bytes = encode(VariableLengthInteger.max, mask: 0x1f)
        for count in 0..<bytes.count {
            #expect(throws: ParseFailure.incomplete) { try decode(Array(bytes[..<count]), mask: 0x1f) }
        }
    }

    @Test("Bits beside the prefix are kept when writing and ignored when reading")
    func flags() throws {
        #expect(written { $0.writePrefixedInteger(5, mask: 0x0f, flags: 0xa0) } == [0xa5])
        #expect(written { $0.writePrefixedInteger(16, mask: 0x0f, flags: 0xa0) } == [0xaf, 0x01])
        #expect(try decode([0xa5], mask: 0x0f) == 5)
    }

    private func encode(_ value: UInt64, mask: UInt8) -> [UInt8] {
        written { $0.writePrefixedInteger(value, mask: mask, flags: 0) }
    }

    private func decode(_ bytes: [UInt8], mask: UInt8) throws -> UInt64 {
        try reading(bytes) { try $0.readPrefixedInteger(mask: mask) }
    }

    /// The encoding of a value one larger.
    private func incremented(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for index in bytes.indices.dropFirst() {
            let isLast = index == bytes.count - 1
            guard bytes[index] & 0x7f == 0x7f, !isLast else {
                bytes[index] += 1
                return bytes
            }
            bytes[index] = 0x80
        }
        return bytes
    }
}
