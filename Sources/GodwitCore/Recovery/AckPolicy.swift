import GodwitWire

/// How often an endpoint acknowledges (RFC 9000 section 13.2.2).
struct AckPolicy: Codable, Sendable, Equatable {
    /// Ack-eliciting packets that bring about an ACK frame.
    var packetThreshold = 2
    /// The same on a flow that has shown to be a large one: every second packet would cost both ends more
    /// than the peer learns from it.
    var bulkPacketThreshold = 10
    /// How many ack-eliciting packets make a large flow. The peer's slow start wants every answer it can get.
    var bulkAfter: UInt64 = 100
    /// How many ack-eliciting packets are acknowledged at once on a path that is new to both ends.
    ///
    /// The peer starts there with the round trip of a full-sized probe at best. A delayed acknowledgement of
    /// something smaller comes back sooner, less its delay, than that probe did, so its delay counts as the
    /// path's (RFC 9002 section 5.3), and the next loss is noticed later by three times as much.
    var promptPackets = 8
    /// The max_ack_delay that this endpoint declared.
    var maximumDelay = TimeSpan.milliseconds(25)

    /// Initial and Handshake packets are acknowledged at once (RFC 9000 section 13.2.1).
    static let immediate = AckPolicy(packetThreshold: 1, bulkPacketThreshold: 1, maximumDelay: .zero)

    func isBulk(received: UInt64) -> Bool { received > bulkAfter }

    func threshold(received: UInt64) -> Int {
        isBulk(received: received) ? bulkPacketThreshold : packetThreshold
    }

    /// A quarter of a round trip is as long as a large flow waits for its packets to gather.
    func delay(received: UInt64, rtt: TimeSpan) -> TimeSpan {
        guard isBulk(received: received) else { return maximumDelay }
        return min(maximumDelay, max(rtt / 4, RTTEstimator.granularity))
    }
}
