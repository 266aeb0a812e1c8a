import GodwitWire
import Testing

@testable import GodwitQPACK

@Suite("The encoder stream at the decoder (RFC 9204 section 4.3)")
struct EncoderStreamTests {
    @Test("Names come from the static table, the dynamic table and the instruction itself")
    func names() throws {
        var decoder = makeDecoder()
        try decoder.receive(hex("3fe11f c10161 410178 0161 80 0162 5f00 00 02"))
        #expect(text(decoder.table.entries).first == ":path: a")
    }

    @Test("An entry takes its name from one that it evicts (RFC 9204 section 3.2.2)")
    func nameOfEvicted() throws {
        var decoder = makeDecoder(table: 48)
        try decoder.receive(hex("3f11 4a637573746f6d2d6b65790131"))
        try decoder.receive(hex("80 0132"))
        #expect(text(decoder.table.entries) == ["custom-key: 2"])
        try decoder.receive(hex("00"))
        #expect(text(decoder.table.entries) == ["custom-key: 2"])
        #expect(decoder.insertCount == 3)
    }

    @Test("Entries are evicted from the oldest on, by inserts and by capacity (RFC 9204 section 3.2.2)")
    func eviction() throws {
        var decoder = makeDecoder(table: 4096)
        try decoder.receive(hex("3fe11f 41610131 41620132 41630133"))
        #expect(decoder.table.size == 102)
        try decoder.receive(hex("3f05"))
        #expect(text(decoder.table.entries) == ["c: 3"])
        try decoder.receive(hex("20"))
        #expect(decoder.table.entries.isEmpty)
        try decoder.receive(hex("3fe11f 41640134"))
        #expect(text(decoder.table.entries) == ["d: 4"])
        #expect(decoder.insertCount == 4)
    }

    @Test(
        "An entry may be as large as the table (RFC 9204 section 3.2.2)",
        arguments: ["c1 00", "44 61626364 0131"])
    func largestEntry(instruction: String) throws {
        var decoder = makeDecoder(table: 37)
        try decoder.receive(hex("3f06" + instruction + instruction))
        #expect(decoder.insertCount == 2)
        #expect(decoder.table.size == 37)
    }

    // Holds: 9204-3.2-1
    @Test("Lines that are there twice are no error (RFC 9204 section 3.2)")
    func duplicates() throws {
        var decoder = makeDecoder()
        try decoder.receive(hex("3fe11f 41610131 41610131 00 02"))
        #expect(text(decoder.table.entries) == Array(repeating: "a: 1", count: 4))
    }

    @Test("Values may be empty (RFC 9204 section 3.2)")
    func emptyValues() throws {
        var decoder = makeDecoder(table: 64)
        try decoder.receive(hex("3f21 40 00 40 00"))
        #expect(text(decoder.table.entries) == [": ", ": "])
        #expect(decoder.table.size == 64)
        try decoder.receive(hex("00"))
        #expect(decoder.table.count == 2)
    }

    // Holds: 9204-3.1-2, 9204-3.2.2-2, 9204-4.3.1-2, 9204-7.4-1
    @Test(
        "Instructions that break a rule are errors (RFC 9204 sections 2.2.3, 3.1, 3.2.2 and 4.3.1)",
        arguments: [
            // Capacity above the limit; above 2^62.
            "3fbe01", "3fffffffffffffffffff7f",
            // References: no entries; not so many; no such static entry.
            "3fbd01 00", "3fbd01 80 0131", "3fbd01 41610131 01", "3fbd01 41610131 81 0132", "3fbd01 ff24 00",
            // Entries larger than the table: all of it; the name alone; without a table; before it has a
            // capacity.
            "3f0d 4161 0c" + String(repeating: "31", count: 12), "3f01 4161 00", "20 c0 00", "c0 00",
            "3f0d 4f " + String(repeating: "61", count: 15) + "00", "3f05 c1 00", "3f05 45 6161616161 00",
            "3f02 41610131", "3f07 45 6162636465 0131 80 023132",
            // Broken Huffman codes.
            "3fbd01 c0 81ff", "3fbd01 61ff 00", "3fbd01 c0 84ffffffff",
            // Integers without end.
            "3fbd01 1fffffffffffffffffffff",
        ])
    func errors(instructions: String) {
        var decoder = makeDecoder(table: 220)
        let error = qpackError { try decoder.receive(hex(instructions)) }
        #expect(error?.kind == .encoderStreamError)
        #expect(error?.code == 0x201)
        #expect(error?.scope == .connection)
    }

    // Holds: 9204-2.2.3-2
    @Test("An evicted entry can't be named (RFC 9204 section 2.2.3)")
    func evictedReference() throws {
        for instruction in ["02", "82 0131"] {
            var decoder = makeDecoder(table: 68)
            try decoder.receive(hex("3f25 41610131 41620132 41630133"))
            #expect(decoder.insertCount == 3)
            #expect(errorKind { try decoder.receive(hex(instruction)) } == .encoderStreamError)
        }
    }

    // Holds: 9204-3.1-2
    @Test(
        "A reference to nothing is refused as soon as it is known (RFC 9204 sections 2.2.3 and 3.1)",
        arguments: ["ff24", "ff80ffffffff01", "80", "81", "00"])
    func referenceAlone(instruction: String) {
        var decoder = makeDecoder()
        #expect(errorKind { try decoder.receive(hex("3fe11f" + instruction)) } == .encoderStreamError)
    }

    @Test("A string that can't fit is refused as soon as its length is known, not kept until it is there")
    func lengthAlone() {
        for instructions in ["3fbd01 5fe107", "3fbd01 c0 7fe107", "3fbd01 c0 ffe107", "3fbd01 7fe107"] {
            var decoder = makeDecoder(table: 220)
            #expect(errorKind { try decoder.receive(hex(instructions)) } == .encoderStreamError)
        }
    }

    @Test("The longest code of the longest entry fits: thirty bits a byte")
    func longestCode() throws {
        let value = [UInt8](repeating: 0x0a, count: 188)
        let coded = value.withUnsafeBytes { value in
            written { HuffmanCode.encode(value, into: $0.claim(HuffmanCode.encodedLength(value))) }
        }
        let instruction = written {
            $0.writePrefixedInteger(0, mask: 0x1f, flags: 0x40)
            $0.writePrefixedInteger(UInt64(coded.count), mask: 0x7f, flags: 0x80)
            $0.writeBytes(coded)
        }
        var decoder = makeDecoder(table: 220)
        try decoder.receive(hex("3fbd01"))
        for byte in instruction { try decoder.receive([byte]) }
        #expect(decoder.table.entries.first?.valueBytes.elementsEqual(value) == true)
    }

    @Test("Instructions cut at every place come to the same table")
    func cuts() throws {
        let bytes = hex(
            "3fe11f c10161 69 25a849e95bb8e8b4bf 0162 80 0162 02 5f00" + String(repeating: "61", count: 31)
                + "00")
        var whole = makeDecoder()
        try whole.receive(bytes)
        for first in bytes.indices {
            for second in first..<bytes.count {
                var decoder = makeDecoder()
                try decoder.receive(Array(bytes[..<first]))
                try decoder.receive(Array(bytes[first..<second]))
                try decoder.receive(Array(bytes[second...]))
                #expect(decoder.table.entries == whole.table.entries)
            }
        }
    }

    @Test("The buffer stays within bounds, and entries intact, over many times the table")
    func longRun() throws {
        var generator = SeededGenerator(seed: 7)
        var decoder = makeDecoder(table: 1000)
        try decoder.receive(hex("3fc907"))
        var expected: [String] = []
        for number in 0..<1000 {
            let value = String(number) + String(repeating: "v", count: generator.below(200))
            if generator.chance(20), !expected.isEmpty {
                let relative = generator.below(decoder.table.count)
                try decoder.receive(written { $0.writeDuplicate(relativeIndex: UInt64(relative)) })
                expected.append(expected[expected.count - 1 - relative])
            } else {
                try decoder.receive(
                    written { writer in
                        Array(value.utf8).withUnsafeBytes { writer.writeInsert(staticName: 0, value: $0) }
                    })
                expected.append(":authority: " + value)
            }
            #expect(decoder.table.size <= 1000)
            #expect(decoder.table.bufferCount <= 3 * 1000)
            guard number.isMultiple(of: 10) else { continue }
            #expect(text(decoder.table.entries) == expected.suffix(decoder.table.count))
        }
    }
}
