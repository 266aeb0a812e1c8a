import GodwitWire

/// The packets sent in one packet number space whose fate is open, in the order of their numbers.
///
/// Losses are declared in that order too, so the oldest entry that is neither acknowledged nor lost is never
/// further behind the largest acknowledged number than the reordering threshold. Everything older leaves the
/// queue, and work per ACK frame is what it newly acknowledges, plus its ranges.
struct PacketLedger: Codable, Sendable {
    /// Packets of ACK frames alone are acknowledged only by chance. More than this are not remembered, so
    /// that a peer that sends and never acknowledges cannot make the queue grow.
    static let limitNotInFlight = 256

    enum State: UInt8, Codable, Sendable {
        case outstanding
        case acknowledged
        case lost
        /// Given up without a sign of congestion.
        case abandoned
    }

    struct Entry: Codable, Sendable {
        var number: UInt64
        var packet: SentPacket
        var state: State
        var recordCount: UInt16
        var firstRecord: UInt64
    }

    private(set) var entries = IndexedRing<Entry>()
    private(set) var records = IndexedRing<SentFrame>()
    private(set) var largestSent: UInt64?
    private(set) var largestAcknowledged: UInt64?
    /// When the next overtaken packet counts as lost.
    private(set) var lossTime: Instant?
    private(set) var lastAckElicitingTime: Instant?
    /// When the last packet was sent that counts as in flight and arms no probe timeout.
    private(set) var lastAsideTime: Instant?
    private(set) var ackElicitingInFlight = 0
    /// No packet with a lower number awaits its acknowledgement.
    private var firstAwaited: UInt64 = 0
    private var notInFlight = 0
    private var skipped = SkippedNumbers()
    private var lostPackets = LostPacketMemory()
    private(set) var reportedECN = ECNCounts.zero
    private(set) var markedPacketsSent: UInt64 = 0

    mutating func append(_ number: UInt64, _ packet: SentPacket, _ frames: borrowing SentFrameList) {
        noteSkippedNumbers(before: number)
        largestSent = number
        if packet.flags.contains(.ecnMarked) { markedPacketsSent += 1 }
        if packet.isAwaited {
            lastAckElicitingTime = packet.timeSent
            if ackElicitingInFlight == 0 { firstAwaited = number }
            ackElicitingInFlight += 1
        } else if packet.isInFlight {
            lastAsideTime = packet.timeSent
        }
        if !packet.isInFlight, !makeRoomForPacketNotInFlight() { return }
        let firstRecord = records.endIndex
        for index in 0..<frames.count { records.append(frames[index]) }
        entries.append(
            Entry(
                number: number, packet: packet, state: .outstanding, recordCount: UInt16(frames.count),
                firstRecord: firstRecord))
    }

    private mutating func noteSkippedNumbers(before number: UInt64) {
        let expected = largestSent.map { $0 + 1 } ?? 0
        precondition(number >= expected, "packet numbers only rise")
        // More than the memory holds would only push each other out.
        let first = max(expected, number - min(number, UInt64(SkippedNumbers.limit)))
        for skippedNumber in first..<number { skipped.insert(skippedNumber) }
    }

    private mutating func makeRoomForPacketNotInFlight() -> Bool {
        if notInFlight == Self.limitNotInFlight {
            guard let oldest = entries.first, !oldest.packet.isInFlight else { return false }
            removeFirst()
        }
        notInFlight += 1
        return true
    }

    /// Frees what the oldest entry holds.
    private mutating func removeFirst() {
        let entry = entries.removeFirst()
        if !entry.packet.isInFlight { notInFlight -= 1 }
        records.removeAll(below: entry.firstRecord + UInt64(entry.recordCount))
    }

    /// When the oldest packet was sent that awaits its acknowledgement; nil when none does.
    ///
    /// Remembers how far it looked, so that asking again costs nothing.
    mutating func oldestAwaitedTime() -> Instant? {
        guard ackElicitingInFlight > 0 else { return nil }
        var index = firstIndex(atOrAbove: firstAwaited)
        while index < entries.endIndex {
            let entry = entries[index]
            if entry.state == .outstanding, entry.packet.isAwaited {
                firstAwaited = entry.number
                return entry.packet.timeSent
            }
            index += 1
        }
        return nil
    }

    /// Takes an entry out of the count of open ones.
    private mutating func settle(_ index: UInt64, _ state: State) {
        entries[index].state = state
        if entries[index].packet.isAwaited { ackElicitingInFlight -= 1 }
    }
}

// MARK: Acknowledgment

extension PacketLedger {
    /// Where in the memories of special numbers the walk over the ranges of an ACK frame stands.
    struct AckCursor {
        var skipped: Int
        var lost: UInt64
        /// Ranges below this concern nothing that is still known.
        var smallestOfInterest: UInt64
    }

    func ackCursor() -> AckCursor {
        var smallest = entries.first?.number ?? .max
        if let number = skipped.smallest { smallest = min(smallest, number) }
        if let number = lostPackets.smallest { smallest = min(smallest, number) }
        return AckCursor(skipped: skipped.count, lost: lostPackets.cursor, smallestOfInterest: smallest)
    }

    /// RFC 9000 section 21.4: numbers that were left out on purpose catch a peer that acknowledges what it
    /// has not received.
    func checkSkipped(
        _ smallest: UInt64, _ largest: UInt64, _ cursor: inout AckCursor
    ) throws(TransportError) {
        if skipped.intersects(smallest, largest, cursor: &cursor.skipped) {
            throw TransportError(
                .protocolViolation, "acknowledged a packet that was never sent", frameType: FrameType.ack)
        }
    }

    /// Settles every open packet with a number from `smallest` to `largest`.
    mutating func acknowledge(_ smallest: UInt64, _ largest: UInt64, into outcome: inout AckOutcome) {
        var index = firstIndex(atOrAbove: smallest)
        while index < entries.endIndex, entries[index].number <= largest {
            if entries[index].state == .outstanding { acknowledge(index, into: &outcome) }
            index += 1
        }
    }

    private mutating func acknowledge(_ index: UInt64, into outcome: inout AckOutcome) {
        settle(index, .acknowledged)
        let entry = entries[index]
        outcome.addAcked(entry.number, entry.packet)
        for record in entry.firstRecord..<entry.firstRecord + UInt64(entry.recordCount) {
            outcome.addAckedFrame(records[record])
        }
    }

    /// The index of the first entry whose number is not below `number`.
    ///
    /// Numbers rise by at least 1 an entry, which bounds the place from both sides; without gaps the bounds
    /// meet and nothing is searched.
    private func firstIndex(atOrAbove number: UInt64) -> UInt64 {
        guard let first = entries.first, number > first.number else { return entries.startIndex }
        let last = entries[entries.endIndex - 1].number
        guard number <= last else { return entries.endIndex }
        var high = min(entries.startIndex + (number - first.number), entries.endIndex - 1)
        let distance = last - number
        var low = entries.startIndex
        if distance < UInt64(entries.count) { low = max(low, entries.endIndex - 1 - distance) }
        while low < high {
            let middle = low + (high - low) / 2
            if entries[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Reports packets of the range that had been declared lost, and lets the thresholds learn from them.
    mutating func acknowledgeLost(
        _ smallest: UInt64, _ largest: UInt64, _ cursor: inout AckCursor,
        _ threshold: inout ReorderingThreshold, into outcome: inout AckOutcome
    ) {
        let largestAcknowledged = self.largestAcknowledged ?? 0
        lostPackets.acknowledge(smallest, largest, cursor: &cursor.lost) { entry in
            outcome.addSpurious(
                SpuriousLoss(number: entry.number, path: entry.path, timeSent: entry.timeSent))
            threshold.onSpuriousLoss(
                declaredByTime: entry.wasDeclaredByTime, distance: largestAcknowledged - entry.number)
        }
    }

    mutating func forgetLost(declaredBefore time: Instant) { lostPackets.forget(declaredBefore: time) }

    /// Says whether the number is above all that were acknowledged before.
    mutating func raiseLargestAcknowledged(to number: UInt64) -> Bool {
        if let largestAcknowledged, largestAcknowledged >= number { return false }
        largestAcknowledged = number
        return true
    }

    /// Judges the ECN counts of an ACK frame that raises the largest acknowledged number
    /// (RFC 9000 section 13.4.2.1).
    mutating func assessECN(_ counts: ECNCounts?, ackedMarkedPackets: UInt64) -> ECNFeedback {
        guard let counts else { return ackedMarkedPackets > 0 ? .invalid : .absent }
        guard counts.ect0 >= reportedECN.ect0, counts.ect1 >= reportedECN.ect1,
            counts.congestionExperienced >= reportedECN.congestionExperienced
        else { return .invalid }
        let increase = ECNCounts(
            ect0: counts.ect0 - reportedECN.ect0, ect1: counts.ect1 - reportedECN.ect1,
            congestionExperienced: counts.congestionExperienced - reportedECN.congestionExperienced)
        reportedECN = counts
        // ECT(1) is never set here, and no more packets can arrive marked than were sent so.
        let isPossible =
            counts.ect1 == 0 && counts.ect0 + counts.congestionExperienced <= markedPacketsSent
        // Fewer than the marked packets of the frame: some node clears the marks.
        let isComplete = increase.ect0 + increase.congestionExperienced >= ackedMarkedPackets
        return isPossible && isComplete ? .increase(increase) : .invalid
    }
}

// MARK: Loss

extension PacketLedger {
    /// Declares lost what was overtaken too long ago (RFC 9002 section 6.1 and appendix A.10), and lets go of
    /// the oldest entries as far as they are settled.
    mutating func detectLosses(
        _ rule: LossRule, _ period: inout PersistentCongestionPeriod, into outcome: inout AckOutcome
    ) {
        lossTime = nil
        var index = entries.startIndex
        while index < entries.endIndex, lossTime == nil, examine(index, rule, &period, into: &outcome) {
            index += 1
        }
    }

    /// Judges one entry. False when nothing behind it can be lost or let go of.
    private mutating func examine(
        _ index: UInt64, _ rule: LossRule, _ period: inout PersistentCongestionPeriod,
        into outcome: inout AckOutcome
    ) -> Bool {
        if entries[index].state == .outstanding {
            guard isOvertaken(entries[index]) else { return false }
            guard declareLost(index, rule, into: &outcome) else { return true }
        }
        guard index == entries.startIndex else { return isOvertaken(entries[index]) }
        release(rule, &period, into: &outcome)
        return true
    }

    private func isOvertaken(_ entry: Entry) -> Bool {
        guard let largestAcknowledged else { return false }
        return entry.number < largestAcknowledged
    }

    /// Declares one overtaken packet lost if it is; otherwise it sets the time when it will be.
    private mutating func declareLost(_ index: UInt64, _ rule: LossRule, into outcome: inout AckOutcome)
        -> Bool
    {
        let entry = entries[index]
        let isByNumber = rule.isLostByNumber(entry.number, largestAcknowledged: largestAcknowledged ?? 0)
        let time = rule.lossTime(entry.packet)
        guard isByNumber || time <= rule.now else {
            // Nobody waits for a packet of ACK frames alone, so it is not worth a timer.
            if entry.packet.isInFlight { lossTime = time }
            return false
        }
        settle(index, .lost)
        guard entry.packet.isInFlight else { return true }
        outcome.addLost(entry.number, entry.packet, isTelling: rule.isTelling(entry.packet))
        reportLostFrames(entry, into: &outcome)
        lostPackets.insert(
            LostPacketMemory.Entry(
                number: entry.number, path: entry.packet.path, timeSent: entry.packet.timeSent,
                timeDeclared: rule.now, wasDeclaredByTime: !isByNumber))
        return true
    }

    private func reportLostFrames(_ entry: Entry, into outcome: inout AckOutcome) {
        for record in entry.firstRecord..<entry.firstRecord + UInt64(entry.recordCount) {
            outcome.addLostFrame(records[record])
        }
    }

    /// Lets go of the oldest entry. Entries leave in the order in which they were sent, which is what
    /// persistent congestion is about.
    private mutating func release(
        _ rule: LossRule, _ period: inout PersistentCongestionPeriod, into outcome: inout AckOutcome
    ) {
        let packet = entries[entries.startIndex].packet
        switch entries[entries.startIndex].state {
        case .acknowledged: period.onAcknowledged(packet, rule)
        case .lost: if period.onLost(packet, rule) { outcome.setPersistentCongestion(on: packet.path) }
        case .outstanding, .abandoned: break
        }
        removeFirst()
    }
}

// MARK: Withdrawal

extension PacketLedger {
    /// Gives up every open packet that `isAffected` names: its frames are reported for retransmission,
    /// without a sign of congestion.
    mutating func abandon(
        into outcome: inout AckOutcome, where isAffected: (SentPacket) -> Bool
    ) {
        for index in entries.startIndex..<entries.endIndex {
            let entry = entries[index]
            guard entry.state == .outstanding, isAffected(entry.packet) else { continue }
            settle(index, .abandoned)
            guard entry.packet.isInFlight else { continue }
            outcome.addAbandoned(entry.number, entry.packet)
            reportLostFrames(entry, into: &outcome)
        }
        releaseAbandoned()
    }

    /// A loss timer may stay behind for a packet that was given up: it finds nothing and is set anew.
    private mutating func releaseAbandoned() {
        while let first = entries.first, first.state == .abandoned { removeFirst() }
        if ackElicitingInFlight == 0 { lossTime = nil }
    }

    /// Drops everything and its memory: the keys of the space are gone.
    mutating func discard(into outcome: inout AckOutcome) {
        for index in entries.startIndex..<entries.endIndex where entries[index].state == .outstanding {
            outcome.addDiscarded(entries[index].packet)
        }
        entries.removeAll()
        records.removeAll()
        lostPackets.removeAll()
        ackElicitingInFlight = 0
        notInFlight = 0
        lossTime = nil
        (lastAckElicitingTime, lastAsideTime) = (nil, nil)
    }

    /// The records of the oldest `limit` open packets that carry any.
    func oldestOutstandingFrames(limit: Int, into frames: inout SentFrameList) {
        var left = limit
        for index in entries.startIndex..<entries.endIndex {
            if left == 0 { return }
            let entry = entries[index]
            guard entry.state == .outstanding, entry.packet.isAckEliciting, entry.recordCount > 0 else {
                continue
            }
            left -= 1
            for record in entry.firstRecord..<entry.firstRecord + UInt64(entry.recordCount) {
                frames.append(records[record])
            }
        }
    }

    /// Moves all instants by the length of a freeze and marks what was sent before it.
    mutating func resume(shiftedBy span: TimeSpan) {
        for index in entries.startIndex..<entries.endIndex {
            entries[index].packet.timeSent += span
            entries[index].packet.flags.insert(.beforeResume)
        }
        lossTime = lossTime.map { $0 + span }
        lastAckElicitingTime = lastAckElicitingTime.map { $0 + span }
        lastAsideTime = lastAsideTime.map { $0 + span }
        // A late acknowledgment would no longer tell reordering from the freeze.
        lostPackets.removeAll()
    }

    /// Gives back the memory of queues that are empty, and forgets losses: nothing late comes any more.
    ///
    /// When nothing is in flight, what is left are packets of ACK frames alone, the last things sent in most
    /// conversations; nobody waits to hear of them.
    mutating func releaseUnusedStorage() {
        lostPackets.releaseStorage()
        if notInFlight == entries.count { while !entries.isEmpty { removeFirst() } }
        if entries.isEmpty { entries.removeAll() }
        if records.isEmpty { records.removeAll() }
    }
}
