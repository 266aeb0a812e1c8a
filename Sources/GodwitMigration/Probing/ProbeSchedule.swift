public import GodwitWire

/// When the next challenge to one address is due (Specs/server-migration.md 5.4).
///
/// ```
///   since the trigger   0          1 s                    8 s
///   interval            25 ms      an eighth of it        1 s          each ± 20 %
/// ```
///
/// RFC 9000 section 8.2.1 asks for no more challenges than Initial packets would be sent. This departs from
/// it on purpose: a server that was frozen comes back at a moment that nobody can foretell, and every
/// millisecond until the next challenge is one that the application waits. ``ProbeBudget`` bounds the cost.
public struct ProbeSchedule: Hashable, Sendable, Codable {
    /// How the intervals of one schedule differ from the standard ones.
    public struct Spacing: Hashable, Sendable, Codable {
        /// How many addresses share the budget of the connection.
        public var candidates: Int
        /// How many of them, this one included, are ports of one host and share the budget of its IP address.
        public var ports: Int
        /// No interval is shorter: towards a peer that spends something with every challenge.
        public var minimum: TimeSpan
        /// Every so many intervals of a candidate there is one of this schedule's.
        public var slowdown: Int64
        /// How many challenges the host has not answered of late.
        public var spent: Int
        /// How many of those were sent before the trigger: false alarms must not leave a real search without.
        public var spentBefore: Int

        /// The standard intervals, for one candidate.
        public init(
            candidates: Int = 1, ports: Int = 1, minimum: TimeSpan = .zero, slowdown: Int64 = 1,
            spent: Int = 0,
            spentBefore: Int = 0
        ) {
            self.candidates = candidates
            self.ports = ports
            self.minimum = minimum
            self.slowdown = slowdown
            self.spent = spent
            self.spentBefore = spentBefore
        }
    }

    /// The interval until the time since the trigger says more.
    public static let firstInterval = TimeSpan.milliseconds(25)
    /// How long the first interval lasts.
    public static let eagerness = TimeSpan.seconds(1)
    /// The longest interval.
    public static let longestInterval = TimeSpan.seconds(1)

    /// The trigger.
    public private(set) var startedAt: Instant
    /// When the next challenge is due.
    public private(set) var next: Instant
    private var wasHastened = false

    /// A schedule whose first challenge is due at once, or later by `delay`.
    public init(startedAt: Instant, delay: TimeSpan = .zero) {
        self.startedAt = startedAt
        self.next = startedAt + delay
    }

    /// Sets the time of the next challenge, one having been sent.
    public mutating func onSent(at now: Instant, _ spacing: Spacing, using random: inout SeededRandom) {
        let interval = Self.interval(after: now - startedAt, spacing)
        // Uniform in ± 20 %: clients that were told at the same moment shall not stay in step.
        let least = max(interval - interval / 5, spacing.minimum)
        let most = max(interval + interval / 5, least + least / 5)
        next = now + least + .nanoseconds(random.below((most - least).nanoseconds + 1))
    }

    /// Makes the next challenge due at once, because somebody is there who was not when the last was sent. Only once:
    /// what comes again and again shall not set the pace.
    mutating func hasten(at now: Instant) {
        guard !wasHastened else { return }
        wasHastened = true
        next = min(next, now)
    }

    /// The interval before jitter, so long after the trigger.
    static func interval(after elapsed: TimeSpan, _ spacing: Spacing = Spacing()) -> TimeSpan {
        // Four candidates at the standard intervals use up what a connection may spend. More share it, and a second of
        // eagerness would leave little of it for a server that comes back later. So it is with the ports of a host.
        let hadAlarms = spacing.spentBefore > 0
        let isCrowded = spacing.candidates > 4 || spacing.ports > 1
        let isEager = elapsed < (hadAlarms || isCrowded ? firstInterval * 8 : eagerness)
        let share: Int64 = hadAlarms && spacing.spent >= ProbeBudget.addressLimit * 5 / 8 ? 5 : 8
        let standard = isEager ? firstInterval : min(elapsed / share, longestInterval)
        let shared = standard * Int64(max(4, spacing.candidates, 4 * spacing.ports)) / 4
        return shared * max(1, spacing.slowdown)
    }

    /// Moves the schedule over a freeze.
    mutating func shift(by span: TimeSpan) {
        startedAt += span
        next += span
    }
}
