/// A point in time, as an offset from the epoch of the endpoint that measures it.
///
/// Nothing below the driver reads a clock: instants come in as parameters. They are offsets and not readings
/// of a machine's monotonic clock because a connection may be carried to another host, where that clock can
/// be days off in either direction; the driver rebases instead.
@frozen
public struct Instant: Hashable, Sendable, Codable {
    /// Nanoseconds since the endpoint's epoch.
    public var nanoseconds: Int64

    /// The instant that many nanoseconds behind the epoch.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The epoch itself.
    @inlinable
    public static var zero: Instant { Instant(nanoseconds: 0) }

    /// An instant that never comes.
    @inlinable
    public static var distantFuture: Instant { Instant(nanoseconds: .max) }
}

extension Instant: Comparable {
    /// Whether `lhs` comes first.
    @inlinable
    public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    /// Saturates, so that adding to ``distantFuture`` stays there.
    @inlinable
    public static func + (lhs: Instant, rhs: TimeSpan) -> Instant {
        let (sum, overflow) = lhs.nanoseconds.addingReportingOverflow(rhs.nanoseconds)
        return Instant(nanoseconds: overflow ? (rhs.nanoseconds > 0 ? .max : .min) : sum)
    }

    /// Saturates.
    @inlinable
    public static func - (lhs: Instant, rhs: TimeSpan) -> Instant {
        lhs + TimeSpan(nanoseconds: rhs.nanoseconds == .min ? .max : -rhs.nanoseconds)
    }

    /// The span from `rhs` to `lhs`, saturating.
    @inlinable
    public static func - (lhs: Instant, rhs: Instant) -> TimeSpan {
        let (difference, overflow) = lhs.nanoseconds.subtractingReportingOverflow(rhs.nanoseconds)
        return TimeSpan(nanoseconds: overflow ? (lhs > rhs ? .max : .min) : difference)
    }

    /// Saturates.
    @inlinable
    public static func += (lhs: inout Instant, rhs: TimeSpan) { lhs = lhs + rhs }
}

/// A length of time in nanoseconds.
///
/// The standard library's `Duration` counts attoseconds in 128 bits, which costs too much for what runs per
/// packet; this type converts to and from it at the public edge.
@frozen
public struct TimeSpan: Hashable, Sendable, Codable {
    /// The length; negative when it leads into the past.
    public var nanoseconds: Int64

    /// A span of that many nanoseconds.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Converts a `Duration`, truncating below a nanosecond and saturating above 292 years.
    public init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        self.nanoseconds = overflow || overflow2 ? (seconds < 0 ? .min : .max) : sum
    }

    /// The same length as the standard library has it.
    public var duration: Duration { .nanoseconds(nanoseconds) }

    /// No time at all.
    @inlinable
    public static var zero: TimeSpan { TimeSpan(nanoseconds: 0) }

    /// A span of `count` nanoseconds.
    @inlinable
    public static func nanoseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count) }
    /// A span of `count` microseconds, saturating.
    @inlinable
    public static func microseconds(_ count: Int64) -> TimeSpan {
        TimeSpan(nanoseconds: saturating(count, 1000))
    }
    /// A span of `count` milliseconds, saturating.
    @inlinable
    public static func milliseconds(_ count: Int64) -> TimeSpan {
        TimeSpan(nanoseconds: saturating(count, 1_000_000))
    }
    /// A span of `count` seconds, saturating.
    @inlinable
    public static func seconds(_ count: Int64) -> TimeSpan {
        TimeSpan(nanoseconds: saturating(count, 1_000_000_000))
    }

    /// Whole microseconds, truncated.
    @inlinable
    public var microseconds: Int64 { nanoseconds / 1000 }

    /// The length in seconds, rounded as a `Double` rounds.
    @inlinable
    public var inSeconds: Double { Double(nanoseconds) / 1e9 }

    @inlinable
    static func saturating(_ count: Int64, _ factor: Int64) -> Int64 {
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? (count < 0 ? .min : .max) : product
    }
}

extension TimeSpan: Comparable {
    /// Whether `lhs` is shorter, or leads further into the past.
    @inlinable
    public static func < (lhs: TimeSpan, rhs: TimeSpan) -> Bool { lhs.nanoseconds < rhs.nanoseconds }
    /// Saturates.
    @inlinable
    public static func + (lhs: TimeSpan, rhs: TimeSpan) -> TimeSpan {
        (Instant(nanoseconds: lhs.nanoseconds) + rhs) - Instant.zero
    }
    /// Saturates.
    @inlinable
    public static func - (lhs: TimeSpan, rhs: TimeSpan) -> TimeSpan {
        Instant(nanoseconds: lhs.nanoseconds) - Instant(nanoseconds: rhs.nanoseconds)
    }
    /// Saturates.
    @inlinable
    public static func * (lhs: TimeSpan, rhs: Int64) -> TimeSpan {
        let (product, overflow) = lhs.nanoseconds.multipliedReportingOverflow(by: rhs)
        return TimeSpan(nanoseconds: overflow ? ((lhs.nanoseconds < 0) == (rhs < 0) ? .max : .min) : product)
    }
    /// Truncates. Division by zero is a programming error.
    @inlinable
    public static func / (lhs: TimeSpan, rhs: Int64) -> TimeSpan {
        TimeSpan(nanoseconds: lhs.nanoseconds / rhs)
    }
}

extension TimeSpan: CustomStringConvertible {
    /// In the largest unit of which there is at least one, microseconds at least.
    public var description: String {
        let magnitude = nanoseconds.magnitude
        if magnitude >= 1_000_000_000 { return "\(Double(nanoseconds) / 1e9) s" }
        if magnitude >= 1_000_000 { return "\(Double(nanoseconds) / 1e6) ms" }
        return "\(Double(nanoseconds) / 1e3) µs"
    }
}
