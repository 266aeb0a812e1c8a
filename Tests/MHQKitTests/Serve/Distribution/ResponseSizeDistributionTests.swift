import Testing

@testable import MHQKit

@Suite struct ResponseSizeDistributionTests {
    /// A generator whose numbers fill the unit interval evenly.
    private struct Grid: RandomNumberGenerator {
        var index: UInt64 = 0
        let count: UInt64

        mutating func next() -> UInt64 {
            defer { index += 1 }
            return UInt64.max / count * index
        }
    }

    private static let count = 200_000

    private func sizes(of distribution: ResponseSizeDistribution) -> [Int] {
        var grid = Grid(count: UInt64(Self.count))
        return (0..<Self.count).map { _ in distribution.next(using: &grid) }.sorted()
    }

    /// The part of the sizes that are at most so large.
    private func part(_ sizes: [Int], upTo size: Int) -> Double {
        Double(sizes.count { $0 <= size }) / Double(sizes.count)
    }

    private func mean(_ sizes: [Int]) -> Double { Double(sizes.reduce(0, +)) / Double(sizes.count) }

    @Test("Answers to GET have the measured quantiles, mean and maximum")
    func getResponses() {
        let sizes = sizes(of: .getResponses)
        let quantiles = [
            (500, 0.70), (2500, 0.75), (8500, 0.90), (28_500, 0.95), (239_500, 0.99), (613_500, 0.999),
        ]
        for (size, expected) in quantiles { #expect(abs(part(sizes, upTo: size) - expected) < 0.0001) }
        #expect(abs(mean(sizes) - 9900) < 60)
        #expect(sizes.first == 500)
        #expect(790_000...799_500 ~= sizes[sizes.count - 1])
        #expect(ResponseSizeDistribution.getResponses.largest == 799_500)
    }

    @Test("Contents of POST have the measured quantiles, mean and maximum")
    func postContents() {
        let sizes = sizes(of: .postContents)
        let quantiles = [
            (500, 0.36), (1500, 0.50), (9500, 0.75), (19_500, 0.90), (23_500, 0.95), (45_500, 0.99),
            (103_500, 0.999),
        ]
        for (size, expected) in quantiles { #expect(abs(part(sizes, upTo: size) - expected) < 0.0001) }
        #expect(abs(mean(sizes) - 6700) < 50)
        #expect(148_000...149_500 ~= sizes[sizes.count - 1])
        #expect(ResponseSizeDistribution.postContents.largest == 149_500)
    }

    @Test(
        "Every size is 500 bytes and a multiple of 1,000, and small ones come more often between two quantiles"
    )
    func steps() {
        for distribution in [ResponseSizeDistribution.getResponses, .postContents] {
            let sizes = sizes(of: distribution)
            #expect(sizes.allSatisfy { $0 % 1000 == 500 })
        }
        let sizes = sizes(of: .getResponses)
        let low = part(sizes, upTo: 134_500) - part(sizes, upTo: 28_500)
        let high = part(sizes, upTo: 239_500) - part(sizes, upTo: 134_500)
        #expect(low > 2 * high)
    }

    @Test("The same numbers give the same sizes, and the ends of the interval are sizes too")
    func reproducible() {
        #expect(ResponseSizeDistribution.getResponses.size(at: 0) == 500)
        #expect(ResponseSizeDistribution.getResponses.size(at: 1.0.nextDown) == 799_500)
        #expect(ResponseSizeDistribution.getResponses.size(at: 1) == 799_500)
    }
}
