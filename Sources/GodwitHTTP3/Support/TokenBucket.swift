import GodwitWire

/// Lets a number of things happen at once, and then so many a second.
struct TokenBucket {
    private let capacity: Double
    private let refillsPerSecond: Double
    private var tokens: Double
    private var refilledAt: Instant?

    init(capacity: Int, refillsPerSecond: Int) {
        self.capacity = Double(capacity)
        self.refillsPerSecond = Double(refillsPerSecond)
        tokens = Double(capacity)
    }

    /// Whether one more may happen now.
    mutating func take(now: Instant) -> Bool {
        let span = refilledAt.map { Double((now - $0).nanoseconds) / 1e9 } ?? 0
        refilledAt = now
        tokens = min(capacity, tokens + max(0, span) * refillsPerSecond)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
