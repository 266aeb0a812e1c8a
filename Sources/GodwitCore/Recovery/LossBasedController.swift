import GodwitWire

/// The frame that NewReno and CUBIC share: when the window moves. They say by how much.
///
/// A protocol of this module with two conformers, so that both are specialised; nothing is called through it.
protocol LossBasedController {
    var state: CongestionState { get set }

    /// Grows the window in congestion avoidance for `bytes` newly acknowledged.
    mutating func growInAvoidance(_ bytes: UInt64, now: Instant, rtt: TimeSpan)
    /// The window stands still for lack of data.
    mutating func onApplicationLimited()
    /// Reduces the window once.
    mutating func reduce(now: Instant, isUndoable: Bool)
    mutating func undoReduction()
    mutating func onPersistentCongestion()
    /// Slow start ended without loss.
    mutating func onSlowStartExit()
}

extension LossBasedController {
    /// Counts `bytes` of in-flight packets, the newest sent at `sentTime`, as delivered
    /// (RFC 9002 appendix B.5).
    mutating func onAcked(
        _ bytes: UInt64, sentTime: Instant, now: Instant, rtt: TimeSpan, isApplicationLimited: Bool
    ) {
        // RFC 9002 section 7.3.2: no growth for what was sent before the window was reduced.
        if state.isBeforeRecovery(sentTime) { return }
        state.onAckedAfterRecoveryStart()
        // RFC 9002 section 7.8: a window that was not used proves nothing about more.
        if isApplicationLimited { return onApplicationLimited() }
        if state.isInSlowStart {
            state.growInSlowStart(bytes)
        } else {
            growInAvoidance(bytes, now: now, rtt: rtt)
        }
    }

    mutating func onSlowStartSample(largestAcked: UInt64, largestSent: UInt64, rtt: TimeSpan) {
        if state.onSlowStartSample(largestAcked: largestAcked, largestSent: largestSent, rtt: rtt) {
            onSlowStartExit()
        }
    }

    /// One in-flight packet was lost (RFC 9002 appendix B.6): at most one reduction for a round trip.
    mutating func onLost(sentTime: Instant, now: Instant) {
        if !state.isBeforeRecovery(sentTime) { reduce(now: now, isUndoable: true) }
        state.countLoss(sentTime)
    }

    /// RFC 9002 section 7.1.
    mutating func onECNCongestion(sentTime: Instant, now: Instant) {
        if state.isBeforeRecovery(sentTime) {
            state.confirmReduction()
        } else {
            reduce(now: now, isUndoable: false)
        }
    }

    /// A packet that was declared lost arrived after all (RFC 9438 section 4.9.2).
    mutating func onSpuriousLoss(sentTime: Instant) {
        if state.discountLoss(sentTime) { undoReduction() }
    }
}
