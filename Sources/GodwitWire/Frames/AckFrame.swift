/// The three ECN counts of an ACK frame (RFC 9000 section 19.3.2).
@frozen
public struct ECNCounts: Hashable, Sendable, Codable {
    /// How many packets came marked ECT(0).
    public var ect0: UInt64
    /// How many packets came marked ECT(1).
    public var ect1: UInt64
    /// How many packets came marked ECN-CE.
    public var congestionExperienced: UInt64

    /// Counts as given, 0 where not.
    @inlinable
    public init(ect0: UInt64 = 0, ect1: UInt64 = 0, congestionExperienced: UInt64 = 0) {
        self.ect0 = ect0
        self.ect1 = ect1
        self.congestionExperienced = congestionExperienced
    }

    /// No packet with any mark.
    @inlinable
    public static var zero: ECNCounts { ECNCounts() }
}

/// A run of packet numbers, both ends included.
@frozen
public struct AckRange: Hashable, Sendable, Codable {
    /// The lowest packet number.
    public var smallest: UInt64
    /// The highest packet number, not below ``smallest``.
    public var largest: UInt64

    /// The packet numbers from `smallest` to `largest`.
    @inlinable
    public init(smallest: UInt64, largest: UInt64) {
        self.smallest = smallest
        self.largest = largest
    }

    /// How many packet numbers there are.
    @inlinable
    public var count: UInt64 { largest - smallest + 1 }
    /// Whether `packetNumber` is one of them.
    @inlinable
    public func contains(_ packetNumber: UInt64) -> Bool {
        smallest <= packetNumber && packetNumber <= largest
    }
}

/// An ACK frame whose ranges are read from the packet as they are walked (RFC 9000 section 19.3).
///
/// Decoding has already checked that no range reaches below packet number 0, so walking never fails.
@frozen
public struct AckFrame {
    /// The highest packet number that the frame acknowledges.
    public var largestAcknowledged: UInt64
    /// As sent: to be multiplied by 2 to the power of the sender's `ack_delay_exponent`, in microseconds.
    public var encodedDelay: UInt64
    /// The sender's ECN counts, nil when the frame is of the type that has none.
    public var ecn: ECNCounts?
    /// How many ranges there are, the first included.
    public var rangeCount: Int
    @usableFromInline var firstRangeLength: UInt64
    /// The pairs of Gap and ACK Range Length behind the first range.
    @usableFromInline var encodedRanges: UnsafeRawBufferPointer

    @inlinable
    init(
        largestAcknowledged: UInt64, encodedDelay: UInt64, rangeCount: Int, firstRangeLength: UInt64,
        encodedRanges: UnsafeRawBufferPointer
    ) {
        self.largestAcknowledged = largestAcknowledged
        self.encodedDelay = encodedDelay
        self.ecn = nil
        self.rangeCount = rangeCount
        self.firstRangeLength = firstRangeLength
        self.encodedRanges = encodedRanges
    }

    /// The ranges, newest first. No two touch or overlap.
    @inlinable
    public var ranges: AckRanges { AckRanges(self) }

    /// The range with the highest packet numbers.
    @inlinable
    public var firstRange: AckRange {
        AckRange(smallest: largestAcknowledged - firstRangeLength, largest: largestAcknowledged)
    }

    /// The delay in microseconds under the sender's `ack_delay_exponent` (0 to 20), saturating.
    @inlinable
    public func delay(exponent: UInt64) -> TimeSpan {
        let (factor, limit) = (UInt64(1) << min(exponent, 20), UInt64(Int64.max))
        let (microseconds, overflow) = encodedDelay.multipliedReportingOverflow(by: factor)
        return .microseconds(Int64(overflow ? limit : min(microseconds, limit)))
    }
}

/// The ranges of an ACK frame, newest first, decoded as they are walked.
@frozen
public struct AckRanges: Sequence, IteratorProtocol {
    @usableFromInline var reader: ByteReader
    @usableFromInline var following: AckRange?

    @inlinable
    init(_ frame: AckFrame) {
        self.reader = ByteReader(frame.encodedRanges)
        self.following = frame.firstRange
    }

    /// The next range, nil behind the last.
    @inlinable
    public mutating func next() -> AckRange? {
        guard let current = following else { return nil }
        following = reader.readAckRange(below: current.smallest)
        return current
    }
}

extension ByteReader {
    /// Reads a Gap and an ACK Range Length (RFC 9000 section 19.3.1); nil when either is cut off or the range
    /// would reach below packet number 0.
    @inlinable
    mutating func readAckRange(below smallest: UInt64) -> AckRange? {
        guard let gap = readVarint(), let length = readVarint(), gap + 2 <= smallest else { return nil }
        let largest = smallest - gap - 2
        guard length <= largest else { return nil }
        return AckRange(smallest: largest - length, largest: largest)
    }
}
