import GodwitSimulator
import GodwitWire
import Testing

@Suite("Chance that repeats")
struct DeterministicRandomTests {
    @Test("The numbers are those of xoshiro256** seeded by SplitMix64, on every machine")
    func matchesTheReference() {
        var random = DeterministicRandom(seed: 0)
        var numbers: [UInt64] = []
        for _ in 0..<3 { numbers.append(random.next()) }
        #expect(numbers == [0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0])
    }

    @Test("A fork depends on its label and not on what was drawn before")
    func forksByLabel() {
        var root = DeterministicRandom(seed: 9)
        var early = root.forked("link 1")
        _ = root.next()
        var late = root.forked("link 1")
        var other = root.forked("link 2")
        let values = (early.next(), late.next(), other.next())
        #expect(values.0 == values.1)
        #expect(values.0 != values.2)
    }

    @Test("Every number of a range comes up, and none outside it")
    func coversRanges() {
        var random = DeterministicRandom(seed: 3)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<7000 { counts[random.integer(in: -3...3) + 3] += 1 }
        #expect(counts.allSatisfy { 850...1150 ~= $0 }, "\(counts)")
        let only = random.integer(in: 5...5)
        #expect(only == 5)
        let whole = (0..<64).map { _ in random.integer(in: .min ... .max) }
        #expect(Set(whole).count == 64)
    }

    @Test("A probability is kept, and one of zero draws nothing")
    func keepsProbabilities() {
        var random = DeterministicRandom(seed: 5)
        let hits = (0..<10_000).count { _ in random.chance(0.2) }
        #expect(1850...2150 ~= hits)
        let before = random
        let never = random.chance(0)
        #expect(!never)
        #expect(random == before)
        let always = random.chance(1)
        #expect(always)
    }

    @Test("A length of time lies in its range")
    func drawsSpans() {
        var random = DeterministicRandom(seed: 6)
        let range = TimeSpan.seconds(-86_400 * 3)...TimeSpan.seconds(86_400 * 3)
        let spans = (0..<200).map { _ in random.span(in: range) }
        #expect(spans.allSatisfy(range.contains))
        #expect(spans.contains { $0 < .zero } && spans.contains { $0 > .zero })
    }
}
