/// The sizes of a web application's messages, as measured: most are small, a few are very large.
///
/// Sizes are 500 bytes and a multiple of 1,000 more. What is known of them are quantiles; between two of
/// them, small sizes are more frequent than large ones, so that the mean is what it was measured to be.
public struct ResponseSizeDistribution: Sendable, Hashable {
    /// Sizes of one part of the messages.
    private struct Segment: Sendable, Hashable {
        /// The part of all messages that are at most as large as ``largest``.
        var quantile: Double
        /// In steps above 500 bytes.
        var smallest: Int
        var largest: Int
    }

    private let segments: [Segment]

    private static let base = 500
    private static let step = 1000

    /// - Parameter quantiles: how large that part of the messages is at most, in bytes; ascending, up to 1.
    private init(_ quantiles: [(quantile: Double, size: Int)]) {
        var segments: [Segment] = []
        for (quantile, size) in quantiles {
            let smallest = segments.last.map { $0.largest + 1 } ?? 0
            segments.append(
                Segment(quantile: quantile, smallest: smallest, largest: (size - Self.base) / Self.step))
        }
        self.segments = segments
    }

    /// The answers to GET: 500 bytes to 799,500 bytes, 9.9 KB on average.
    public static let getResponses = ResponseSizeDistribution([
        (0.70, 500), (0.75, 2500), (0.90, 8500), (0.95, 28_500), (0.99, 239_500), (0.999, 613_500),
        (1, 799_500),
    ])

    /// The content of POST: 500 bytes to 149,500 bytes, 6.7 KB on average.
    public static let postContents = ResponseSizeDistribution([
        (0.36, 500), (0.50, 1500), (0.75, 9500), (0.90, 19_500), (0.95, 23_500), (0.99, 45_500),
        (0.999, 103_500),
        (1, 149_500),
    ])

    /// The largest size that there is, in bytes.
    public var largest: Int { size(segments[segments.count - 1].largest) }

    /// Draws a size, in bytes.
    public func next(using generator: inout some RandomNumberGenerator) -> Int {
        // The 53 bits that a Double between 0 and 1 has.
        size(at: Double(generator.next() >> 11) * 0x1p-53)
    }

    /// The size that a part of the messages does not exceed, in bytes.
    ///
    /// - Parameter quantile: from 0 to below 1.
    func size(at quantile: Double) -> Int {
        var start = 0.0
        for segment in segments {
            if quantile < segment.quantile {
                return size(segment, at: (quantile - start) / (segment.quantile - start))
            }
            start = segment.quantile
        }
        return largest
    }

    private func size(_ segment: Segment, at position: Double) -> Int {
        // The square makes small sizes the more frequent ones, just so much that both means come out.
        let steps = Double(segment.largest - segment.smallest)
        return size(segment.smallest + Int((position * position * steps).rounded()))
    }

    private func size(_ steps: Int) -> Int { Self.base + steps * Self.step }
}
