import GodwitWire

/// A token bucket that counts events: `burst` at once, then one every `interval`.
struct RateLimit: Codable, Sendable {
    let burst: Int
    let interval: TimeSpan
    private var tokens: Int
    /// When the bucket last gained a token; without meaning while it is full.
    private var refilledAt: Instant

    init(burst: Int, interval: TimeSpan) {
        precondition(burst > 0 && interval > .zero)
        self.burst = burst
        self.interval = interval
        self.tokens = burst
        self.refilledAt = .zero
    }

    func available(at now: Instant) -> Int {
        let gained = max(0, (now - refilledAt).nanoseconds / interval.nanoseconds)
        return tokens == burst ? burst : min(burst, tokens + Int(min(gained, Int64(burst))))
    }

    /// Takes a token; false when there is none.
    mutating func consume(at now: Instant) -> Bool {
        refill(at: now)
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }

    private mutating func refill(at now: Instant) {
        let gained = max(0, (now - refilledAt).nanoseconds / interval.nanoseconds)
        tokens = available(at: now)
        refilledAt = tokens == burst ? now : refilledAt + interval * gained
    }

    /// Moves the bucket's clock over a freeze, during which nothing is gained.
    mutating func shift(by span: TimeSpan) { refilledAt += span }
}
