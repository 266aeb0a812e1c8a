public import GodwitWire

/// When a link or an address swallows all that it is given, without a word to the sender.
public enum Outage: Hashable, Sendable, Codable {
    /// From an instant on, up to but not including another.
    case between(Instant, Instant)
    /// For `lasting` at the start of each period of length `every`, the first of which starts at `from`.
    case repeating(from: Instant, every: TimeSpan, lasting: TimeSpan)

    /// For good, from an instant on.
    public static func from(_ start: Instant) -> Outage { .between(start, .distantFuture) }

    /// Whether the instant lies in an outage.
    public func covers(_ instant: Instant) -> Bool {
        switch self {
        case .between(let start, let end):
            return instant >= start && instant < end
        case .repeating(let start, let every, let lasting):
            guard instant >= start, every > .zero else { return false }
            return (instant - start).nanoseconds % every.nanoseconds < lasting.nanoseconds
        }
    }
}

extension Outage: CustomStringConvertible {
    /// `from 2 s to 5 s`.
    public var description: String {
        switch self {
        case .between(let start, let end): "from \(start - .zero) to \(end - .zero)"
        case .repeating(let start, let every, let lasting):
            "\(lasting) in every \(every) from \(start - .zero)"
        }
    }
}
