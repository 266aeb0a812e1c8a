import GodwitWire

/// What one ACK frame, timeout or withdrawal established.
///
/// One value is reused for all of them, so that its arrays stop allocating after the first few.
struct AckOutcome: Sendable {
    private(set) var space = PacketNumberSpace.initial
    /// The largest packet number sent in the space so far; slow start counts its rounds by it.
    private(set) var largestSent: UInt64 = 0

    /// Newly acknowledged packets, ascending within each range of the ACK frame.
    private(set) var acked: ContiguousArray<SettledPacket> = []
    /// Packets that will not arrive, ascending. Whether that is a sign of congestion is up to ``paths``.
    private(set) var lost: ContiguousArray<SettledPacket> = []
    private(set) var ackedFrames: SentFrameList = []
    private(set) var lostFrames: SentFrameList = []
    /// Packets that had been declared lost for nothing.
    private(set) var spurious: ContiguousArray<SpuriousLoss> = []
    /// The same by path. A path that is not concerned has no entry.
    private(set) var paths: ContiguousArray<PathOutcome> = []

    /// The newly acknowledged packet with the largest number.
    private(set) var largestAcked: SettledPacket?
    private(set) var includesAckEliciting = false
    /// How many of the newly acknowledged packets were marked ECT(0), on all paths together.
    private(set) var ackedMarkedPackets: UInt64 = 0
    var rttSample: RTTSample?
    var ecn = ECNFeedback.absent

    /// Empties the outcome and keeps its memory.
    mutating func begin(space: PacketNumberSpace, largestSent: UInt64) {
        self.space = space
        self.largestSent = largestSent
        acked.removeAll(keepingCapacity: true)
        lost.removeAll(keepingCapacity: true)
        ackedFrames.removeAll(keepingCapacity: true)
        lostFrames.removeAll(keepingCapacity: true)
        spurious.removeAll(keepingCapacity: true)
        paths.removeAll(keepingCapacity: true)
        largestAcked = nil
        includesAckEliciting = false
        ackedMarkedPackets = 0
        rttSample = nil
        ecn = .absent
    }

    func outcome(of path: PathID) -> PathOutcome? { paths.first { $0.path == path } }
}

// What the ledgers report.
extension AckOutcome {
    mutating func addAcked(_ number: UInt64, _ packet: SentPacket) {
        let settled = SettledPacket(number: number, packet: packet)
        acked.append(settled)
        if number >= largestAcked?.number ?? 0 { largestAcked = settled }
        if packet.isAckEliciting { includesAckEliciting = true }
        let index = indexOfPath(packet.path)
        paths[index].ackedBytes += packet.bytesInFlight
        paths[index].releasedBytes += packet.bytesInFlight
        if packet.flags.contains(.ecnMarked) {
            ackedMarkedPackets += 1
            paths[index].ackedMarkedPackets += 1
        }
        paths[index].newestAckedTime = max(paths[index].newestAckedTime ?? packet.timeSent, packet.timeSent)
    }

    /// - Parameter isTelling: whether it is a sign of congestion.
    mutating func addLost(_ number: UInt64, _ packet: SentPacket, isTelling: Bool) {
        addAbandoned(number, packet)
        let index = indexOfPath(packet.path)
        if packet.flags.contains(.ecnMarked) { paths[index].lostMarkedPackets += 1 }
        if isTelling { paths[index].congestionLosses += 1 }
    }

    /// A packet that was given up without a sign of congestion.
    mutating func addAbandoned(_ number: UInt64, _ packet: SentPacket) {
        lost.append(SettledPacket(number: number, packet: packet))
        addDiscarded(packet)
    }

    /// A packet whose fate no longer matters, apart from the room it takes in flight.
    mutating func addDiscarded(_ packet: SentPacket) {
        if packet.isInFlight { paths[indexOfPath(packet.path)].releasedBytes += packet.bytesInFlight }
    }

    mutating func addAckedFrame(_ frame: SentFrame) { ackedFrames.append(frame) }
    mutating func addLostFrame(_ frame: SentFrame) { lostFrames.append(frame) }

    mutating func addSpurious(_ loss: SpuriousLoss) {
        spurious.append(loss)
        // Its path has something to take back even when nothing was released.
        _ = indexOfPath(loss.path)
    }

    mutating func setPersistentCongestion(on path: PathID) {
        paths[indexOfPath(path)].persistentCongestion = true
    }

    /// There is hardly ever more than one path, so a walk beats any table.
    private mutating func indexOfPath(_ path: PathID) -> Int {
        for index in paths.indices where paths[index].path == path { return index }
        paths.append(PathOutcome(path: path))
        return paths.count - 1
    }
}

/// What an ``AckOutcome`` means for one path.
struct PathOutcome: Sendable, Equatable {
    var path: PathID
    /// What to take off the bytes in flight: acknowledged, lost, abandoned and discarded packets.
    var releasedBytes: UInt64 = 0
    var ackedBytes: UInt64 = 0
    /// Lost packets that are a sign of congestion.
    var congestionLosses = 0
    var persistentCongestion = false
    var ackedMarkedPackets: UInt64 = 0
    var lostMarkedPackets: UInt64 = 0
    /// When the newest of the newly acknowledged packets was sent.
    var newestAckedTime: Instant?
}

/// A sample of the round-trip time, for the estimator of its path (RFC 9002 section 5.1).
struct RTTSample: Sendable, Equatable {
    var path: PathID
    var rtt: TimeSpan
    var ackDelay: TimeSpan
}

/// A packet that was acknowledged after it had been declared lost.
struct SpuriousLoss: Sendable, Equatable {
    var number: UInt64
    var path: PathID
    var timeSent: Instant
}

/// What the ECN counts of an ACK frame say (RFC 9000 section 13.4.2.1).
enum ECNFeedback: Sendable, Equatable {
    /// The frame does not raise the largest acknowledged number, or no marked packet is concerned.
    case absent
    /// The counts are missing or cannot be true.
    case invalid
    /// By how much the counts rose.
    case increase(ECNCounts)
}
