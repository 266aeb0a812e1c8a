import GodwitWire

/// Spreads packets over the round trip (RFC 9002 section 7.7): a bucket that fills at 1.25 windows a round
/// trip.
struct Pacer: Codable, Sendable, Equatable {
    /// A little more than a window, so that changes of the delay do not leave it unused.
    static let gain = 1.25
    /// RFC 9002 section 7.7: bursts up to the initial window are always fine.
    static let burstPackets = 10
    /// What one call to the kernel can send at once. On a long path it may leave as a burst if it is no more
    /// than an eighth of a round trip's worth.
    static let trainSize = 65_536.0
    /// Waking up more often than this costs more than the smoothness is worth, so this many nanoseconds'
    /// worth may leave at once, twice over for a late timer.
    static let granularity = 1_000_000.0

    /// Bytes that may leave now; negative after probes, which do not wait.
    private var tokens = 0.0
    /// Nil until the first call: the bucket starts full.
    private var lastFill: Instant?

    init() {}

    /// How many bytes may leave at `now`: 0, or at least one datagram of `mtu` bytes.
    mutating func allowance(now: Instant, window: UInt64, rtt: TimeSpan, mtu: Int) -> Int {
        let flow = Flow(window: window, rtt: rtt, mtu: mtu)
        let elapsed = lastFill.map { max(now - $0, .zero).nanoseconds }
        tokens = elapsed.map { min(tokens + Double($0) * flow.rate, flow.burst) } ?? flow.burst
        lastFill = now
        return tokens < Double(mtu) ? 0 : Int(tokens)
    }

    /// Takes off what left. Packets of ACK frames alone are not paced and not counted.
    mutating func onSent(_ bytes: Int) { tokens -= Double(bytes) }

    /// When enough has gathered for the next train, as of the latest ``allowance(now:window:rtt:mtu:)``.
    func nextSendTime(window: UInt64, rtt: TimeSpan, mtu: Int) -> Instant {
        let flow = Flow(window: window, rtt: rtt, mtu: mtu)
        let wait = max(flow.train - tokens, 0) / flow.rate
        // An hour is longer than anything waits, and converts safely.
        return (lastFill ?? .zero) + .nanoseconds(Int64(min(wait, 3.6e12).rounded(.up)))
    }

    mutating func shift(by span: TimeSpan) { lastFill = lastFill.map { $0 + span } }

    private struct Flow {
        /// Bytes a nanosecond.
        var rate: Double
        /// The depth of the bucket.
        var burst: Double
        /// How much is worth waking up for.
        var train: Double

        init(window: UInt64, rtt: TimeSpan, mtu: Int) {
            let roundTrip = Double(max(rtt.nanoseconds, 1000))
            let size = Double(mtu)
            rate = Pacer.gain * Double(window) / roundTrip
            burst = max(
                Double(Pacer.burstPackets) * size, 2 * Pacer.granularity * rate,
                min(rate * roundTrip / 8, Pacer.trainSize))
            train = min(max(size, Pacer.granularity * rate), burst)
        }
    }
}
