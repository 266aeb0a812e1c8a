import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Removing from sets of ranges")
struct RangeRemovalTests {
    @Test("Any sequence of insertions and removals leaves the set that a plain one would be")
    func againstModel() {
        var ranges = OffsetRanges()
        var model: Set<UInt64> = []
        var state: UInt64 = 88_172_645_463_325_252
        func next(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % bound
        }
        for _ in 0..<1500 {
            let start = next(100)
            let range = start..<(start + next(12))
            if next(2) == 0 {
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
