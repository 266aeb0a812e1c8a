extension AckFrame {
    /// 0x03 with ECN counts, else 0x02.
    @inlinable
    public var type: UInt64 { ecn == nil ? FrameType.ack : FrameType.ackECN }

    /// How many bytes ``encode(into:)`` writes.
    @inlinable
    public var encodedSize: Int {
        var size = AckFrame.headerSize(
            first: firstRange, encodedDelay: encodedDelay, additionalRanges: rangeCount - 1)
        var (walk, smallest) = (ranges, firstRange.smallest)
        _ = walk.next()
        while let range = walk.next() {
            size += AckFrame.rangeSize(range, below: smallest)
            smallest = range.smallest
        }
        return size + (ecn?.encodedSize ?? 0)
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    @inlinable
    public func encode(into writer: inout ByteWriter) {
        AckFrame.encodeHeader(
            first: firstRange, encodedDelay: encodedDelay, additionalRanges: rangeCount - 1,
            hasECN: ecn != nil, into: &writer)
        var (walk, smallest) = (ranges, firstRange.smallest)
        _ = walk.next()
        while let range = walk.next() {
            AckFrame.encodeRange(range, below: smallest, into: &writer)
            smallest = range.smallest
        }
        ecn?.encode(into: &writer)
    }
}

/// The parts of an ACK frame, for senders that hold their ranges in a form of their own.
extension AckFrame {
    /// How many bytes all fields up to the first range take.
    @inlinable
    public static func headerSize(first: AckRange, encodedDelay: UInt64, additionalRanges: Int) -> Int {
        1 + VariableLengthInteger.size(first.largest) + VariableLengthInteger.size(encodedDelay)
            + VariableLengthInteger.size(UInt64(additionalRanges))
            + VariableLengthInteger.size(first.largest - first.smallest)
    }

    /// Writes all fields up to the first range. `additionalRanges` more ranges have to follow, newest first,
    /// and then the counts when `hasECN`.
    @inlinable
    public static func encodeHeader(
        first: AckRange, encodedDelay: UInt64, additionalRanges: Int, hasECN: Bool,
        into writer: inout ByteWriter
    ) {
        writer.writeVarint(hasECN ? FrameType.ackECN : FrameType.ack)
        writer.writeVarint(first.largest)
        writer.writeVarint(encodedDelay)
        writer.writeVarint(UInt64(additionalRanges))
        writer.writeVarint(first.largest - first.smallest)
    }

    /// How many bytes a range takes that follows one which begins at `smallest`. At least one packet number
    /// lies between the two.
    @inlinable
    public static func rangeSize(_ range: AckRange, below smallest: UInt64) -> Int {
        VariableLengthInteger.size(smallest - range.largest - 2)
            + VariableLengthInteger.size(range.largest - range.smallest)
    }

    /// Writes a range that follows one which begins at `smallest`. At least one packet number lies between
    /// the two.
    @inlinable
    public static func encodeRange(_ range: AckRange, below smallest: UInt64, into writer: inout ByteWriter) {
        writer.writeVarint(smallest - range.largest - 2)
        writer.writeVarint(range.largest - range.smallest)
    }

    /// Calls `body` with a frame that acknowledges `ranges`: newest first, not touching, at least one.
    ///
    /// A frame is a view of bytes; this lets tests and tools have one without a packet around it.
    public static func withRanges<R>(
        _ ranges: [ClosedRange<UInt64>], encodedDelay: UInt64 = 0, ecn: ECNCounts? = nil,
        _ body: (AckFrame) throws -> R
    ) rethrows -> R {
        try withUnsafeTemporaryAllocation(byteCount: 64 + 16 * ranges.count, alignment: 1) { buffer in
            var writer = ByteWriter(buffer)
            let parts = ranges.map { AckRange(smallest: $0.lowerBound, largest: $0.upperBound) }
            for (index, part) in parts.enumerated().dropFirst() {
                encodeRange(part, below: parts[index - 1].smallest, into: &writer)
            }
            var frame = AckFrame(
                largestAcknowledged: parts[0].largest, encodedDelay: encodedDelay, rangeCount: parts.count,
                firstRangeLength: parts[0].largest - parts[0].smallest,
                encodedRanges: UnsafeRawBufferPointer(writer.written))
            frame.ecn = ecn
            return try body(frame)
        }
    }
}

extension ECNCounts {
    /// How many bytes ``encode(into:)`` writes.
    @inlinable
    public var encodedSize: Int {
        VariableLengthInteger.size(ect0) + VariableLengthInteger.size(ect1)
            + VariableLengthInteger.size(congestionExperienced)
    }

    /// Writes the counts as they stand at the end of an ACK frame.
    @inlinable
    public func encode(into writer: inout ByteWriter) {
        writer.writeVarint(ect0)
        writer.writeVarint(ect1)
        writer.writeVarint(congestionExperienced)
    }
}
