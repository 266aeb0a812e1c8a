/// Reserved numbers, sent so that peers keep ignoring what they don't know (RFC 9114 sections 6.2.3, 7.2.4.1
/// and 7.2.8).
struct Grease: Sendable {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    /// Whether a number is of the form 0x1f * N + 0x21.
    static func isReserved(_ value: UInt64) -> Bool { value >= 0x21 && (value - 0x21) % 0x1f == 0 }

    /// The next reserved number; at most 32 bits, so that none is conspicuously long.
    mutating func next() -> UInt64 { (nextBits() & 0x3ff_ffff) * 0x1f + 0x21 }

    // SplitMix64, so that neighbouring seeds have nothing in common.
    private mutating func nextBits() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
