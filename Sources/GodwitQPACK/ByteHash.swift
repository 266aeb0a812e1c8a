/// The hash by which both tables are searched. It need not withstand an attacker: searches take a bounded
/// number of steps, so that a collision costs compression and no time.
enum ByteHash {
    private static let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The hash of a name or value.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        guard let start = bytes.baseAddress else { return 0 }
        let count = bytes.count
        guard count >= 8 else { return mix(UInt64(count) << 56 ^ shortWord(start, count)) }
        var hash = UInt64(count)
        var offset = 0
        while offset < count - 8 {
            hash = mix(hash ^ start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        return mix(hash ^ start.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
    }

    /// The hash of a line, from those of its name and value.
    static func combine(_ name: UInt64, _ value: UInt64) -> UInt64 { mix(name &+ value &* multiplier) }

    /// Up to seven bytes as one word.
    private static func shortWord(_ start: UnsafeRawPointer, _ count: Int) -> UInt64 {
        if count >= 4 {
            let low = start.loadUnaligned(as: UInt32.self)
            let high = start.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            return UInt64(low) | UInt64(high) << 32
        }
        guard count > 0 else { return 0 }
        let first = UInt64(start.load(as: UInt8.self))
        let middle = UInt64(start.load(fromByteOffset: count / 2, as: UInt8.self))
        let last = UInt64(start.load(fromByteOffset: count - 1, as: UInt8.self))
        return first | middle << 8 | last << 16
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ 0xd6e8_feb8_6659_fd93).multipliedFullWidth(by: multiplier)
        return product.high ^ product.low
    }
}
