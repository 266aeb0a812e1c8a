/// The seeds that the thesis's application draws from its master seed: C++'s `std::seed_seq` ([rand.util.seedseq]),
/// so that the same seed tries the addresses of a pool in the same order.
package struct SeedSequence: Hashable, Sendable {
    /// For the order of pool addresses.
    package let scheduler: UInt32
    /// For GET or POST.
    package let method: UInt32
    /// For the sizes of what is posted.
    package let contentSize: UInt32

    package init(master: UInt64) {
        let seeds = Self.generate(3, from: [UInt32(truncatingIfNeeded: master)])
        (scheduler, method, contentSize) = (seeds[0], seeds[1], seeds[2])
    }

    static func generate(_ count: Int, from input: [UInt32]) -> [UInt32] {
        var state = [UInt32](repeating: 0x8b8b_8b8b, count: count)
        let lag = count >= 623 ? 11 : count >= 68 ? 7 : count >= 39 ? 5 : count >= 7 ? 3 : (count - 1) / 2
        let near = (count - lag) / 2
        let far = near + lag
        let rounds = max(input.count + 1, count)
        for round in 0..<rounds + count {
            let (here, ahead, behind) = (
                round % count, (round + near) % count, (round + count - 1) % count
            )
            if round < rounds {
                let mixed = 1_664_525 &* fold(state[here] ^ state[ahead] ^ state[behind])
                let salted = mixed &+ salt(round, here, input)
                state[ahead] &+= mixed
                state[(round + far) % count] &+= salted
                state[here] = salted
            } else {
                let mixed = 1_566_083_941 &* fold(state[here] &+ state[ahead] &+ state[behind])
                let salted = mixed &- UInt32(here)
                state[ahead] ^= mixed
                state[(round + far) % count] ^= salted
                state[here] = salted
            }
        }
        return state
    }

    private static func fold(_ value: UInt32) -> UInt32 { value ^ value >> 27 }

    private static func salt(_ round: Int, _ here: Int, _ input: [UInt32]) -> UInt32 {
        if round == 0 { return UInt32(input.count) }
        return UInt32(here) &+ (round <= input.count ? input[round - 1] : 0)
    }
}
