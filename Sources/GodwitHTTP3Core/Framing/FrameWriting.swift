import GodwitWire

// Frames are appended to plain arrays that their owner uses again and again.
extension [UInt8] {
    /// Appends a variable-length integer in its shortest form (RFC 9000 section 16).
    mutating func appendVarint(_ value: UInt64) {
        guard value >= 0x40 else { return append(UInt8(truncatingIfNeeded: value)) }
        let size = VariableLengthInteger.size(value)
        let prefix = UInt64(size.trailingZeroBitCount) << UInt64(size * 8 - 2)
        let encoded = (value | prefix) << UInt64(64 - size * 8)
        Swift.withUnsafeBytes(of: encoded.bigEndian) { append(contentsOf: $0.prefix(size)) }
    }

    /// Appends the header of a frame (RFC 9114 section 7.1).
    mutating func appendFrameHeader(_ type: FrameType, length: Int) {
        appendVarint(type.rawValue)
        appendVarint(UInt64(length))
    }

    /// Appends a frame whose payload is one integer.
    mutating func appendFrame(_ type: FrameType, _ value: UInt64) {
        appendFrameHeader(type, length: VariableLengthInteger.size(value))
        appendVarint(value)
    }
}
