import GodwitWire

/// The congestion controller of RFC 9002 section 7.
struct NewReno: LossBasedController, Codable, Sendable, Equatable {
    var state: CongestionState
    /// Bytes acknowledged in congestion avoidance since the window last grew.
    private var bytesAcked: UInt64 = 0
    private var undo: Undo?

    private struct Undo: Codable, Sendable, Equatable {
        var window: UInt64
        var slowStartThreshold: UInt64
    }

    init(maximumDatagramSize: Int) { state = CongestionState(maximumDatagramSize: maximumDatagramSize) }

    /// RFC 9002 section 7.3.3: one datagram for every window acknowledged, by counted bytes so that nothing
    /// is lost to division (RFC 3465 section 2.1).
    mutating func growInAvoidance(_ bytes: UInt64, now: Instant, rtt: TimeSpan) {
        bytesAcked += bytes
        guard bytesAcked >= state.window else { return }
        bytesAcked -= state.window
        state.setWindow(state.window + state.maximumDatagramSize)
        bytesAcked = min(bytesAcked, state.window)
    }

    mutating func onApplicationLimited() {}

    /// RFC 9002 section 7.3.2: kLossReductionFactor is a half.
    mutating func reduce(now: Instant, isUndoable: Bool) {
        undo = Undo(window: state.window, slowStartThreshold: state.slowStartThreshold)
        state.beginRecovery(now: now, window: state.window / 2, isUndoable: isUndoable)
        bytesAcked = 0
    }

    mutating func undoReduction() {
        guard let undo, state.window < undo.window else { return }
        state.restore(window: undo.window, slowStartThreshold: undo.slowStartThreshold)
        self.undo = nil
    }

    mutating func onPersistentCongestion() {
        state.collapse()
        bytesAcked = 0
        undo = nil
    }

    mutating func onSlowStartExit() { bytesAcked = 0 }
}
