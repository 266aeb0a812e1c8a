import GodwitWire

/// A field line as it is sent (RFC 9204 section 4.5).
enum FieldLineRepresentation {
    case indexed(TableReference)
    case literalWithNameReference(TableReference, StringLiteral, neverIndexed: Bool)
    case literal(StringLiteral, StringLiteral, neverIndexed: Bool)
}

/// What a field line refers to.
enum TableReference {
    case staticTable(UInt64)
    /// Counted back from the base (RFC 9204 section 3.2.5).
    case relative(UInt64)
    /// Counted on from the base (RFC 9204 section 3.2.6).
    case postBase(UInt64)
}

extension ByteReader {
    /// Reads a representation; the reader must not be at its end.
    @inline(__always)
    mutating func readFieldLine() throws(ParseFailure) -> FieldLineRepresentation {
        guard let first = peekUInt8() else { throw .incomplete }
        switch first >> 4 {
        case 0b1100...0b1111: return .indexed(.staticTable(try readPrefixedInteger(mask: 0x3f)))
        case 0b1000...0b1011: return .indexed(.relative(try readPrefixedInteger(mask: 0x3f)))
        case 0b0100...0b0111: return try readLiteralWithNameReference(first)
        case 0b0010, 0b0011: return try readLiteral(first)
        case 0b0001: return .indexed(.postBase(try readPrefixedInteger(mask: 0x0f)))
        default:
            let name = TableReference.postBase(try readPrefixedInteger(mask: 0x07))
            let value = try readStringLiteral(mask: 0x7f)
            return .literalWithNameReference(name, value, neverIndexed: first & 0x08 != 0)
        }
    }

    private mutating func readLiteralWithNameReference(
        _ first: UInt8
    ) throws(ParseFailure) -> FieldLineRepresentation {
        let index = try readPrefixedInteger(mask: 0x0f)
        let name = first & 0x10 != 0 ? TableReference.staticTable(index) : .relative(index)
        let value = try readStringLiteral(mask: 0x7f)
        return .literalWithNameReference(name, value, neverIndexed: first & 0x20 != 0)
    }

    private mutating func readLiteral(_ first: UInt8) throws(ParseFailure) -> FieldLineRepresentation {
        let name = try readStringLiteral(mask: 0x07)
        return .literal(name, try readStringLiteral(mask: 0x7f), neverIndexed: first & 0x10 != 0)
    }
}

extension ByteWriter {
    mutating func writeIndexed(static index: Int) {
        writePrefixedInteger(UInt64(index), mask: 0x3f, flags: 0xc0)
    }

    mutating func writeIndexed(dynamic index: UInt64, base: UInt64) {
        if index < base {
            writePrefixedInteger(base - 1 - index, mask: 0x3f, flags: 0x80)
        } else {
            writePrefixedInteger(index - base, mask: 0x0f, flags: 0x10)
        }
    }

    mutating func writeLiteral(staticName index: Int, value: UnsafeRawBufferPointer, neverIndexed: Bool) {
        writePrefixedInteger(UInt64(index), mask: 0x0f, flags: neverIndexed ? 0x70 : 0x50)
        writeStringLiteral(value, mask: 0x7f)
    }

    mutating func writeLiteral(
        dynamicName index: UInt64, base: UInt64, value: UnsafeRawBufferPointer, neverIndexed: Bool
    ) {
        if index < base {
            writePrefixedInteger(base - 1 - index, mask: 0x0f, flags: neverIndexed ? 0x60 : 0x40)
        } else {
            writePrefixedInteger(index - base, mask: 0x07, flags: neverIndexed ? 0x08 : 0x00)
        }
        writeStringLiteral(value, mask: 0x7f)
    }

    mutating func writeLiteral(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, neverIndexed: Bool
    ) {
        writeStringLiteral(name, mask: 0x07, flags: neverIndexed ? 0x30 : 0x20)
        writeStringLiteral(value, mask: 0x7f)
    }
}
