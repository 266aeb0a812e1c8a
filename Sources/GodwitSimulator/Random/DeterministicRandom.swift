public import GodwitWire

/// A seeded generator of everything that a simulated network leaves to chance: xoshiro256**, seeded by
/// SplitMix64.
///
/// The same seed gives the same numbers on every machine and with every release of the toolchain, which the
/// standard library does not promise for its own ways of drawing from a range. It is no generator for
/// secrets.
public struct DeterministicRandom: RandomNumberGenerator, Hashable, Sendable, Codable {
    private let identity: UInt64
    private var state0: UInt64
    private var state1: UInt64
    private var state2: UInt64
    private var state3: UInt64

    /// A generator whose numbers depend on `seed` alone.
    public init(seed: UInt64) {
        identity = seed
        var mixer = seed
        state0 = Self.splitMix(&mixer)
        state1 = Self.splitMix(&mixer)
        state2 = Self.splitMix(&mixer)
        state3 = Self.splitMix(&mixer)
    }

    /// A generator of its own for the purpose that `label` names.
    ///
    /// It depends on this generator's seed and on the label, not on how much was drawn from this one: a
    /// further fork leaves what the others yield as it was.
    public func forked(_ label: String) -> DeterministicRandom {
        var mixer = Self.digest(label) ^ identity
        return DeterministicRandom(seed: Self.splitMix(&mixer))
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        let result = Self.rotate(state1 &* 5, by: 7) &* 9
        let shifted = state1 << 17
        state2 ^= state0
        state3 ^= state1
        state1 ^= state2
        state0 ^= state3
        state2 ^= shifted
        state3 = Self.rotate(state3, by: 45)
        return result
    }

    private static func rotate(_ value: UInt64, by count: UInt64) -> UInt64 {
        value << count | value >> (64 - count)
    }

    /// One step of SplitMix64, which turns neighbouring seeds into states that have nothing in common.
    static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    /// FNV-1a. The standard library's `Hasher` is seeded anew in every process.
    private static func digest(_ label: String) -> UInt64 {
        label.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension DeterministicRandom {
    /// True with the given probability; draws nothing when that is 0 or less.
    public mutating func chance(_ probability: Double) -> Bool {
        guard probability > 0 else { return false }
        return unit() < probability
    }

    /// A number from 0 up to but not including 1, a multiple of 2^-53.
    public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A whole number from 0 up to but not including `bound`, each equally likely.
    ///
    /// - Precondition: `bound` is above 0.
    public mutating func integer(below bound: UInt64) -> UInt64 {
        precondition(bound > 0)
        // The lowest products are rejected, else some results would come up once more often than others.
        let threshold = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= threshold { return product.high }
        }
    }

    /// A whole number of the range, each equally likely.
    public mutating func integer(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound)) &+ 1
        let offset = width == 0 ? next() : integer(below: width)
        return range.lowerBound &+ Int(truncatingIfNeeded: offset)
    }

    /// A number of the range.
    public mutating func number(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    /// A length of time in the range, to the nanosecond.
    public mutating func span(in range: ClosedRange<TimeSpan>) -> TimeSpan {
        .nanoseconds(
            Int64(integer(in: Int(range.lowerBound.nanoseconds)...Int(range.upperBound.nanoseconds))))
    }

    /// One of the elements, each equally likely.
    ///
    /// - Precondition: there is at least one.
    public mutating func element<Element>(of elements: [Element]) -> Element {
        elements[Int(integer(below: UInt64(elements.count)))]
    }

    /// So many bytes, for seeds that a program asks for.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 56) }
    }
}
