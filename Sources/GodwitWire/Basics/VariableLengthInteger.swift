/// The variable-length integer encoding (RFC 9000 section 16).
public enum VariableLengthInteger {
    /// The largest value that can be encoded, 2^62 - 1.
    @inlinable
    public static var max: UInt64 { (1 << 62) - 1 }

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

    /// How many bytes fit into `space` together with their own count in its shortest form; nil when not even
    /// an empty run with its count does.
    @inlinable
    public static func prefixedCapacity(_ space: Int) -> Int? {
        // Where the prefix grows, the longest run of the shorter prefix beats what little space would leave.
        switch space {
        case ..<1: nil
        case 1...64: space - 1
        case 65...0x4001: space - 2
        case 0x4002...0x4000_0003: Swift.max(space - 4, 0x3fff)
        default: Swift.max(space - 8, 0x3fff_ffff)
        }
    }
}
