import GodwitWire

/// What the loss detection timer is armed for (RFC 9002 appendix A.8).
enum LossTimer: Sendable, Equatable {
    /// An overtaken packet of the space counts as lost then.
    case loss(PacketNumberSpace)
    /// A probe is due in the space.
    case probe(PacketNumberSpace)
}

/// What to do now that the loss detection timer went off (RFC 9002 appendix A.9).
enum LossTimeoutAction: Sendable, Equatable {
    /// It was not due yet.
    case none
    /// The outcome says what was lost.
    case declareLost
    /// Send up to `count` ack-eliciting datagrams, at least one of them, past the congestion window
    /// (RFC 9002 section 7.5).
    case sendProbes(PacketNumberSpace, count: Int)
}

extension LossDetection {
    /// Doubling stops here: a thousand times the first timeout is beyond any idle timeout on a path of
    /// ordinary delay, and on a very short one it keeps probing a black hole every few seconds.
    static let maximumBackoff = 10

    /// When the timer is to go off, and what for. Nil when nothing is awaited.
    func deadline(_ context: LossContext) -> (time: Instant, timer: LossTimer)? {
        // RFC 9002 section 6.2.1: no probe timeout while a loss is about to be declared by time.
        if let loss = earliestLossTime() { return (loss.time, .loss(loss.space)) }
        guard context.canSend, let probe = probeTime(context) else { return nil }
        return (probe.time, .probe(probe.space))
    }

    /// To be called when the deadline has come; early calls do nothing.
    mutating func onTimeout(
        now: Instant, _ context: LossContext, into outcome: inout AckOutcome
    ) -> LossTimeoutAction {
        guard let (time, timer) = deadline(context), time <= now else {
            outcome.begin(space: .application, largestSent: 0)
            return .none
        }
        switch timer {
        case .loss(let space):
            outcome.begin(space: space, largestSent: largestSent(space) ?? 0)
            detectLosses(space, now, context, into: &outcome)
            return .declareLost
        case .probe(let space):
            outcome.begin(space: space, largestSent: largestSent(space) ?? 0)
            return probe(space, now)
        }
    }

    private mutating func probe(_ space: PacketNumberSpace, _ now: Instant) -> LossTimeoutAction {
        ptoCount += 1
        antiDeadlockStart = now
        statistics.probeTimeouts += 1
        // RFC 9002 section 6.2.4: two, so that one more loss does not cost a doubled timeout. With nothing in
        // flight the point is only to unblock the server.
        return .sendProbes(space, count: hasAckElicitingInFlight(space) ? 2 : 1)
    }

    private func earliestLossTime() -> (time: Instant, space: PacketNumberSpace)? {
        var earliest: (time: Instant, space: PacketNumberSpace)?
        consider(.initial, self[.initial].lossTime, &earliest)
        consider(.handshake, self[.handshake].lossTime, &earliest)
        consider(.application, self[.application].lossTime, &earliest)
        return earliest
    }

    private func consider(
        _ space: PacketNumberSpace, _ time: Instant?,
        _ earliest: inout (time: Instant, space: PacketNumberSpace)?
    ) {
        guard let time else { return }
        if let found = earliest, found.time <= time { return }
        earliest = (time, space)
    }

    private func probeTime(_ context: LossContext) -> (time: Instant, space: PacketNumberSpace)? {
        var earliest: (time: Instant, space: PacketNumberSpace)?
        // RFC 9002 section 6.2.1: peers do not delay acknowledgments of Initial and Handshake packets.
        let interval = backedOff(context.rtt.ptoInterval(maxAckDelay: .zero))
        consider(.initial, probeTime(.initial, interval), &earliest)
        consider(.handshake, probeTime(.handshake, interval), &earliest)
        // RFC 9002 section 6.2.1: not before the peer is known to be able to read and acknowledge 1-RTT
        // packets.
        if context.handshakeConfirmed {
            let interval = backedOff(context.rtt.ptoInterval(maxAckDelay: context.maxAckDelay))
            consider(
                .application, probeTime(.application, interval) ?? unblockingTime(interval, context),
                &earliest)
        }
        return earliest ?? antiDeadlockTime(interval, context)
    }

    private func probeTime(_ space: PacketNumberSpace, _ interval: TimeSpan) -> Instant? {
        guard hasAckElicitingInFlight(space) else { return nil }
        return self[space].lastAckElicitingTime.map { $0 + interval }
    }

    /// Answers to challenges can fill the window, and nobody misses those that are lost: data that waits for room
    /// would wait for ever.
    private func unblockingTime(_ interval: TimeSpan, _ context: LossContext) -> Instant? {
        guard context.isWindowUsedUp else { return nil }
        return self[.application].lastAsideTime.map { $0 + interval }
    }

    /// RFC 9002 section 6.2.2.1: a client with nothing in flight keeps the timer while the server may be
    /// waiting for permission to send.
    private func antiDeadlockTime(
        _ interval: TimeSpan, _ context: LossContext
    ) -> (time: Instant, space: PacketNumberSpace)? {
        if context.peerCompletedAddressValidation { return nil }
        return (antiDeadlockStart + interval, context.hasHandshakeKeys ? .handshake : .initial)
    }

    private func backedOff(_ interval: TimeSpan) -> TimeSpan {
        interval * (1 << Int64(min(ptoCount, Self.maximumBackoff)))
    }
}
