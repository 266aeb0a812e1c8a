/// Numbers for jitter, from a seed that the driver drew: plain data, so that a run repeats (SplitMix64).
///
/// Nothing secret comes from it. After a thaw it is seeded anew, so that two copies of a connection do not
/// choose alike.
public struct SeededRandom: RandomNumberGenerator, Hashable, Sendable, Codable {
    private var state: UInt64

    /// Numbers that depend on `seed` alone.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// A whole number below `bound`, each as good as equally likely. For a bound of 0 or less it is 0.
    mutating func below(_ bound: Int64) -> Int64 {
        guard bound > 0 else { return 0 }
        return Int64(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
