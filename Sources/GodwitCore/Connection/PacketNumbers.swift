import GodwitCrypto
import GodwitWire

/// Hands out the packet numbers of one space.
///
/// Now and then a number is left out: a peer that acknowledges it acknowledges packets it has not received, to
/// make us send faster than the network bears (RFC 9000 section 21.4).
struct PacketNumbers: Codable, Sendable {
    private(set) var next: UInt64
    private var nextSkip: UInt64

    init(next: UInt64 = 0) { (self.next, nextSkip) = (next, next) }

    /// Whether the numbers have come to their end, 2^62 - 1 (RFC 9000 section 12.3), but for what the longest train
    /// with gaps in it may take.
    var areUsedUp: Bool { next > VariableLengthInteger.max - 256 }

    /// The number for the next packet, which counts as given only when ``use()`` says so.
    mutating func prepare(_ random: inout RandomGenerator) -> UInt64 {
        if next >= nextSkip {
            if next > 0 { next += 1 }
            nextSkip = next + 64 + random.next() % 1024
        }
        return next
    }

    mutating func use() { next += 1 }

    /// Leaves out the next number, so that the packet after the gap is acknowledged at once (RFC 9000 section
    /// 13.2.1).
    mutating func skipOne() { next += 1 }

    /// Leaves out `count` numbers; those that were left out.
    mutating func skip(_ count: UInt64) -> Range<UInt64> {
        let first = next
        next += min(count, VariableLengthInteger.max - next)
        return first..<next
    }
}
