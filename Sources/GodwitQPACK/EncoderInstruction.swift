import GodwitWire

/// An instruction of the encoder stream (RFC 9204 section 4.3). Indices of the dynamic table are relative to
/// the newest entry; all indices are those of entries that are there.
enum EncoderInstruction {
    case setCapacity(UInt64)
    case insertWithStaticName(UInt64, StringLiteral)
    case insertWithDynamicName(UInt64, StringLiteral)
    case insertWithLiteralName(StringLiteral, StringLiteral)
    case duplicate(UInt64)

    /// The most bytes that an instruction takes whose name and value have `count` bytes.
    static func maximumLength(_ count: Int) -> Int { count + 2 * (PrefixedInteger.maximumLength + 1) }
}

extension ByteReader {
    /// Reads an instruction, whose strings must take no more than `limit` bytes together, for a table of
    /// `entryCount` entries. What is wrong is refused at once, though more of the instruction be missing.
    mutating func readEncoderInstruction(
        limit: Int, entryCount: Int
    ) throws(ParseFailure) -> EncoderInstruction {
        guard let first = peekUInt8() else { throw .incomplete }
        switch first >> 5 {
        case 0b000: return .duplicate(try readIndex(mask: 0x1f, count: entryCount))
        case 0b001: return .setCapacity(try readPrefixedInteger(mask: 0x1f))
        case 0b010, 0b011:
            let name = try readStringLiteral(mask: 0x1f, limit: limit)
            let rest = limit - name.bytes.count
            return .insertWithLiteralName(name, try readStringLiteral(mask: 0x7f, limit: rest))
        case 0b100, 0b101:
            let index = try readIndex(mask: 0x3f, count: entryCount)
            return .insertWithDynamicName(index, try readStringLiteral(mask: 0x7f, limit: limit))
        default:
            let index = try readIndex(mask: 0x3f, count: StaticTable.entries.count)
            return .insertWithStaticName(index, try readStringLiteral(mask: 0x7f, limit: limit))
        }
    }

    /// RFC 9204 sections 2.2.3 and 3.1: a reference to what is not there is an error.
    private mutating func readIndex(mask: UInt8, count: Int) throws(ParseFailure) -> UInt64 {
        let index = try readPrefixedInteger(mask: mask)
        guard index < UInt64(count) else { throw .noSuchEntry }
        return index
    }
}

extension ByteWriter {
    mutating func writeSetCapacity(_ capacity: Int) {
        writePrefixedInteger(UInt64(capacity), mask: 0x1f, flags: 0x20)
    }

    mutating func writeDuplicate(relativeIndex: UInt64) {
        writePrefixedInteger(relativeIndex, mask: 0x1f, flags: 0)
    }

    mutating func writeInsert(staticName index: Int, value: UnsafeRawBufferPointer) {
        writePrefixedInteger(UInt64(index), mask: 0x3f, flags: 0xc0)
        writeStringLiteral(value, mask: 0x7f)
    }

    mutating func writeInsert(dynamicName relativeIndex: UInt64, value: UnsafeRawBufferPointer) {
        writePrefixedInteger(relativeIndex, mask: 0x3f, flags: 0x80)
        writeStringLiteral(value, mask: 0x7f)
    }

    mutating func writeInsert(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        writeStringLiteral(name, mask: 0x1f, flags: 0x40)
        writeStringLiteral(value, mask: 0x7f)
    }
}
