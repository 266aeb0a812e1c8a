/// The variable-length integer encoding (RFC 9000 section 16).
public enum VariableLengthInteger {
    /// The largest value that can be encoded, 2^62 - 1.
    public static let max: UInt64 = (1 << 62) - 1

    /// How many bytes the shortest encoding of `value` takes: 1, 2, 4 or 8.
    @inlinable
    public static func size(_ value: UInt64) -> Int {
        switch value {
        case 0..<0x40: 1
        case 0x40..<0x4000: 2
        case 0x4000..<0x4000_0000: 4
        default: 8
        }
    }
}
