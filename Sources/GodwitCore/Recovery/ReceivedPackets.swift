import GodwitWire

/// The packets received in one packet number space, and what is to be acknowledged of them
/// (RFC 9000 section 13.2).
///
/// What every packet asks is inlined: a call that does not mutate would copy the whole of it first.
struct ReceivedPackets: Codable, Sendable {
    /// How many ranges are remembered. The smallest give way; whatever lies below them counts as a duplicate.
    static let maximumRanges = 64
    /// So many ranges in every frame are worth a PING.
    static let rangesToElicit = 8

    private var ranges = OffsetRanges()
    /// Numbers below this are no longer told from duplicates (RFC 9000 section 13.2.3).
    private var floor: UInt64 = 0
    /// Ranges below this are known to the peer as acknowledged.
    private var reportFloor: UInt64 = 0
    private var largestTime = Instant.zero
    private var largestAckEliciting: UInt64?
    private(set) var ecn = ECNCounts.zero

    private var policy: AckPolicy
    private var ackElicitingReceived: UInt64 = 0
    /// Ack-eliciting packets since the last ACK frame.
    private var ackElicitingPending = 0
    private var isUrgent = false
    /// Ack-eliciting packets still to be acknowledged at once, because the path is new.
    private var promptRemaining = 0
    private var deadline: Instant?
    private var lastElicitation: Instant?

    /// - Parameter policy: for the application space; the others acknowledge at once.
    init(space: PacketNumberSpace, policy: AckPolicy = AckPolicy()) {
        self.policy = space == .application ? policy : .immediate
    }

    /// The largest number received, from which shortened ones are restored (RFC 9000 section 17.1).
    @inline(__always) var largest: UInt64? { ranges.last.map { $0.upperBound - 1 } }
    /// How many ranges are remembered; never more than ``maximumRanges``.
    var rangeCount: Int { ranges.count }
    /// Whether a packet that leaves anyway should take an ACK frame along.
    var hasAckToSend: Bool { ackElicitingPending > 0 }
    /// How many ack-eliciting packets the next ACK frame acknowledges that none before it did.
    @inline(__always) var unacknowledgedCount: Int { ackElicitingPending }
    /// When an ACK frame has to leave at the latest.
    var ackDeadline: Instant? { hasAckToSend ? deadline : nil }

    /// Whether an ACK frame has to leave now, even in a packet of its own.
    ///
    /// Never in answer to packets that do not elicit one, or two endpoints would acknowledge each other's
    /// acknowledgments for ever (RFC 9000 section 13.2.1).
    func shouldAckNow(_ now: Instant) -> Bool {
        guard hasAckToSend else { return false }
        if isUrgent || ackElicitingPending >= policy.threshold(received: ackElicitingReceived) { return true }
        return deadline.map { $0 <= now } ?? false
    }

    /// Whether a packet of an ACK frame alone should carry a PING, so that the peer's answer lets ranges be
    /// forgotten: when many have gathered, or when it is wanted for another reason, and at most once for a round trip
    /// (RFC 9000 section 13.2.4).
    mutating func shouldElicitAck(now: Instant, rtt: TimeSpan, isWanted: Bool = false) -> Bool {
        guard isWanted || hasManyRanges else { return false }
        if let lastElicitation, now - lastElicitation < max(rtt, RTTEstimator.granularity) { return false }
        lastElicitation = now
        return true
    }

    private var hasManyRanges: Bool {
        let oldest = ranges.count - Self.rangesToElicit
        return oldest >= 0 && ranges.ranges[oldest].upperBound > reportFloor
    }

    /// To be asked before a packet's frames are processed.
    @inline(__always)
    func isDuplicate(_ packetNumber: UInt64) -> Bool {
        guard let last = ranges.last else { return packetNumber < floor }
        if packetNumber >= last.upperBound { return false }
        return packetNumber < floor || ranges.contains(packetNumber)
    }

    /// Takes in a packet whose frames were processed. False, and without effect, for a duplicate.
    ///
    /// - Parameter rtt: the smoothed round-trip time, by whose quarters large flows are acknowledged.
    @discardableResult
    mutating func receive(
        _ packetNumber: UInt64, ackEliciting: Bool, ecn codepoint: ECNCodepoint, now: Instant, rtt: TimeSpan
    ) -> Bool {
        if isDuplicate(packetNumber) { return false }
        if ackEliciting { noteAckEliciting(packetNumber, codepoint, now, rtt) }
        if largest.map({ packetNumber > $0 }) ?? true { largestTime = now }
        ranges.insert(packetNumber..<packetNumber + 1)
        if ranges.count > Self.maximumRanges { floor = ranges.removeFirst().upperBound }
        // A gap that is filled late has to be reported even though its surroundings were.
        reportFloor = min(reportFloor, packetNumber)
        count(codepoint)
        return true
    }

    private mutating func noteAckEliciting(
        _ packetNumber: UInt64, _ codepoint: ECNCodepoint, _ now: Instant, _ rtt: TimeSpan
    ) {
        ackElicitingReceived += 1
        ackElicitingPending += 1
        if isOutOfOrder(packetNumber) || codepoint == .congestionExperienced { isUrgent = true }
        if promptRemaining > 0 { (isUrgent, promptRemaining) = (true, promptRemaining - 1) }
        largestAckEliciting = max(largestAckEliciting ?? packetNumber, packetNumber)
        deadline = deadline ?? now + policy.delay(received: ackElicitingReceived, rtt: rtt)
    }

    /// RFC 9000 section 13.2.1: below another ack-eliciting packet, or above all of them with something
    /// missing in between.
    @inline(__always)
    private func isOutOfOrder(_ packetNumber: UInt64) -> Bool {
        guard let largestAckEliciting else { return false }
        if packetNumber < largestAckEliciting { return true }
        return !ranges.contains(largestAckEliciting..<packetNumber)
    }

    /// RFC 9000 section 13.4.1: only packets that were processed, each on its own.
    private mutating func count(_ codepoint: ECNCodepoint) {
        switch codepoint {
        case .notECT: break
        case .ect0: ecn.ect0 += 1
        case .ect1: ecn.ect1 += 1
        case .congestionExperienced: ecn.congestionExperienced += 1
        }
    }

    /// What comes from now on takes a path of which neither end knows much yet.
    mutating func onNewPath() {
        promptRemaining = policy.promptPackets
        // The packet that led here waits for no other.
        if promptRemaining > 0, hasAckToSend { isUrgent = true }
    }

    /// The peer knows of everything up to `largest`, because it acknowledged an ACK frame that said so
    /// (RFC 9000 section 13.2.4).
    mutating func onAckAcknowledged(_ largest: UInt64) { reportFloor = max(reportFloor, largest + 1) }

    /// Moves all instants by the length of a freeze.
    mutating func shift(by span: TimeSpan) {
        largestTime += span
        deadline = deadline.map { $0 + span }
        lastElicitation = lastElicitation.map { $0 + span }
    }
}

// MARK: The ACK frame

extension ReceivedPackets {
    /// Writes an ACK frame with as many ranges as fit, newest first (RFC 9000 section 19.3).
    ///
    /// - Parameter exponent: the ack_delay_exponent of this endpoint; 3 before the handshake is done.
    /// - Returns: the largest number acknowledged, or nil when there is nothing to write or no room.
    mutating func encodeAck(into writer: inout ByteWriter, now: Instant, exponent: UInt8) -> UInt64? {
        guard let newest = range(0) else { return nil }
        let counts = ecn == .zero ? nil : ecn
        let delay = encodedDelay(now, exponent)
        guard var frame = AckFrameWriter(first: newest, encodedDelay: delay, ecn: counts, into: &writer)
        else { return nil }
        var distance = 1
        while let older = range(distance), older.largest >= reportFloor, frame.append(older, into: &writer) {
            distance += 1
        }
        frame.finish(into: &writer)
        onAckSent()
        return newest.largest
    }

    /// In the unit of the ACK Delay field. The clock may have been set back between the two instants.
    private func encodedDelay(_ now: Instant, _ exponent: UInt8) -> UInt64 {
        UInt64(max(now - largestTime, .zero).microseconds) >> UInt64(exponent)
    }

    /// The range at a distance from the newest.
    private func range(_ distance: Int) -> AckRange? {
        let index = ranges.count - 1 - distance
        guard index >= 0 else { return nil }
        return AckRange(
            smallest: ranges.ranges[index].lowerBound, largest: ranges.ranges[index].upperBound - 1)
    }

    private mutating func onAckSent() {
        ackElicitingPending = 0
        isUrgent = false
        deadline = nil
    }
}
