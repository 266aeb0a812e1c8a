import GodwitWire
import NIOCore

/// Turns the machine's monotonic clock into instants of one endpoint.
///
/// On another host that clock may be days off in either direction. So an endpoint's instants are offsets from
/// an epoch of its own, never run backwards, and can be made to go on from where they were before a freeze.
struct LoopClock {
    /// The machine's time at instant zero, in nanoseconds; negative when the endpoint is older than the
    /// machine.
    private var epoch: Int64
    private(set) var latest = Instant.zero

    init(at time: NIODeadline) { epoch = LoopClock.nanoseconds(time) }

    /// The instant that the machine's clock shows.
    mutating func read(_ time: NIODeadline) -> Instant {
        latest = max(latest, Instant(nanoseconds: LoopClock.nanoseconds(time) &- epoch))
        return latest
    }

    /// Makes instants go on from the latest one.
    mutating func resume(at time: NIODeadline) { epoch = LoopClock.nanoseconds(time) &- latest.nanoseconds }

    /// When the machine's clock will show an instant; the far future for one that never comes.
    func time(of instant: Instant) -> NIODeadline {
        let (nanoseconds, overflow) = instant.nanoseconds.addingReportingOverflow(epoch)
        if overflow { return .distantFuture }
        return .uptimeNanoseconds(UInt64(max(0, nanoseconds)))
    }

    private static func nanoseconds(_ time: NIODeadline) -> Int64 { Int64(clamping: time.uptimeNanoseconds) }
}
