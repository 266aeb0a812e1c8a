import GodwitWire

/// A variable-length integer whose bytes may come one by one (RFC 9000 section 16).
struct PartialInteger: Hashable, Sendable, Codable {
    private var value: UInt64 = 0
    private var missing: UInt8 = 0

    /// Whether some of the bytes have come, but not all.
    var isBegun: Bool { missing > 0 }

    /// The integer once its last byte is there; until then takes all that the reader has.
    mutating func read(_ reader: inout ByteReader) -> UInt64? {
        if missing == 0, let whole = reader.readVarint() { return whole }
        return readBytes(&reader)
    }

    private mutating func readBytes(_ reader: inout ByteReader) -> UInt64? {
        while let byte = reader.readUInt8() {
            if missing == 0 {
                value = UInt64(byte & 0x3f)
                missing = 1 << (byte >> 6) - 1
            } else {
                value = value << 8 | UInt64(byte)
                missing -= 1
            }
            if missing == 0 { return value }
        }
        return nil
    }
}
