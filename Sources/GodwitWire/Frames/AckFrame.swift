/// The three ECN counts of an ACK frame (RFC 9000 section 19.3.2).
@frozen
public struct ECNCounts: Hashable, Sendable, Codable {
    public var ect0: UInt64
    public var ect1: UInt64
    public var congestionExperienced: UInt64

    @inlinable
    public init(ect0: UInt64 = 0, ect1: UInt64 = 0, congestionExperienced: UInt64 = 0) {
        self.ect0 = ect0
        self.ect1 = ect1
        self.congestionExperienced = congestionExperienced
    }

    public static let zero = ECNCounts()
}

/// An ACK frame whose ranges are read from the packet as they are walked (RFC 9000 section 19.3).
///
/// Decoding has already checked that no range reaches below packet number 0, so walking never fails.
@frozen
public struct AckFrame {
    public var largestAcknowledged: UInt64
    /// As sent: to be multiplied by 2 to the power of the sender's `ack_delay_exponent`, in microseconds.
    public var encodedDelay: UInt64
    public var ecn: ECNCounts?
    /// How many ranges there are, the first included.
    public var rangeCount: Int
    @usableFromInline var firstRangeLength: UInt64
    /// The pairs of Gap and ACK Range Length behind the first range.
    @usableFromInline var encodedRanges: UnsafeRawBufferPointer
}
