import GodwitWire

/// The congestion controller of one path (RFC 9002 section 7).
///
/// It says when the window moves; ``CongestionAvoidance`` says by how much. The bytes in flight are the
/// path's (``BytesInFlight``).
struct CongestionController: Codable, Sendable, Equatable {
    private var state: CongestionState
    /// Apart from ``state``, which is read for every packet and would otherwise be copied with it.
    private var avoidance: CongestionAvoidance

    /// What the controller is doing, for logs.
    enum Phase: String, Sendable, Codable {
        case slowStart, conservativeSlowStart, congestionAvoidance, recovery
    }

    /// - Parameter takesOver: whether the path gets the traffic of another one.
    init(algorithm: CongestionAlgorithm, mtu: Int, takesOver: Bool = false) {
        state = CongestionState(maximumDatagramSize: mtu, isCautious: takesOver)
        avoidance = CongestionAvoidance(algorithm)
    }

    var algorithm: CongestionAlgorithm { avoidance.algorithm }
    /// How many bytes may be in flight.
    var window: UInt64 { state.window }
    /// `UInt64.max` before the first slow start has ended.
    var slowStartThreshold: UInt64 { state.slowStartThreshold }
    var isInSlowStart: Bool { state.isInSlowStart }

    var phase: Phase {
        if state.isInRecovery { return .recovery }
        guard state.isInSlowStart else { return .congestionAvoidance }
        return state.isInInitialSlowStart && state.hyStart.isConservative
            ? .conservativeSlowStart : .slowStart
    }

    /// How many bytes may leave now: the rest of the window, and one datagram beyond it when recovery begins
    /// (RFC 9002 section 7.3.2). Probes do not ask.
    func available(bytesInFlight: UInt64) -> UInt64 { state.available(bytesInFlight: bytesInFlight) }

    /// Whether so much is in flight that a larger window would be used;
    /// ``SentPacket/Flags/applicationLimited`` is for packets sent while it is not (RFC 9002 section 7.8).
    func isUsedUp(bytesInFlight: UInt64) -> Bool { state.isUsedUp(bytesInFlight: bytesInFlight) }

    /// Applies what an ACK frame or a timeout established for this path.
    ///
    /// - Parameters:
    ///   - bytesInFlight: before the outcome's bytes were released.
    ///   - isCongestionMarked: whether the path's ``ECNValidator`` found a new mark.
    ///   - rtt: the path's smoothed round-trip time, the outcome's sample included.
    mutating func apply(
        _ outcome: borrowing AckOutcome, _ report: PathOutcome, bytesInFlight: UInt64,
        isCongestionMarked: Bool,
        rtt: TimeSpan, now: Instant
    ) {
        applyLosses(outcome, report, now)
        if isCongestionMarked, let sentTime = report.newestAckedTime {
            onECNCongestion(sentTime: sentTime, now: now)
        }
        applyAcknowledgments(outcome, report, bytesInFlight, rtt, now)
    }

    private mutating func applyLosses(
        _ outcome: borrowing AckOutcome, _ report: PathOutcome, _ now: Instant
    ) {
        for index in outcome.spurious.indices where outcome.spurious[index].path == report.path {
            onSpuriousLoss(sentTime: outcome.spurious[index].timeSent)
        }
        if report.congestionLosses > 0 {
            for index in outcome.lost.indices {
                let packet = outcome.lost[index].packet
                guard packet.path == report.path, packet.isInFlight, !packet.isMTUProbe else { continue }
                onLost(sentTime: packet.timeSent, now: now)
            }
        }
        if report.persistentCongestion { onPersistentCongestion() }
    }

    private mutating func applyAcknowledgments(
        _ outcome: borrowing AckOutcome, _ report: PathOutcome, _ bytesInFlight: UInt64, _ rtt: TimeSpan,
        _ now: Instant
    ) {
        guard report.ackedBytes > 0 else { return }
        let counted = countedBytes(outcome, report)
        if let sentTime = report.newestAckedTime {
            onAcked(
                counted, sentTime: sentTime, now: now, rtt: rtt,
                appLimited: counted == 0 || !isUsedUp(bytesInFlight: bytesInFlight))
        }
        if outcome.space == .application, let sample = outcome.rttSample, sample.path == report.path {
            onSlowStartSample(
                largestAcked: outcome.largestAcked?.number ?? 0, largestSent: outcome.largestSent,
                rtt: sample.rtt)
        }
    }

    /// The acknowledged bytes that may open the window.
    private func countedBytes(_ outcome: borrowing AckOutcome, _ report: PathOutcome) -> UInt64 {
        var bytes: UInt64 = 0
        for index in outcome.acked.indices {
            let packet = outcome.acked[index].packet
            guard packet.path == report.path, !packet.flags.contains(.applicationLimited),
                !state.isBeforeRecovery(packet.timeSent)
            else { continue }
            bytes += packet.bytesInFlight
        }
        return bytes
    }
}

// MARK: Events

extension CongestionController {
    /// A packet in flight of `bytes` leaves, with `bytesInFlight` under way before it.
    mutating func onSent(bytes: UInt64, bytesInFlight: UInt64, now: Instant) {
        state.onSent()
        if bytesInFlight == 0 { avoidance.noteIdle() }
    }

    /// `bytes` in flight were acknowledged, the newest of them sent at `sentTime` (RFC 9002 appendix B.5).
    mutating func onAcked(_ bytes: UInt64, sentTime: Instant, now: Instant, rtt: TimeSpan, appLimited: Bool) {
        // RFC 9002 section 7.3.2: no growth for what was sent before the window was reduced.
        if state.isBeforeRecovery(sentTime) { return }
        state.onAckedAfterRecoveryStart()
        // RFC 9002 section 7.8: a window that was not used proves nothing about more.
        if appLimited { return avoidance.pause() }
        if state.isInSlowStart { return state.growInSlowStart(bytes) }
        let size = state.maximumDatagramSize
        state.setWindow(
            avoidance.grow(state.window, acked: bytes, maximumDatagramSize: size, now: now, rtt: rtt))
    }

    /// An ACK frame of the application space brought a sample of the round-trip time (RFC 9406).
    mutating func onSlowStartSample(largestAcked: UInt64, largestSent: UInt64, rtt: TimeSpan) {
        if state.onSlowStartSample(largestAcked: largestAcked, largestSent: largestSent, rtt: rtt) {
            avoidance.onSlowStartExit(state.window)
        }
    }

    /// A packet in flight that was sent at `sentTime` was lost (RFC 9002 appendix B.6): at most one reduction
    /// for a round trip.
    mutating func onLost(sentTime: Instant, now: Instant) {
        if !state.isBeforeRecovery(sentTime) { reduce(now, isUndoable: true) }
        state.countLoss(sentTime)
    }

    /// The peer saw a mark of congestion; the newest packet it acknowledged with it was sent at `sentTime`
    /// (RFC 9002 section 7.1).
    mutating func onECNCongestion(sentTime: Instant, now: Instant) {
        if state.isBeforeRecovery(sentTime) {
            state.confirmReduction()
        } else {
            reduce(now, isUndoable: false)
        }
    }

    private mutating func reduce(_ now: Instant, isUndoable: Bool) {
        let reduced = avoidance.reduce(state.window)
        state.beginRecovery(now: now, window: reduced, isUndoable: isUndoable)
    }

    /// A packet that was declared lost arrived after all (RFC 9438 section 4.9.2).
    mutating func onSpuriousLoss(sentTime: Instant) {
        guard state.discountLoss(sentTime) else { return }
        state.undoReduction()
        avoidance.undoReduction()
    }

    /// RFC 9002 section 7.6.
    mutating func onPersistentCongestion() {
        state.collapse()
        avoidance.startOver()
    }

    /// The path carries datagrams of `mtu` bytes now.
    mutating func onMTUChanged(_ mtu: Int) { state.setMaximumDatagramSize(mtu) }

    /// Moves all instants by the length of a freeze.
    mutating func shift(by span: TimeSpan) {
        state.shift(by: span)
        avoidance.shift(by: span)
    }
}
