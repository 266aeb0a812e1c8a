import GodwitWire
import Testing

@testable import GodwitQPACK

@Suite("The prefix of a field section (RFC 9204 section 4.5.1)")
struct PrefixTests {
    @Test("The example: nine of a table of 100 bytes, after ten inserts (RFC 9204 section 4.5.1.1)")
    func example() throws {
        #expect(FieldSectionPrefix.maximumEntries(100) == 3)
        let prefix = try decode(hex("0482"), insertCount: 10, entries: 3)
        #expect(prefix == FieldSectionPrefix(requiredInsertCount: 9, base: 6))
    }

    @Test("Every count that can be needed comes back, however often it wraps (RFC 9204 section 4.5.1.1)")
    func wrapping() throws {
        for entries in [1, 2, 3, 7, 128] as [UInt64] {
            for inserted in 0..<UInt64(5 * entries + 3) {
                // A section can wait for at most as many inserts as fit, and refer back to as many.
                let oldest = inserted >= entries ? inserted - entries + 1 : 1
                for required in oldest...inserted + entries {
                    let sent = FieldSectionPrefix(requiredInsertCount: required, base: required)
                    let bytes = written { sent.encode(into: &$0, maximumEntries: entries) }
                    #expect(bytes.count == sent.length(maximumEntries: entries))
                    #expect(try decode(bytes, insertCount: inserted, entries: entries) == sent)
                }
            }
        }
    }

    @Test("Bases on either side of the count come back (RFC 9204 section 4.5.1.2)")
    func bases() throws {
        for base in [0, 1, 8, 9, 10, 11, 136, 137, 1000] as [UInt64] {
            let sent = FieldSectionPrefix(requiredInsertCount: 9, base: base)
            let bytes = written { sent.encode(into: &$0, maximumEntries: 128) }
            #expect(try decode(bytes, insertCount: 9, entries: 128) == sent)
        }
    }

    // Holds: 9204-4.5.1.1-1
    @Test("A count that no encoder could have sent is an error (RFC 9204 section 4.5.1.1)")
    func impossible() {
        // Beyond twice the entries; behind all that wrap; zero in disguise; any at all without a table.
        for (coded, inserted, entries) in [(7, 10, 3), (255, 10, 3), (6, 0, 3), (1, 0, 3), (1, 0, 0)] {
            #expect(throws: PrefixFailure.self) {
                try decode([UInt8(coded), 0], insertCount: UInt64(inserted), entries: UInt64(entries))
            }
        }
        var decoder = makeDecoder(table: 0)
        #expect(errorKind { _ = try decoder.decode(hex("0100 d1")) } == .decompressionFailed)
    }

    // Holds: 9204-4.5.1.2-2
    @Test("A base below zero is an error (RFC 9204 section 4.5.1.2)")
    func negativeBase() throws {
        #expect(throws: PrefixFailure.self) { try decode(hex("0a89"), insertCount: 9, entries: 128) }
        #expect(throws: PrefixFailure.self) { try decode(hex("0080"), insertCount: 9, entries: 128) }
        #expect(try decode(hex("0a88"), insertCount: 9, entries: 128).base == 0)
        #expect(errorKind { _ = try makeDecoder().decodeOnce(hex("0080 d1")) } == .decompressionFailed)
    }

    @Test("The largest delta overflows nothing")
    func largestDelta() throws {
        let bytes = written {
            $0.writePrefixedInteger(2, mask: 0xff, flags: 0)
            $0.writePrefixedInteger(VariableLengthInteger.max, mask: 0x7f, flags: 0)
            $0.writePrefixedInteger(VariableLengthInteger.max, mask: 0x0f, flags: 0x10)
        }
        var decoder = makeDecoder()
        try decoder.receive(hex("3fe11f 41610131"))
        #expect(errorKind { _ = try decoder.decode(bytes) } == .decompressionFailed)
    }

    private func decode(_ bytes: [UInt8], insertCount: UInt64, entries: UInt64) throws -> FieldSectionPrefix {
        try reading(bytes) {
            try FieldSectionPrefix.decode(&$0, insertCount: insertCount, maximumEntries: entries)
        }
    }
}
