import GodwitWire

/// Which congestion controller a connection's paths use.
public enum CongestionAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    /// The controller of RFC 9002 section 7.
    case newReno
    /// RFC 9438, the default.
    case cubic
}

/// The congestion controller of one path (RFC 9002 section 7).
///
/// A closed set of value types instead of a protocol value: the call per ACK frame is a switch, and the state
/// can be written to bytes. The bytes in flight are the path's (``BytesInFlight``).
enum CongestionController: Codable, Sendable, Equatable {
    case newReno(NewReno)
    case cubic(Cubic)

    /// What the controller is doing, for logs.
    enum Phase: String, Sendable, Codable {
        case slowStart, conservativeSlowStart, congestionAvoidance, recovery
    }

    init(algorithm: CongestionAlgorithm, mtu: Int) {
        switch algorithm {
        case .newReno: self = .newReno(NewReno(maximumDatagramSize: mtu))
        case .cubic: self = .cubic(Cubic(maximumDatagramSize: mtu))
        }
    }

    var algorithm: CongestionAlgorithm {
        switch self {
        case .newReno: .newReno
        case .cubic: .cubic
        }
    }

    private var state: CongestionState {
        switch self {
        case .newReno(let controller): controller.state
        case .cubic(let controller): controller.state
        }
    }

    /// How many bytes may be in flight.
    var window: UInt64 { state.window }

    /// How many bytes may leave now: the rest of the window, and one datagram beyond it when recovery begins
    /// (RFC 9002 section 7.3.2). Probes do not ask.
    func available(bytesInFlight: UInt64) -> UInt64 { state.available(bytesInFlight: bytesInFlight) }

    /// `UInt64.max` before the first slow start has ended.
    var slowStartThreshold: UInt64 { state.slowStartThreshold }
    var isInSlowStart: Bool { state.isInSlowStart }

    var phase: Phase {
        let state = state
        if state.isInRecovery { return .recovery }
        guard state.isInSlowStart else { return .congestionAvoidance }
        return state.isInInitialSlowStart && state.hyStart.isConservative
            ? .conservativeSlowStart : .slowStart
    }

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
        let state = state
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
        guard bytesInFlight == 0 || state.hasRecoveryCredit else { return }
        switch self {
        case .newReno(var controller):
            controller.state.onSent()
            self = .newReno(controller)
        case .cubic(var controller):
            controller.state.onSent()
            if bytesInFlight == 0 { controller.onIdle() }
            self = .cubic(controller)
        }
    }

    /// `bytes` in flight were acknowledged, the newest of them sent at `sentTime`.
    mutating func onAcked(_ bytes: UInt64, sentTime: Instant, now: Instant, rtt: TimeSpan, appLimited: Bool) {
        switch self {
        case .newReno(var controller):
            controller.onAcked(
                bytes, sentTime: sentTime, now: now, rtt: rtt, isApplicationLimited: appLimited)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.onAcked(
                bytes, sentTime: sentTime, now: now, rtt: rtt, isApplicationLimited: appLimited)
            self = .cubic(controller)
        }
    }

    /// An ACK frame of the application space brought a sample of the round-trip time (RFC 9406).
    mutating func onSlowStartSample(largestAcked: UInt64, largestSent: UInt64, rtt: TimeSpan) {
        guard state.isInInitialSlowStart else { return }
        switch self {
        case .newReno(var controller):
            controller.onSlowStartSample(largestAcked: largestAcked, largestSent: largestSent, rtt: rtt)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.onSlowStartSample(largestAcked: largestAcked, largestSent: largestSent, rtt: rtt)
            self = .cubic(controller)
        }
    }

    /// A packet in flight that was sent at `sentTime` was lost.
    mutating func onLost(sentTime: Instant, now: Instant) {
        switch self {
        case .newReno(var controller):
            controller.onLost(sentTime: sentTime, now: now)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.onLost(sentTime: sentTime, now: now)
            self = .cubic(controller)
        }
    }

    /// The peer saw a mark of congestion; the newest packet it acknowledged with it was sent at `sentTime`.
    mutating func onECNCongestion(sentTime: Instant, now: Instant) {
        switch self {
        case .newReno(var controller):
            controller.onECNCongestion(sentTime: sentTime, now: now)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.onECNCongestion(sentTime: sentTime, now: now)
            self = .cubic(controller)
        }
    }

    /// A packet that was declared lost arrived after all.
    mutating func onSpuriousLoss(sentTime: Instant) {
        switch self {
        case .newReno(var controller):
            controller.onSpuriousLoss(sentTime: sentTime)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.onSpuriousLoss(sentTime: sentTime)
            self = .cubic(controller)
        }
    }

    /// RFC 9002 section 7.6.
    mutating func onPersistentCongestion() {
        switch self {
        case .newReno(var controller):
            controller.onPersistentCongestion()
            self = .newReno(controller)
        case .cubic(var controller):
            controller.onPersistentCongestion()
            self = .cubic(controller)
        }
    }

    /// The path carries datagrams of `mtu` bytes now.
    mutating func onMTUChanged(_ mtu: Int) {
        switch self {
        case .newReno(var controller):
            controller.state.setMaximumDatagramSize(mtu)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.state.setMaximumDatagramSize(mtu)
            self = .cubic(controller)
        }
    }

    /// Moves all instants by the length of a freeze.
    mutating func shift(by span: TimeSpan) {
        switch self {
        case .newReno(var controller):
            controller.state.shift(by: span)
            self = .newReno(controller)
        case .cubic(var controller):
            controller.shift(by: span)
            self = .cubic(controller)
        }
    }
}
