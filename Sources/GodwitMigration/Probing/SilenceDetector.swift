import GodwitWire

/// Notices that nothing comes any more, where no probe timeout would (Specs/server-migration.md 5.8).
///
/// A client that only receives has nothing unacknowledged, so no timer of its own tells it that the server
/// has fallen silent. After a while of silence it asks with a PING, whose probe timeout then does.
///
/// ```
///   off ──pool told──► stalls: one PING after what was received stops for three PTOs
///    │                   ▲
///    └──move announced─► expecting: a PING whenever it is silent for a PTO, less and less often
/// ```
struct SilenceDetector: Hashable, Sendable, Codable {
    private enum Mode: Hashable, Sendable, Codable {
        case off
        case stalls
        case expecting(until: Instant)
    }

    /// How long an announcement keeps a client alert.
    static let alertness = TimeSpan.seconds(60)
    /// Between one PING and the next while a move is expected: doubled each time, up to this.
    static let longestInterval = TimeSpan.seconds(1)
    private static let shortestInterval = TimeSpan.milliseconds(50)
    private static let shortestStall = TimeSpan.milliseconds(250)

    private var mode = Mode.off
    private var lastPing = Instant.distantPast
    /// PINGs since the server last sent something of its own.
    private var pings = 0
    private(set) var deadline = Instant.distantFuture

    /// Whether ``resume(at:_:)`` is to be called when the server sends something of its own: an idle
    /// connection has no timer here.
    var isDormant: Bool { mode != .off && deadline == .distantFuture }

    /// A move may come without notice.
    mutating func watchForStalls(at now: Instant, _ surroundings: ClientSurroundings) {
        guard mode == .off else { return }
        mode = .stalls
        deadline = now + interval(surroundings)
    }

    /// A move was announced.
    mutating func expectMove(at now: Instant, _ surroundings: ClientSurroundings) {
        (mode, pings) = (.expecting(until: now + Self.alertness), 0)
        deadline = now + interval(surroundings)
    }

    /// The move is over or called off.
    mutating func relax(watchingForStalls: Bool) {
        (mode, pings, deadline) = (watchingForStalls ? .stalls : .off, 0, .distantFuture)
    }

    /// The server has sent something of its own.
    mutating func resume(at now: Instant, _ surroundings: ClientSurroundings) {
        guard isDormant else { return }
        deadline = now + interval(surroundings)
    }

    /// Whether to send a PING now.
    mutating func isPingDue(at now: Instant, _ surroundings: ClientSurroundings) -> Bool {
        guard deadline <= now else { return false }
        if case .expecting(let until) = mode, until <= now { mode = .stalls }
        if surroundings.lastElicited > lastPing { pings = 0 }
        if mode == .off || (mode == .stalls && pings > 0) {
            // A stall is asked about once.
            deadline = .distantFuture
            return false
        }
        // While something is unacknowledged a probe timeout will tell.
        let due = max(surroundings.lastHeard, lastPing) + interval(surroundings)
        guard due <= now, !surroundings.awaitsAcknowledgement else {
            deadline = due > now ? due : now + interval(surroundings)
            return false
        }
        (lastPing, pings) = (now, pings + 1)
        deadline = now + interval(surroundings)
        return true
    }

    private func interval(_ surroundings: ClientSurroundings) -> TimeSpan {
        switch mode {
        case .off: .distantFuture
        case .stalls: max(surroundings.probeTimeout * 3, Self.shortestStall)
        case .expecting:
            max(
                surroundings.probeTimeout,
                min(Self.shortestInterval * (1 << min(pings, 8)), Self.longestInterval))
        }
    }

    mutating func shift(by span: TimeSpan) {
        deadline = deadline.shifted(by: span)
        lastPing += span
        if case .expecting(let until) = mode { mode = .expecting(until: until + span) }
    }
}

extension TimeSpan {
    static var distantFuture: TimeSpan { TimeSpan(nanoseconds: .max) }
}

extension Instant {
    static var distantPast: Instant { Instant(nanoseconds: .min) }

    /// The same moment on a clock that was set forward by `span`; what never comes still never comes.
    func shifted(by span: TimeSpan) -> Instant { self == .distantFuture ? self : self + span }

    /// Nil for what never comes.
    var unlessNever: Instant? { self == .distantFuture ? nil : self }
}
