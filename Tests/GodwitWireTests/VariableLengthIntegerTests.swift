import GodwitWire
import Testing

@Suite("Variable-length integers")
struct VariableLengthIntegerTests {
    @Test(
        "The examples of the RFC decode to its values (RFC 9000 appendix A.1)",
        arguments: [
            ("c2197c5eff14e88c", 151_288_809_941_952_652), ("9d7f3e7d", 494_878_333), ("7bbd", 15293),
            ("25", 37),
            ("4025", 37),
        ] as [(String, UInt64)])
    func examples(text: String, value: UInt64) {
        reading(hex(text)) { reader in
            #expect(reader.readVarint() == value)
            #expect(reader.isAtEnd)
        }
    }

    @Test(
        "A value is written in the fewest bytes (RFC 9000 section 16)",
        arguments: [
            (0, 1), (63, 1), (64, 2), (16383, 2), (16384, 4), (1_073_741_823, 4), (1_073_741_824, 8),
            (VariableLengthInteger.max, 8),
        ] as [(UInt64, Int)])
    func shortestForm(value: UInt64, size: Int) {
        let bytes = written { $0.writeVarint(value) }
        #expect(bytes.count == size)
        #expect(VariableLengthInteger.size(value) == size)
        #expect(varint(bytes) == value)
    }

    @Test("A value that is cut off leaves the reader where it was (RFC 9000 section 16)")
    func cutOff() {
        for text in ["", "40", "7f", "80", "9d7f3e", "c0", "c2197c5eff14e8"] {
            reading(hex(text)) { reader in
                #expect(reader.readVarint() == nil)
                #expect(reader.remaining == hex(text).count)
            }
        }
    }

    @Test("What fits behind its own count fits exactly, and no byte more does")
    func prefixedCapacity() {
        #expect(VariableLengthInteger.prefixedCapacity(0) == nil)
        #expect(VariableLengthInteger.prefixedCapacity(-1) == nil)
        for space in [
            1, 2, 63, 64, 65, 66, 67, 16384, 16385, 16386, 16387, 16388, 1 << 30, (1 << 30) + 3, 1 << 31,
        ] {
            let count = VariableLengthInteger.prefixedCapacity(space)!
            #expect(VariableLengthInteger.size(UInt64(count)) + count <= space)
            #expect(VariableLengthInteger.size(UInt64(count + 1)) + count + 1 > space)
        }
    }
}
