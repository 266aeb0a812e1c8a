public import GodwitWire

/// How fast a link puts bits onto the line.
public struct BitRate: Hashable, Sendable, Codable {
    /// Bits a second, counting IP and UDP headers.
    public var bitsPerSecond: UInt64

    /// - Precondition: the rate is above 0; a link that carries nothing has an ``Outage``.
    public init(bitsPerSecond: UInt64) {
        precondition(bitsPerSecond > 0)
        self.bitsPerSecond = bitsPerSecond
    }

    /// So many thousand bits a second.
    public static func kilobitsPerSecond(_ count: UInt64) -> BitRate { BitRate(bitsPerSecond: count * 1000) }
    /// So many million bits a second.
    public static func megabitsPerSecond(_ count: UInt64) -> BitRate {
        BitRate(bitsPerSecond: count * 1_000_000)
    }

    /// How long `byteCount` bytes take, rounded down to the nanosecond.
    public func time(for byteCount: Int) -> TimeSpan {
        var remainder: UInt64 = 0
        return time(for: byteCount, remainder: &remainder)
    }

    /// As ``time(for:)``, with what rounding cuts off carried on to the next bytes, so that a long train is
    /// exact.
    func time(for byteCount: Int, remainder: inout UInt64) -> TimeSpan {
        let scaledBits = UInt64(byteCount) * 8_000_000_000 + remainder
        remainder = scaledBits % bitsPerSecond
        return .nanoseconds(Int64(scaledBits / bitsPerSecond))
    }
}

extension BitRate: CustomStringConvertible {
    /// `13 Mbit/s`, `64 kbit/s`.
    public var description: String {
        if bitsPerSecond % 1_000_000 == 0 { return "\(bitsPerSecond / 1_000_000) Mbit/s" }
        return bitsPerSecond % 1000 == 0 ? "\(bitsPerSecond / 1000) kbit/s" : "\(bitsPerSecond) bit/s"
    }
}
