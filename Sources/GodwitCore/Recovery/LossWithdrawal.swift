import GodwitWire

// Packets whose fate is decided by something else than acknowledgments.
extension LossDetection {
    /// Forgets a space whose keys are gone (RFC 9002 section 6.4). The outcome says by path how many bytes
    /// are no longer in flight; their frames are of no more use.
    mutating func discard(_ space: PacketNumberSpace, now: Instant, into outcome: inout AckOutcome) {
        outcome.begin(space: space, largestSent: largestSent(space) ?? 0)
        self[space].discard(into: &outcome)
        // RFC 9002 section 6.2.2: discarded keys are progress, so the timers start over.
        ptoCount = 0
        antiDeadlockStart = now
    }

    /// Gives up the packets of a path that is no longer used. Their frames are to be sent again; nobody's
    /// congestion window shrinks for it.
    ///
    /// One space at a time, because a `crypto` record is understood only with its space. Paths change after
    /// the handshake, when the application space is the only one left.
    mutating func declareLost(
        path: PathID, space: PacketNumberSpace = .application, into outcome: inout AckOutcome
    ) {
        outcome.begin(space: space, largestSent: largestSent(space) ?? 0)
        self[space].abandon(into: &outcome) { $0.path == path }
    }

    /// Gives up what was sent up to a moment, on whatever path: the peer has said what it has got of it. Nobody's
    /// congestion window shrinks for it.
    mutating func declareLost(sentUpTo time: Instant, into outcome: inout AckOutcome) {
        outcome.begin(space: .application, largestSent: largestSent(.application) ?? 0)
        self[.application].abandon(into: &outcome) { $0.timeSent <= time }
    }

    /// Gives up the 0-RTT packets that the server refused to read (RFC 9002 section 6.4).
    mutating func rejectEarlyData(into outcome: inout AckOutcome) {
        outcome.begin(space: .application, largestSent: largestSent(.application) ?? 0)
        self[.application].abandon(into: &outcome) { $0.flags.contains(.earlyData) }
    }

    /// Gives up what was sent before a Retry: Initial packets must, and 0-RTT packets should be sent again
    /// (RFC 9000 section 17.2.5.3), under numbers that go on, and recovery starts over (RFC 9002 section
    /// 6.3).
    ///
    /// The outcome's frames are those of Initial packets only; ``rejectEarlyData(into:)`` is for the rest.
    mutating func retransmitInitial(now: Instant, into outcome: inout AckOutcome) {
        outcome.begin(space: .initial, largestSent: largestSent(.initial) ?? 0)
        self[.initial].abandon(into: &outcome) { _ in true }
        ptoCount = 0
        antiDeadlockStart = now
    }

    /// Copies the records of the oldest `limit` packets that still await their acknowledgment, so that a
    /// probe carries something worth having (RFC 9002 section 6.2.4).
    func oldestUnacknowledgedFrames(
        _ space: PacketNumberSpace, limit: Int, into frames: inout SentFrameList
    ) {
        self[space].oldestOutstandingFrames(limit: limit, into: &frames)
    }

    /// Goes on after a freeze that ended at `now` and by whose length all instants move.
    ///
    /// The probe count starts over. Whatever was sent before gives no sample of the round-trip time and
    /// begins no persistent congestion, and it counts as lost by time only from now on.
    mutating func resume(at now: Instant, shiftedBy span: TimeSpan) {
        for space in PacketNumberSpace.allCases { self[space].resume(shiftedBy: span) }
        ptoCount = 0
        antiDeadlockStart += span
        resumedAt = now
        period = PersistentCongestionPeriod()
    }

    /// Gives back memory of an idle connection.
    mutating func releaseUnusedStorage() {
        for space in PacketNumberSpace.allCases { self[space].releaseUnusedStorage() }
    }
}
