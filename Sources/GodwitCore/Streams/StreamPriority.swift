/// How a stream competes with the others for the connection (RFC 9000 section 2.3, in the terms of RFC 9218).
///
/// Streams of a lower urgency value go first. Within one urgency, incremental streams share the connection
/// packet by packet, and streams that are not incremental go one after the other in the order of their ids;
/// where there are both, every other packet is theirs.
///
/// The default is urgency 3 as in RFC 9218, but incremental: a plain user of the transport expects streams
/// not to wait for each other.
public struct StreamPriority: Hashable, Sendable, Codable {
    /// The least urgent level.
    public static let leastUrgent: UInt8 = 7

    /// 0 (first) to 7; larger values count as 7.
    public var urgency: UInt8
    /// Whether parts of the stream are of use before all of it is there.
    public var isIncremental: Bool

    /// A priority; urgency values above 7 are lowered to 7.
    public init(urgency: UInt8 = 3, isIncremental: Bool = true) {
        self.urgency = min(urgency, Self.leastUrgent)
        self.isIncremental = isIncremental
    }

    /// Urgency 3, incremental.
    public static let `default` = StreamPriority()
}
