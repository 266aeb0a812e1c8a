extension AckFrame {
    /// Checks every range once, so that walking them later need not.
    @inlinable
    static func decode(type: UInt64, from reader: inout ByteReader) throws(TransportError) -> AckFrame {
        let largest = try reader.varint(of: type)
        let delay = try reader.varint(of: type)
        let count = try reader.varint(of: type)
        let firstLength = try reader.varint(of: type)
        guard firstLength <= largest else { throw .negativeAckRange(type: type) }
        var frame = AckFrame(
            largestAcknowledged: largest, encodedDelay: delay, rangeCount: Int(count) + 1,
            firstRangeLength: firstLength,
            encodedRanges: try passRanges(count, below: largest - firstLength, type: type, in: &reader))
        if type == FrameType.ackECN { frame.ecn = try ECNCounts.decode(from: &reader) }
        return frame
    }

    @inlinable
    static func passRanges(
        _ count: UInt64, below smallest: UInt64, type: UInt64, in reader: inout ByteReader
    ) throws(TransportError) -> UnsafeRawBufferPointer {
        let all = reader.rest
        var (smallest, left) = (smallest, count)
        while left > 0 {
            guard let range = reader.readAckRange(below: smallest) else {
                throw .negativeAckRange(type: type)
            }
            smallest = range.smallest
            left -= 1
        }
        return UnsafeRawBufferPointer(start: all.baseAddress, count: all.count - reader.remaining)
    }
}

extension ECNCounts {
    @inlinable
    static func decode(from reader: inout ByteReader) throws(TransportError) -> ECNCounts {
        let ect0 = try reader.varint(of: FrameType.ackECN)
        let ect1 = try reader.varint(of: FrameType.ackECN)
        let congestionExperienced = try reader.varint(of: FrameType.ackECN)
        return ECNCounts(ect0: ect0, ect1: ect1, congestionExperienced: congestionExperienced)
    }
}

extension TransportError {
    @usableFromInline
    @inline(never)
    static func negativeAckRange(type: UInt64) -> TransportError {
        malformedFrame("an ACK range is cut off or reaches below packet number 0", type: type)
    }
}
