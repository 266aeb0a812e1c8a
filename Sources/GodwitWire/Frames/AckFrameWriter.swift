/// Writes an ACK frame in one pass when the number of ranges that fit is not known beforehand.
///
/// ```swift
/// guard var ack = AckFrameWriter(first: newest, encodedDelay: delay, ecn: counts, into: &writer)
/// else { return }
/// for range in older where !ack.append(range, into: &writer) { break }
/// ack.finish(into: &writer)
/// ```
@frozen
public struct AckFrameWriter {
    @usableFromInline let countOffset: Int
    @usableFromInline let ecn: ECNCounts?
    @usableFromInline var smallest: UInt64
    @usableFromInline var additionalRanges: UInt8 = 0

    /// How many ranges go into one frame: the count behind the first is kept to a byte, so that it can be
    /// filled in at the end.
    @inlinable
    public static var maxRanges: Int { 64 }

    /// Begins a frame; nil, with nothing written, when it would not fit even with one range.
    @inlinable
    public init?(first: AckRange, encodedDelay: UInt64, ecn: ECNCounts?, into writer: inout ByteWriter) {
        let tail = ecn?.encodedSize ?? 0
        let size = AckFrame.headerSize(first: first, encodedDelay: encodedDelay, additionalRanges: 0)
        guard size + tail <= writer.remaining else { return nil }
        AckFrame.encodeHeader(
            first: first, encodedDelay: encodedDelay, additionalRanges: 0, hasECN: ecn != nil, into: &writer)
        self.countOffset = writer.count - VariableLengthInteger.size(first.largest - first.smallest) - 1
        self.ecn = ecn
        self.smallest = first.smallest
    }

    /// Adds the next older range, which does not touch the one before; false, with nothing written, when it
    /// does not fit.
    @inlinable
    public mutating func append(_ range: AckRange, into writer: inout ByteWriter) -> Bool {
        let size = AckFrame.rangeSize(range, below: smallest)
        guard additionalRanges < AckFrameWriter.maxRanges - 1,
            size + (ecn?.encodedSize ?? 0) <= writer.remaining
        else { return false }
        AckFrame.encodeRange(range, below: smallest, into: &writer)
        smallest = range.smallest
        additionalRanges += 1
        return true
    }

    /// Ends the frame.
    @inlinable
    public consuming func finish(into writer: inout ByteWriter) {
        writer.patchUInt8(additionalRanges, at: countOffset)
        ecn?.encode(into: &writer)
    }
}
