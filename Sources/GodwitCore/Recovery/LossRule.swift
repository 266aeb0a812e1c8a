import GodwitWire

/// How far packets may be reordered before they count as lost (RFC 9002 section 6.1).
///
/// Both thresholds start at the recommended values and rise, within bounds, when a loss turns out to have
/// been reordering.
struct ReorderingThreshold: Codable, Sendable, Equatable {
    /// A path that reorders more than this gets spurious retransmissions; waiting longer would delay every
    /// real loss.
    static let maximumPackets: UInt64 = 32
    static let maximumEighths: Int64 = 12

    var isAdaptive = true
    /// kPacketThreshold.
    private(set) var packets: UInt64 = 3
    /// kTimeThreshold, in eighths of the round-trip time.
    private(set) var eighths: Int64 = 9

    /// `distance` is how far the late packet lay below the largest acknowledged one.
    mutating func onSpuriousLoss(declaredByTime: Bool, distance: UInt64) {
        guard isAdaptive else { return }
        if declaredByTime {
            eighths = min(eighths + 1, Self.maximumEighths)
        } else {
            packets = max(packets, min(distance + 1, Self.maximumPackets))
        }
    }

    func delay(_ rtt: RTTEstimator) -> TimeSpan {
        max(max(rtt.smoothed, rtt.latest) * eighths / 8, RTTEstimator.granularity)
    }
}

/// The measures by which one pass over the sent packets tells which are lost.
struct LossRule {
    var now: Instant
    /// The path that the round-trip time was measured on.
    var path: PathID
    var packetThreshold: UInt64
    var delay: TimeSpan
    /// The end of the last freeze: time before it does not count toward ``delay``, and what was sent before it
    /// says nothing about congestion.
    var resumedAt: Instant
    /// Nil before the path has a sample of the round-trip time.
    var firstSampleTime: Instant?
    var persistentCongestionDuration: TimeSpan

    /// When a packet that was overtaken counts as lost.
    func lossTime(_ packet: SentPacket) -> Instant { max(packet.timeSent, resumedAt) + delay }

    /// Whether the loss of the packet is a sign of congestion.
    func isTelling(_ packet: SentPacket) -> Bool {
        packet.isInFlight && !packet.isMTUProbe && !packet.flags.contains(.aside)
            && packet.timeSent >= resumedAt
    }

    func isLostByNumber(_ number: UInt64, largestAcknowledged: UInt64) -> Bool {
        largestAcknowledged - number >= packetThreshold
    }
}

/// The stretch of time over which everything sent on a path was lost (RFC 9002 section 7.6.2).
///
/// Packets are shown to it in the order in which they were sent. The three packet number spaces share it;
/// what another space has acknowledged is remembered only as the latest send time, which RFC 9002 allows.
struct PersistentCongestionPeriod: Codable, Sendable, Equatable {
    private var path: PathID?
    private var start: Instant?
    private var lastAcknowledged: Instant?

    mutating func onAcknowledged(_ packet: SentPacket, _ rule: LossRule) {
        guard packet.path == rule.path else { return }
        if path != rule.path { self = PersistentCongestionPeriod(path: rule.path) }
        start = nil
        lastAcknowledged = max(lastAcknowledged ?? packet.timeSent, packet.timeSent)
    }

    /// Takes in a lost packet and says whether the period has become long enough.
    mutating func onLost(_ packet: SentPacket, _ rule: LossRule) -> Bool {
        guard packet.path == rule.path, counts(packet, rule) else { return false }
        if path != rule.path { self = PersistentCongestionPeriod(path: rule.path) }
        guard let start, !wasInterrupted(from: start, to: packet.timeSent) else {
            start = packet.timeSent
            return false
        }
        guard packet.timeSent - start > rule.persistentCongestionDuration else { return false }
        self.start = nil
        return true
    }

    /// Nothing before the first sample or before a freeze counts; neither do probes of the datagram size,
    /// which say nothing about congestion.
    private func counts(_ packet: SentPacket, _ rule: LossRule) -> Bool {
        guard let firstSample = rule.firstSampleTime, packet.timeSent > firstSample else { return false }
        return packet.isAwaited && rule.isTelling(packet) && !packet.flags.contains(.beforeResume)
    }

    private func wasInterrupted(from start: Instant, to end: Instant) -> Bool {
        guard let lastAcknowledged else { return false }
        return start < lastAcknowledged && lastAcknowledged < end
    }

    init(path: PathID? = nil) { self.path = path }
}
