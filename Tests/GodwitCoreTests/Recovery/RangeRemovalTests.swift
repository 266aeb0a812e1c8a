import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Removing from sets of ranges")
struct RangeRemovalTests {
    @Test("Any sequence of insertions and removals leaves the set that a plain one would be")
    func againstModel() {
        var ranges = OffsetRanges()
        var model: Set<UInt64> = []
        var random = TestRandom(state: 88_172_645_463_325_252)
        for _ in 0..<1500 {
            let start = random.below(100)
            let range = start..<(start + random.below(12))
            if random.below(2) == 0 {
                ranges.insert(range)
                model.formUnion(range)
            } else {
                ranges.remove(range)
                model.subtract(range)
            }
            #expect(ranges.ranges.flatMap { Array($0) } == model.sorted())
            for (lower, upper) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
                #expect(lower.upperBound < upper.lowerBound)
            }
        }
    }
}
