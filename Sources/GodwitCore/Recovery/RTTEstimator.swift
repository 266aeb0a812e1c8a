import GodwitWire

/// The round-trip time of one path (RFC 9002 section 5).
struct RTTEstimator: Codable, Sendable, Equatable {
    /// The timer granularity that RFC 9002 section 6.1.2 recommends.
    static let granularity = TimeSpan.milliseconds(1)
    /// The round-trip time assumed before there is a sample (RFC 9002 section 6.2.2).
    static let defaultInitialRTT = TimeSpan.milliseconds(333)

    private(set) var latest: TimeSpan
    private(set) var minimum: TimeSpan
    private(set) var smoothed: TimeSpan
    private(set) var variation: TimeSpan
    /// When the first sample was taken; persistent congestion cannot begin earlier
    /// (RFC 9002 section 7.6.2).
    private(set) var firstSampleTime: Instant?
    /// What a probe timeout adds at least to a round-trip time that was measured.
    private let granularity: TimeSpan

    init(
        initialRTT: TimeSpan = RTTEstimator.defaultInitialRTT,
        granularity: TimeSpan = RTTEstimator.granularity
    ) {
        self.granularity = granularity
        latest = .zero
        minimum = .zero
        smoothed = initialRTT
        variation = initialRTT / 2
    }

    var hasSample: Bool { firstSampleTime != nil }

    /// Takes a sample in (RFC 9002 section 5.3).
    mutating func addSample(
        _ rtt: TimeSpan, ackDelay: TimeSpan, now: Instant, handshakeConfirmed: Bool, maxAckDelay: TimeSpan
    ) {
        latest = max(rtt, .zero)
        guard hasSample else { return startOver(now) }
        minimum = min(minimum, latest)
        // RFC 9002 section 5.3: the peer's promise binds it only once the handshake is confirmed.
        let delay = handshakeConfirmed ? min(ackDelay, maxAckDelay) : ackDelay
        let adjusted = latest >= minimum + delay ? latest - delay : latest
        let deviation = smoothed > adjusted ? smoothed - adjusted : adjusted - smoothed
        variation = (variation * 3 + deviation) / 4
        smoothed = (smoothed * 7 + adjusted) / 8
    }

    private mutating func startOver(_ now: Instant) {
        firstSampleTime = now
        minimum = latest
        smoothed = latest
        variation = latest / 2
    }

    /// The probe timeout before any backoff (RFC 9002 section 6.2.1).
    func ptoInterval(maxAckDelay: TimeSpan) -> TimeSpan {
        smoothed + max(variation * 4, hasSample ? granularity : Self.granularity) + maxAckDelay
    }

    /// How long losses have to go on to count as persistent congestion (RFC 9002 section 7.6.1).
    func persistentCongestionDuration(maxAckDelay: TimeSpan) -> TimeSpan {
        ptoInterval(maxAckDelay: maxAckDelay) * 3
    }

    /// Forgets the minimum, so that a lasting increase does not end in persistent congestion again and again
    /// (RFC 9002 section 5.2).
    mutating func onPersistentCongestion() { minimum = latest }

    /// Moves the estimator's only instant by the length of a freeze.
    mutating func shift(by span: TimeSpan) { firstSampleTime = firstSampleTime.map { $0 + span } }
}
