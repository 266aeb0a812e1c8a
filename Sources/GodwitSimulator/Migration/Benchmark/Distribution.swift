import GodwitWire

/// How a number of measurements are distributed.
public struct Distribution: Hashable, Sendable {
    /// In ascending order, in milliseconds.
    private let values: [Double]

    /// A distribution of values in milliseconds.
    public init(_ values: [Double] = []) { self.values = values.sorted() }

    /// How many there are.
    public var count: Int { values.count }
    /// The largest, nil if there is none.
    public var max: Double? { values.last }
    /// The middle one.
    public var median: Double? { percentile(50) }

    /// The smallest value that so many of a hundred do not exceed; nil if there are none.
    public func percentile(_ percent: Double) -> Double? {
        guard !values.isEmpty else { return nil }
        let rank = (Double(values.count) * percent / 100).rounded(.up)
        return values[Swift.min(values.count, Swift.max(1, Int(rank))) - 1]
    }

    /// By how much a percentile is over that of another one.
    func excess(over other: Distribution, percentile percent: Double) -> Double? {
        guard let own = percentile(percent), let others = other.percentile(percent) else { return nil }
        return own - others
    }
}

extension TimeSpan {
    /// In milliseconds.
    var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
}
