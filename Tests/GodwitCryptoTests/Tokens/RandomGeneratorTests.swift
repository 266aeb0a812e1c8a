import GodwitCrypto
import Testing

@Suite("Randomness")
struct RandomGeneratorTests {
    @Test("The stream is ChaCha20's over zeros (RFC 8439 section A.1, test vectors 1 and 2)")
    func knownStream() {
        var random = randomGenerator()
        #expect(
            random.bytes(64)
                == hex(
                    """
                    76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7
                    da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586
                    """))
        #expect(
            random.bytes(64)
                == hex(
                    """
                    9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed
                    29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f
                    """))
    }

    @Test("One seed gives one stream, another seed another")
    func seeds() {
        var (one, same, other) = (randomGenerator(1), randomGenerator(1), randomGenerator(2))
        let stream = (0..<100).map { _ in one.next() }
        #expect(stream == (0..<100).map { _ in same.next() })
        #expect(stream != (0..<100).map { _ in other.next() })
    }

    @Test("A generator goes on where it was written down", arguments: [0, 1, 7, 8, 9, 100])
    func persistence(drawn: Int) throws {
        var random = randomGenerator(3)
        for _ in 0..<drawn { _ = random.next() }
        var restored = try roundTrip(random)
        for _ in 0..<20 { #expect(restored.next() == random.next()) }
    }

    @Test("A seed of the wrong length is refused when read")
    func badSeed() {
        #expect(throws: DecodingError.self) {
            try decode(RandomGenerator.self, #"{"seed": [1, 2, 3], "position": 0}"#)
        }
    }

    @Test("Filling takes whole words, whatever the length")
    func filling() {
        for count in 0..<40 {
            var (filled, drawn) = (randomGenerator(4), randomGenerator(4))
            let bytes = filled.bytes(count)
            for _ in 0..<(count + 7) / 8 { _ = drawn.next() }
            #expect(bytes.count == count && filled.next() == drawn.next())
        }
    }

    @Test("A fork's stream is its own, and its parent's goes on")
    func forks() {
        var (parent, twin) = (randomGenerator(5), randomGenerator(5))
        var child = parent.fork()
        var sibling = parent.fork()
        _ = twin.bytes(64)
        #expect(parent.next() == twin.next())
        #expect(child.next() != sibling.next())
    }

    @Test("The system's seeds don't repeat, and BoringSSL's randomness can be renewed")
    func systemEntropy() {
        let seeds = Set((0..<16).map { _ in SystemEntropy.seed() })
        #expect(seeds.count == 16 && seeds.allSatisfy { $0.count == RandomGenerator.seedLength })
        SystemEntropy.discardBoringSSLRandomness()
    }

    // Holds: W15
    @Test("Two copies of a process draw the same numbers until each takes new entropy, and then others")
    func copies() throws {
        var random = randomGenerator(7)
        for _ in 0..<11 { _ = random.next() }
        var copies = [try roundTrip(random), try roundTrip(random)]
        #expect(drawn(100, from: &copies[0]) == drawn(100, from: &copies[1]))
        for index in copies.indices { copies[index] = RandomGenerator(seed: SystemEntropy.seed()) }
        let streams = [drawn(100, from: &copies[0]), drawn(100, from: &copies[1]), drawn(100, from: &random)]
        #expect(Set(streams.joined()).count == 300)
    }

    private func drawn(_ count: Int, from random: inout RandomGenerator) -> [UInt64] {
        (0..<count).map { _ in random.next() }
    }

    @Test("It serves the standard library as any generator does")
    func standardLibrary() {
        var random = randomGenerator(6)
        let dice = (0..<600).map { _ in Int.random(in: 1...6, using: &random) }
        #expect((1...6).allSatisfy { face in (60...140).contains(dice.count { $0 == face }) })
    }
}
