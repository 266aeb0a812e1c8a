/// The generator MT19937 of Matsumoto and Nishimura, with 32 bits.
///
/// Nothing here needs its quality: the thesis's program draws from it, and the same seed shall probe the same
/// addresses in the same order.
struct MersenneTwister: Hashable, Sendable, Codable {
    private static let size = 624
    private var words: [UInt32]
    private var index = size

    init(seed: UInt32) {
        words = [seed]
        words.reserveCapacity(Self.size)
        for position in 1..<Self.size {
            let previous = words[position - 1]
            words.append(1_812_433_253 &* (previous ^ previous >> 30) &+ UInt32(position))
        }
    }

    mutating func next() -> UInt32 {
        if index == Self.size { twist() }
        var word = words[index]
        index += 1
        word ^= word >> 11
        word ^= word << 7 & 0x9d2c_5680
        word ^= word << 15 & 0xefc6_0000
        return word ^ word >> 18
    }

    private mutating func twist() {
        for position in 0..<Self.size {
            let mixed = words[position] & 0x8000_0000 | words[(position + 1) % Self.size] & 0x7fff_ffff
            let odd: UInt32 = mixed & 1 == 0 ? 0 : 0x9908_b0df
            words[position] = words[(position + 397) % Self.size] ^ mixed >> 1 ^ odd
        }
        index = 0
    }
}

extension MersenneTwister {
    /// A number below `bound`, each equally likely, as the standard library of GNU C++ draws it.
    ///
    /// - Precondition: `bound` is above 0.
    mutating func below(_ bound: UInt32) -> UInt32 {
        let threshold = (0 &- bound) % bound
        while true {
            let product = next().multipliedFullWidth(by: bound)
            if product.low >= threshold { return product.high }
        }
    }

    /// Shuffles as the standard library of GNU C++ does: it draws two positions with one number.
    mutating func shuffle<Element>(_ elements: inout [Element]) {
        guard elements.count > 1 else { return }
        var position = 1
        if elements.count.isMultiple(of: 2) {
            elements.swapAt(1, Int(below(2)))
            position = 2
        }
        while position < elements.count {
            let range = UInt32(position + 1)
            let drawn = below(range * (range + 1))
            elements.swapAt(position, Int(drawn / (range + 1)))
            elements.swapAt(position + 1, Int(drawn % (range + 1)))
            position += 2
        }
    }
}
