/// How packet numbers are shortened on the wire and restored (RFC 9000 section 17.1 and appendix A).
public enum PacketNumber {
    /// The largest packet number, 2^62 - 1 (RFC 9000 section 12.3).
    @inlinable
    public static var max: UInt64 { VariableLengthInteger.max }

    /// The most bytes that a packet number takes in a header.
    @inlinable
    public static var maxLength: Int { 4 }

    /// How many bytes of `full` have to be sent, so that a receiver which has got at least
    /// `largestAcknowledged` restores it (RFC 9000 appendix A.2). Nil for `largestAcknowledged` when nothing
    /// was acknowledged.
    ///
    /// 4 also when more than 2^31 packets are unacknowledged and 4 don't suffice.
    @inlinable
    public static func encodedLength(_ full: UInt64, largestAcknowledged: UInt64?) -> Int {
        let unacknowledged = largestAcknowledged.map { full &- $0 } ?? full &+ 1
        // The number needs a range twice as wide as what is outstanding.
        switch unacknowledged {
        case 0...0x7f: return 1
        case 0x80...0x7fff: return 2
        case 0x8000...0x7f_ffff: return 3
        default: return 4
        }
    }

    /// Restores a packet number from its last `length` bytes (RFC 9000 appendix A.3). `largest` is the
    /// highest packet number that was opened in the space, nil when none was.
    @inlinable
    public static func expand(_ truncated: UInt32, length: Int, largest: UInt64?) -> UInt64 {
        let expected = largest.map { $0 + 1 } ?? 0
        let window = UInt64(1) << UInt64(8 * length)
        let candidate = expected & ~(window - 1) | UInt64(truncated)
        if candidate + window / 2 <= expected, candidate < (1 << 62) - window { return candidate + window }
        let isTooHigh = candidate > expected + window / 2 && candidate >= window
        // Behind the last packet number there is none, so what seems to be one is from the window before.
        return isTooHigh || candidate > max ? candidate - window : candidate
    }
}

extension ByteReader {
    /// Reads a shortened packet number of 1 to 4 bytes.
    @inlinable
    public mutating func readPacketNumber(length: Int) -> UInt32? {
        guard 1...PacketNumber.maxLength ~= length, let bytes = readBytes(length) else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension ByteWriter {
    /// Writes the last `length` bytes of a packet number, 1 to 4.
    @inlinable
    public mutating func writePacketNumber(_ full: UInt64, length: Int) {
        switch length {
        case 1: writeUInt8(UInt8(truncatingIfNeeded: full))
        case 2: writeInteger(UInt16(truncatingIfNeeded: full))
        case 3:
            writeUInt8(UInt8(truncatingIfNeeded: full >> 16))
            writeInteger(UInt16(truncatingIfNeeded: full))
        default:
            precondition(length == 4)
            writeInteger(UInt32(truncatingIfNeeded: full))
        }
    }
}
