import GodwitWire

/// CUBIC (RFC 9438), in bytes.
struct Cubic: LossBasedController, Codable, Sendable, Equatable {
    /// The multiplicative decrease factor (RFC 9438 section 4.6).
    static let beta = 0.7
    /// The aggressiveness, in datagrams per second cubed (RFC 9438 section 5.1).
    static let c = 0.4
    /// The additive increase that is as fair as Reno's with ``beta`` (RFC 9438 section 4.3).
    static let alpha = 3 * (1 - beta) / (1 + beta)

    var state: CongestionState
    private(set) var curve = CubicCurve()
    private var undo: Undo?

    private struct Undo: Codable, Sendable, Equatable {
        var window: UInt64
        var slowStartThreshold: UInt64
        var curve: CubicCurve
    }

    init(maximumDatagramSize: Int) { state = CongestionState(maximumDatagramSize: maximumDatagramSize) }

    mutating func growInAvoidance(_ bytes: UInt64, now: Instant, rtt: TimeSpan) {
        let window = curve.grow(
            window: state.window, acked: bytes, maximumDatagramSize: state.maximumDatagramSize, now: now,
            rtt: rtt)
        state.setWindow(window)
    }

    mutating func onApplicationLimited() { curve.pause() }
    mutating func onIdle() { curve.noteIdle() }

    mutating func reduce(now: Instant, isUndoable: Bool) {
        undo = Undo(window: state.window, slowStartThreshold: state.slowStartThreshold, curve: curve)
        let reduced = curve.reduce(window: state.window)
        state.beginRecovery(now: now, window: reduced, isUndoable: isUndoable)
    }

    /// RFC 9438 section 4.9.2: only while the window is still smaller than it was.
    mutating func undoReduction() {
        guard let undo, state.window < undo.window else { return }
        state.restore(window: undo.window, slowStartThreshold: undo.slowStartThreshold)
        curve = undo.curve
        self.undo = nil
    }

    /// RFC 9438 section 4.8: the reduction before has set the threshold; the next curve begins where slow
    /// start ends.
    mutating func onPersistentCongestion() {
        state.collapse()
        curve.startOver()
        undo = nil
    }

    /// RFC 9438 section 4.10.
    mutating func onSlowStartExit() { curve.startOver(priorWindow: state.window) }

    mutating func shift(by span: TimeSpan) {
        state.shift(by: span)
        curve.shift(by: span)
        undo = nil
    }
}
