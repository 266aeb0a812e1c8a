import GodwitWire

/// The integers of RFC 7541 section 5.1, of which QPACK uses up to 62 bits (RFC 9204 section 4.1.1).
enum PrefixedInteger {
    /// The most bytes an integer may take. Nine bytes behind the prefix hold 63 bits; a longer encoding is
    /// refused, whatever its value (RFC 7541 section 5.1 asks for such a limit).
    static let maximumLength = 10

    /// How many bytes `value` takes behind a prefix that `mask` covers.
    static func length(_ value: UInt64, mask: UInt8) -> Int {
        guard value >= UInt64(mask) else { return 1 }
        var rest = value - UInt64(mask)
        var length = 2
        while rest >= 0x80 {
            rest >>= 7
            length += 1
        }
        return length
    }
}

extension ByteReader {
    /// Reads an integer whose first bits lie under `mask`, the low bits of the next byte.
    @inline(__always)
    mutating func readPrefixedInteger(mask: UInt8) throws(ParseFailure) -> UInt64 {
        guard let first = readUInt8() else { throw .incomplete }
        guard first & mask == mask else { return UInt64(first & mask) }
        return try readIntegerRest(mask: mask)
    }

    private mutating func readIntegerRest(mask: UInt8) throws(ParseFailure) -> UInt64 {
        var value = UInt64(mask)
        for shift in stride(from: 0, through: 56, by: 7) {
            guard let byte = readUInt8() else { throw .incomplete }
            // Below 2^63 even with every bit set, and the mask is less than 2^8: no overflow.
            value += UInt64(byte & 0x7f) << UInt64(shift)
            guard byte >= 0x80 else { return try checked(value) }
        }
        throw .tooLarge
    }

    private func checked(_ value: UInt64) throws(ParseFailure) -> UInt64 {
        guard value <= VariableLengthInteger.max else { throw .tooLarge }
        return value
    }
}

extension ByteWriter {
    /// Writes an integer whose first bits go under `mask`, beside `flags`.
    @inline(__always)
    mutating func writePrefixedInteger(_ value: UInt64, mask: UInt8, flags: UInt8) {
        guard value >= UInt64(mask) else { return writeUInt8(flags | UInt8(truncatingIfNeeded: value)) }
        writeIntegerRest(value - UInt64(mask), first: flags | mask)
    }

    private mutating func writeIntegerRest(_ value: UInt64, first: UInt8) {
        writeUInt8(first)
        var rest = value
        while rest >= 0x80 {
            writeUInt8(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeUInt8(UInt8(truncatingIfNeeded: rest))
    }
}
