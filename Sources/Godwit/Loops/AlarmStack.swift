import GodwitWire
import NIOCore

/// The timers that an endpoint has running, the next one last.
///
/// The endpoint's deadline moves with nearly every packet, mostly later. To cancel a timer costs more than to
/// let it come up in vain; so one is started only for a deadline that lies before all that run.
struct AlarmStack {
    private var alarms: ContiguousArray<(instant: Instant, callback: NIOScheduledCallback)> = []

    func needsAlarm(at deadline: Instant) -> Bool { alarms.last.map { deadline < $0.instant } ?? true }

    mutating func push(_ instant: Instant, _ callback: NIOScheduledCallback) {
        alarms.append((instant, callback))
    }

    /// Takes out what has come up; false if nothing has.
    mutating func popExpired(now: Instant) -> Bool {
        var hasExpired = false
        while let last = alarms.last, last.instant <= now {
            alarms.removeLast()
            hasExpired = true
        }
        return hasExpired
    }

    /// To be called when the clock was set anew, or nothing is waited for any longer.
    mutating func cancelAll() {
        let old = alarms
        alarms.removeAll()
        for alarm in old { alarm.callback.cancel() }
    }
}
