import GodwitWire

/// The proof that the peer receives what is sent to it on a path (RFC 9000 section 8.2).
///
/// ```
///            start                    response to a padded challenge
///   idle ───────────► running(full) ─────────────────────────────────► succeeded
///    ▲                  │   ▲                                              │
///    │          give up │   │ response to a small challenge:               │ start: asked again
///    └── failed ◄───────┘   │ the address is proved, the size is not       ▼
///                           └────────────────────────────────────────── running
/// ```
///
/// It owns the timer of the challenges, but neither sends nor draws random numbers: whoever writes packets
/// asks ``isDue(at:)`` and reports with ``onChallengeSent(_:at:isFullSize:)``.
struct PathValidation: Codable, Sendable {
    enum State: UInt8, Codable, Sendable { case idle, running, succeeded, failed }

    private struct Challenge: Codable, Sendable {
        var data: UInt64
        var timeSent: Instant
        /// Whether its datagram had the 1200 bytes that prove the path's size (RFC 9000 section 8.2.1).
        var isFullSize: Bool
        /// False when a freeze lies between it and its response.
        var isTimed = true
    }

    /// What a PATH_RESPONSE showed.
    struct Proof: Equatable, Sendable {
        /// The time since exactly that challenge was sent; nil when it means nothing.
        var rtt: TimeSpan?
        /// False when the challenge had to be small, so that the path's size is still open.
        var isFullSize: Bool
    }

    /// Where doubling ends, for validations that nobody gives up.
    static let longestInterval = TimeSpan.seconds(10)

    private(set) var state = State.idle
    /// Every challenge that may still be answered; the oldest is dropped when there are too many.
    private var outstanding: ContiguousArray<Challenge> = []
    private var capacity = 16
    private var nextChallenge = Instant.distantFuture
    private var interval = TimeSpan.zero
    /// Whether challenges go out when somebody asks for them, and at no other time.
    private(set) var isScheduledOutside = false
    private(set) var givesUpAt = Instant.distantFuture
    private(set) var challengesSent: UInt64 = 0

    /// Starts, with the first challenge due at once.
    /// - Parameters:
    ///   - interval: the time to the second challenge, then doubled each time; no less than a PTO (section
    ///     9.4).
    ///   - timeout: when to give up (section 8.2.4); nil for never.
    mutating func start(at now: Instant, interval: TimeSpan, timeout: TimeSpan?) {
        (state, nextChallenge, givesUpAt) = (.running, now, timeout.map { now + $0 } ?? .distantFuture)
        self.interval = max(interval, .milliseconds(1))
        isScheduledOutside = false
    }

    /// Starts without a timer: challenges are sent when ``request(at:)`` asks for one, and nobody gives up.
    mutating func startScheduledOutside(outstandingLimit: Int) {
        (state, nextChallenge, givesUpAt) = (.running, .distantFuture, .distantFuture)
        (isScheduledOutside, capacity) = (true, max(capacity, outstandingLimit))
    }

    /// Makes a challenge due now, whatever the timer says.
    mutating func request(at now: Instant) {
        guard state == .running else { return }
        nextChallenge = now
    }

    /// Has the next challenge follow the last after `interval`, if it was to be later.
    mutating func hasten(interval: TimeSpan) {
        guard state == .running, !isScheduledOutside, let last = outstanding.last else { return }
        self.interval = min(self.interval, interval)
        nextChallenge = min(nextChallenge, last.timeSent + interval)
    }

    mutating func stop() {
        if state == .running { state = .idle }
        (nextChallenge, givesUpAt) = (.distantFuture, .distantFuture)
    }

    /// Whether a challenge is due, now or at some time that is known already.
    var expectsToSend: Bool { state == .running && nextChallenge != .distantFuture }

    /// Whether a padded challenge is on its way.
    var hasFullSizeChallenge: Bool { outstanding.contains { $0.isFullSize } }

    func isDue(at now: Instant) -> Bool { state == .running && nextChallenge <= now && now < givesUpAt }

    /// When the next challenge is due, or the attempt is over.
    /// - Parameter canSend: false while the path may not send, when being due means nothing.
    func deadline(canSend: Bool) -> Instant? {
        guard state == .running else { return nil }
        let first = canSend ? min(nextChallenge, givesUpAt) : givesUpAt
        return first == .distantFuture ? nil : first
    }

    mutating func onChallengeSent(_ data: UInt64, at now: Instant, isFullSize: Bool) {
        remember(Challenge(data: data, timeSent: now, isFullSize: isFullSize))
        challengesSent &+= 1
        nextChallenge = isScheduledOutside ? .distantFuture : now + interval
        interval = min(interval * 2, Self.longestInterval)
    }

    /// Small challenges, of which there may be one for every packet that comes, push out none that proves the size: on
    /// a long path that would be gone before its answer is there.
    private mutating func remember(_ challenge: Challenge) {
        if outstanding.count >= capacity {
            let small = outstanding.firstIndex { !$0.isFullSize }
            guard small != nil || challenge.isFullSize else { return }
            outstanding.remove(at: small ?? 0)
        }
        outstanding.append(challenge)
    }

    /// Takes a PATH_RESPONSE, which counts on whichever path it came (RFC 9000 section 8.2.3); nil when it
    /// answers none of the challenges.
    ///
    /// The response to a small challenge leaves the state as it is: a padded one has to follow.
    mutating func receive(_ data: UInt64, at now: Instant) -> Proof? {
        guard let index = outstanding.firstIndex(where: { $0.data == data }) else { return nil }
        let challenge = outstanding.remove(at: index)
        if challenge.isFullSize { succeed() }
        return Proof(
            rtt: challenge.isTimed ? now - challenge.timeSent : nil, isFullSize: challenge.isFullSize)
    }

    private mutating func succeed() {
        state = .succeeded
        outstanding.removeAll()
        (nextChallenge, givesUpAt) = (.distantFuture, .distantFuture)
    }

    /// Counts as validated without challenges, as the first path does by the handshake (RFC 9000 section
    /// 8.1).
    mutating func succeedByHandshake() { succeed() }

    /// Gives up when the time for it has come; true when it has.
    mutating func failIfOverdue(at now: Instant) -> Bool {
        guard state == .running, givesUpAt <= now else { return false }
        state = .failed
        outstanding.removeAll()
        (nextChallenge, givesUpAt) = (.distantFuture, .distantFuture)
        return true
    }

    /// Carries the timers over a freeze. A response to an earlier challenge still proves the path, but tells
    /// nothing about its round-trip time.
    mutating func resume(shiftedBy span: TimeSpan) {
        for index in outstanding.indices { outstanding[index].isTimed = false }
        nextChallenge = nextChallenge.shifted(by: span)
        givesUpAt = givesUpAt.shifted(by: span)
    }
}

extension Instant {
    /// The same moment on a clock that was set forward by `span`; what never comes still never comes.
    func shifted(by span: TimeSpan) -> Instant { self == .distantFuture ? self : self + span }
}
