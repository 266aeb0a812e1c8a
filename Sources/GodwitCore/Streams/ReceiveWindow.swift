import GodwitWire

/// The credit that a receiver gives on a stream or on a connection (RFC 9000 sections 4.1 and 4.2).
///
/// Credit follows what the application consumes and nothing else. It is announced anew when half of the
/// window is used up, and the window doubles when that half lasted for less than a round trip: the sender
/// then fills a window in under two, so that a larger one may let it go faster.
struct ReceiveWindow: Codable, Sendable {
    /// The highest offset that the sender may reach, as last announced to it.
    private(set) var limit: UInt64
    /// How far ahead of what was consumed the next announcement reaches.
    private(set) var size: UInt64
    /// The consumption that is measured now.
    private var current: Measurement?
    /// The one that ended last, for as long as the moment lasts at which it did: what is read at one moment counts
    /// as one, in however many pieces it comes.
    private var ended: Measurement?

    /// Since when consumption is measured, from which offset, and with which window.
    private struct Measurement: Codable {
        var start: Instant
        var offset: UInt64
        var size: UInt64
    }

    init(size: UInt64) {
        self.limit = size
        self.size = size
    }

    /// Whether enough was consumed for a new announcement to be worth a frame: a half of the window, or
    /// another share of it.
    func isUpdateDue(consumed: UInt64, share: UInt64 = 2) -> Bool {
        size > 0 && Self.reach(consumed, size) >= limit + (size + share - 1) / share
    }

    /// Whether an announcement would raise the limit at all.
    func canRaise(consumed: UInt64) -> Bool { Self.reach(consumed, size) > limit }

    private static func reach(_ consumed: UInt64, _ size: UInt64) -> UInt64 {
        min(consumed + size, VariableLengthInteger.max)
    }

    /// Measures how fast the application consumes; to be called after it did.
    mutating func noteConsumed(_ consumed: UInt64, now: Instant, rtt: TimeSpan, maximumSize: UInt64) {
        guard let measured = current, measured.offset <= consumed else { return measure(from: consumed, now) }
        if measured.start == now {
            current?.offset = consumed
        } else if consumed - measured.offset >= (size + 1) / 2 {
            measure(from: consumed, now)
            ended = Measurement(start: measured.start, offset: measured.offset, size: size)
        } else {
            return
        }
        guard let ended else { return }
        // A half of the window in one round trip is the whole of it in two.
        let halves = Int64(clamping: 2 * (consumed - ended.offset) / max(ended.size, 1))
        guard rtt > .zero, now - ended.start < rtt * halves else { return }
        size = max(size, min(2 * ended.size, maximumSize))
    }

    private mutating func measure(from offset: UInt64, _ now: Instant) {
        current = Measurement(start: now, offset: offset, size: size)
        ended = nil
    }

    /// Widens the window without a measurement, because something else needs the room.
    mutating func widen(to newSize: UInt64) { size = max(size, newSize) }

    /// Takes the limit that is announced now, and returns it.
    mutating func announce(consumed: UInt64) -> UInt64 {
        limit = max(limit, Self.reach(consumed, size))
        return limit
    }

    /// Forgets the measurement under way, so that it does not span a freeze.
    mutating func restartMeasurement() { (current, ended) = (nil, nil) }
}
