import GodwitWire

/// What loss detection has to know about the connection and its active path.
///
/// The conductor makes one for every datagram or timeout; it is a handful of words.
struct LossContext: Sendable {
    /// The active path, which ``rtt`` belongs to.
    var path: PathID
    var rtt: RTTEstimator
    /// The peer's max_ack_delay.
    var maxAckDelay: TimeSpan
    var handshakeConfirmed: Bool
    /// True at a server; at a client, whether a Handshake packet was acknowledged or the handshake is
    /// confirmed (RFC 9002 appendix A.8).
    var peerCompletedAddressValidation: Bool
    var hasHandshakeKeys: Bool
    /// False while the anti-amplification limit is used up (RFC 9002 section 6.2.2.1).
    var canSend: Bool
    /// Whether the congestion window has no room for data.
    var isWindowUsedUp = false
}

/// Counts for logs and metrics.
struct LossStatistics: Codable, Sendable, Equatable {
    var packetsSent: UInt64 = 0
    var packetsAcked: UInt64 = 0
    var packetsLost: UInt64 = 0
    var spuriousLosses: UInt64 = 0
    var probeTimeouts: UInt64 = 0
    var persistentCongestions: UInt64 = 0
}

/// Finds out which packets arrived and which did not, and when to probe (RFC 9002 section 6).
///
/// It answers with an ``AckOutcome``; what becomes of the congestion windows, the estimators and the frames
/// is for others to apply.
struct LossDetection: Codable, Sendable {
    /// By the raw value of the packet number space.
    private var ledgers = LedgerTable()
    var threshold = ReorderingThreshold()
    var period = PersistentCongestionPeriod()
    /// How many probe timeouts went by without an acknowledgment.
    var ptoCount = 0
    /// When the anti-deadlock timer was last started over.
    var antiDeadlockStart = Instant.zero
    /// The end of the last freeze, or when the peer was first heard of after it. Until then packets may have gone
    /// where nothing lets them through: their loss says nothing about congestion, and time counts only from here.
    var resumedAt = Instant(nanoseconds: .min)
    var statistics = LossStatistics()

    init() {}

    subscript(space: PacketNumberSpace) -> PacketLedger {
        // Yields in place: a copy would count references to every queue of the ledger.
        @inline(__always) _read { yield ledgers.values[Int(space.rawValue)] }
        @inline(__always) _modify { yield &ledgers.values[Int(space.rawValue)] }
    }

    /// The largest number that the peer has acknowledged, which decides how packet numbers are shortened
    /// (RFC 9000 section 17.1).
    func largestAcknowledged(_ space: PacketNumberSpace) -> UInt64? { self[space].largestAcknowledged }

    func largestSent(_ space: PacketNumberSpace) -> UInt64? { self[space].largestSent }

    /// When the oldest packet was sent that awaits its acknowledgement; nil when none does.
    mutating func oldestAwaitedTime(_ space: PacketNumberSpace) -> Instant? {
        self[space].oldestAwaitedTime()
    }

    func hasAckElicitingInFlight(_ space: PacketNumberSpace) -> Bool { self[space].ackElicitingInFlight > 0 }

    /// Takes a packet in that is about to leave (RFC 9002 appendix A.5).
    ///
    /// Numbers only rise. Those that are left out count as never sent, and an acknowledgment of one ends the
    /// connection.
    mutating func onPacketSent(
        _ space: PacketNumberSpace, packetNumber: UInt64, _ packet: SentPacket,
        frames: borrowing SentFrameList
    ) {
        statistics.packetsSent += 1
        if packet.isAckEliciting { antiDeadlockStart = packet.timeSent }
        self[space].append(packetNumber, packet, frames)
    }
}

// MARK: Acknowledgment

extension LossDetection {
    /// Applies an ACK frame (RFC 9002 appendix A.7).
    ///
    /// - Parameter ackDelay: the frame's ACK Delay, decoded.
    /// - Throws: PROTOCOL_VIOLATION when the frame acknowledges a packet that was never sent
    ///   (RFC 9000 section 13.1).
    mutating func receiveAck(
        _ ack: AckFrame, space: PacketNumberSpace, ackDelay: TimeSpan, now: Instant, context: LossContext,
        into outcome: inout AckOutcome
    ) throws(TransportError) {
        outcome.begin(space: space, largestSent: largestSent(space) ?? 0)
        let isNewLargest = try settleAcknowledged(ack, space, context, now, into: &outcome)
        statistics.spuriousLosses += UInt64(outcome.spurious.count)
        if outcome.acked.isEmpty { return }
        statistics.packetsAcked += UInt64(outcome.acked.count)
        outcome.rttSample = sampleRTT(ack, ackDelay, now, outcome)
        if isNewLargest {
            outcome.ecn = self[space].assessECN(ack.ecn, ackedMarkedPackets: outcome.ackedMarkedPackets)
        }
        detectLosses(space, now, context, into: &outcome)
        onProgress(space, now, context)
    }

    /// Says whether the frame raises the largest acknowledged number.
    private mutating func settleAcknowledged(
        _ ack: AckFrame, _ space: PacketNumberSpace, _ context: LossContext, _ now: Instant,
        into outcome: inout AckOutcome
    ) throws(TransportError) -> Bool {
        guard let largestSent = largestSent(space), ack.largestAcknowledged <= largestSent else {
            throw TransportError(
                .protocolViolation, "acknowledged a packet that was never sent", frameType: FrameType.ack)
        }
        let retention = context.rtt.persistentCongestionDuration(maxAckDelay: context.maxAckDelay)
        self[space].forgetLost(declaredBefore: now - retention)
        let isNewLargest = self[space].raiseLargestAcknowledged(to: ack.largestAcknowledged)
        try settleRanges(ack, space, into: &outcome)
        return isNewLargest
    }

    private mutating func settleRanges(
        _ ack: AckFrame, _ space: PacketNumberSpace, into outcome: inout AckOutcome
    ) throws(TransportError) {
        var threshold = self.threshold
        var cursor = self[space].ackCursor()
        for range in ack.ranges {
            if range.largest < cursor.smallestOfInterest { break }
            try self[space].checkSkipped(range.smallest, range.largest, &cursor)
            self[space].acknowledge(range.smallest, range.largest, into: &outcome)
            self[space].acknowledgeLost(
                range.smallest, range.largest, &cursor, &threshold, into: &outcome)
        }
        self.threshold = threshold
    }

    /// RFC 9002 section 5.1: only when the frame's largest number is new and something in it asked for an
    /// acknowledgment. A packet from before a freeze would measure the freeze.
    private func sampleRTT(
        _ ack: AckFrame, _ ackDelay: TimeSpan, _ now: Instant, _ outcome: borrowing AckOutcome
    ) -> RTTSample? {
        guard outcome.includesAckEliciting, let largest = outcome.largestAcked,
            largest.number == ack.largestAcknowledged, !largest.packet.flags.contains(.beforeResume)
        else { return nil }
        // RFC 9002 section 5.3: Initial packets are not delayed by the peer.
        let delay = outcome.space == .initial ? .zero : max(ackDelay, .zero)
        return RTTSample(
            path: largest.packet.path, rtt: max(now - largest.packet.timeSent, .zero), ackDelay: delay)
    }

    /// RFC 9002 section 6.2.1: the backoff ends, except at a client that gets an Initial packet acknowledged
    /// while the server may still be unable to answer.
    private mutating func onProgress(_ space: PacketNumberSpace, _ now: Instant, _ context: LossContext) {
        antiDeadlockStart = now
        if context.peerCompletedAddressValidation || space != .initial { ptoCount = 0 }
    }

    /// Looks for losses in one space, by the freshest round-trip time.
    mutating func detectLosses(
        _ space: PacketNumberSpace, _ now: Instant, _ context: LossContext, into outcome: inout AckOutcome
    ) {
        let rule = lossRule(now, context, outcome.rttSample)
        var period = self.period
        self[space].detectLosses(rule, &period, into: &outcome)
        self.period = period
        statistics.packetsLost += UInt64(outcome.lost.count)
        for path in outcome.paths where path.persistentCongestion { statistics.persistentCongestions += 1 }
    }

    private func lossRule(_ now: Instant, _ context: LossContext, _ sample: RTTSample?) -> LossRule {
        var rtt = context.rtt
        let firstSampleTime = rtt.firstSampleTime
        if let sample, sample.path == context.path {
            rtt.addSample(sample, now: now, context: context)
        }
        return LossRule(
            now: now, path: context.path, packetThreshold: threshold.packets, delay: threshold.delay(rtt),
            resumedAt: resumedAt, firstSampleTime: firstSampleTime,
            persistentCongestionDuration: rtt.persistentCongestionDuration(maxAckDelay: context.maxAckDelay))
    }
}

/// The three ledgers as an array, whose elements can be changed in place by index.
private struct LedgerTable: Codable, Sendable {
    var values: ContiguousArray<PacketLedger> = [PacketLedger(), PacketLedger(), PacketLedger()]

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        values = try container.decode(ContiguousArray<PacketLedger>.self)
        guard values.count == PacketNumberSpace.allCases.count else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not three spaces")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

extension RTTEstimator {
    /// Takes a sample in that an ``AckOutcome`` reports for this estimator's path.
    mutating func addSample(_ sample: RTTSample, now: Instant, context: LossContext) {
        addSample(
            sample.rtt, ackDelay: sample.ackDelay, now: now, handshakeConfirmed: context.handshakeConfirmed,
            maxAckDelay: context.maxAckDelay)
    }
}
