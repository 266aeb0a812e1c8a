import GodwitWire

/// What loss detection and congestion control need to know about a packet that was sent
/// (RFC 9002 appendix A.1.1).
struct SentPacket: Codable, Sendable, Equatable {
    struct Flags: OptionSet, Codable, Sendable, Hashable {
        var rawValue: UInt8

        static let ackEliciting = Flags(rawValue: 1 << 0)
        /// Counts toward the bytes in flight: it is ack-eliciting or carries PADDING.
        static let inFlight = Flags(rawValue: 1 << 1)
        /// A probe of a larger datagram size, whose loss says nothing about congestion
        /// (RFC 9000 section 14.4).
        static let mtuProbe = Flags(rawValue: 1 << 2)
        /// Went out in a datagram marked ECT(0).
        static let ecnMarked = Flags(rawValue: 1 << 3)
        /// Sent while the window was not used up, so that its acknowledgment must not open it further.
        static let applicationLimited = Flags(rawValue: 1 << 4)
        /// A 0-RTT packet.
        static let earlyData = Flags(rawValue: 1 << 5)
        /// Sent before the connection was frozen, so that the time since says nothing about the path.
        static let beforeResume = Flags(rawValue: 1 << 6)
        /// A challenge to an address where perhaps nobody is, or the answer to one: it is repeated by who wants it
        /// answered, so it arms no probe timeout unless it keeps data back, and its loss says nothing about
        /// congestion.
        static let aside = Flags(rawValue: 1 << 7)
    }

    var timeSent: Instant
    var path: PathID
    /// The size of the packet in bytes, with its header and AEAD tag, without UDP and IP headers.
    var size: UInt16
    var flags: Flags

    var isAckEliciting: Bool { flags.contains(.ackEliciting) }
    /// Whether the lack of its acknowledgement is a reason to probe.
    var isAwaited: Bool { isAckEliciting && !flags.contains(.aside) }
    var isInFlight: Bool { flags.contains(.inFlight) }
    var isMTUProbe: Bool { flags.contains(.mtuProbe) }
    var bytesInFlight: UInt64 { isInFlight ? UInt64(size) : 0 }
}

/// A packet whose fate became known, with its number.
struct SettledPacket: Sendable, Equatable {
    var number: UInt64
    var packet: SentPacket
}

/// The bytes in flight on one path (RFC 9002 appendix B.2).
struct BytesInFlight: Codable, Sendable, Equatable {
    private(set) var count: UInt64 = 0

    mutating func add(_ packet: SentPacket) { count += packet.bytesInFlight }

    /// Takes off what an ``AckOutcome`` settled on this path.
    ///
    /// Saturates: a path that was reset while packets of it were in flight starts again at 0.
    mutating func release(_ bytes: UInt64) { count -= min(bytes, count) }
}
