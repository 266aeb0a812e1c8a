/// What was written to a stream and is not yet known to have arrived.
///
/// Offsets fall in four parts: acknowledged (below ``acknowledgedOffset``), sent at least once (below
/// ``nextOffset``), written but never sent (below ``endOffset``), and to come. Of what was sent, some may
/// have been acknowledged ahead of the rest and some may have been lost; lost ranges are what is sent next.
struct SendBuffer: Sendable {
    private var ring = ByteRing()
    /// Everything below was acknowledged and is no longer held.
    private(set) var acknowledgedOffset: UInt64 = 0
    /// The first offset that was never sent.
    private(set) var nextOffset: UInt64 = 0
    /// The offset behind the last byte written.
    private(set) var endOffset: UInt64 = 0
    /// Acknowledged ahead of ``acknowledgedOffset``.
    private var acknowledged = OffsetRanges()
    private var lost = OffsetRanges()

    var unsentCount: Int { Int(endOffset - nextOffset) }
    var heldCount: Int { Int(endOffset - acknowledgedOffset) }
    var isFullyAcknowledged: Bool { acknowledgedOffset == endOffset }
    var hasLost: Bool { !lost.isEmpty }
    /// The range to send again first.
    var firstLost: Range<UInt64>? { lost.first }
    /// How many separate ranges the peer has acknowledged ahead of a gap. It is the peer that decides this.
    var islandCount: Int { acknowledged.count }
    var capacity: Int { ring.capacity }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        ring.reserve(heldCount + bytes.count, keeping: acknowledgedOffset..<endOffset, and: OffsetRanges())
        ring.write(bytes, at: endOffset)
        endOffset += UInt64(bytes.count)
    }

    /// Copies held bytes into a packet.
    func copy(to destination: UnsafeMutableRawBufferPointer, from offset: UInt64) {
        ring.read(into: destination, at: offset)
    }

    /// New bytes up to `offset` went out.
    mutating func noteSent(upTo offset: UInt64) {
        precondition(offset >= nextOffset && offset <= endOffset)
        nextOffset = offset
    }

    /// The front of the first lost range went out again.
    mutating func noteResent(upTo offset: UInt64) {
        guard let first = lost.first else { return }
        if offset >= first.upperBound {
            lost.removeFirst()
        } else {
            lost.removeAll(below: offset)
        }
    }

    mutating func acknowledge(_ offset: UInt64, length: UInt32) {
        let (sum, overflow) = offset.addingReportingOverflow(UInt64(length))
        let end = overflow ? nextOffset : min(sum, nextOffset)
        guard end > acknowledgedOffset, end > offset else { return }
        if !lost.isEmpty { lost.remove(offset..<end) }
        if offset > acknowledgedOffset {
            acknowledged.insert(offset..<end)
        } else {
            advanceAcknowledged(to: end)
        }
    }

    private mutating func advanceAcknowledged(to offset: UInt64) {
        acknowledgedOffset = offset
        while let first = acknowledged.first, first.lowerBound <= acknowledgedOffset {
            acknowledgedOffset = max(acknowledgedOffset, first.upperBound)
            acknowledged.removeFirst()
        }
        if acknowledgedOffset == endOffset { ring.noteDrained() }
    }

    /// A packet with this range was lost: whatever of it no other packet has delivered is to be sent again.
    mutating func markLost(_ offset: UInt64, length: UInt32) {
        let (sum, overflow) = offset.addingReportingOverflow(UInt64(length))
        let start = max(offset, acknowledgedOffset)
        let end = overflow ? nextOffset : min(sum, nextOffset)
        guard start < end else { return }
        if acknowledged.isEmpty {
            lost.insert(start..<end)
        } else {
            acknowledged.forEachGap(in: start..<end) { lost.insert($0) }
        }
    }

    /// Sends everything unacknowledged again, in the order of the stream.
    mutating func markAllLost() {
        lost.removeAll()
        acknowledged.forEachGap(in: acknowledgedOffset..<nextOffset) { lost.insert($0) }
    }

    /// Takes every byte back to unsent. False when some were acknowledged and are gone.
    mutating func rewind() -> Bool {
        guard acknowledgedOffset == 0, acknowledged.isEmpty else { return false }
        nextOffset = 0
        lost.removeAll()
        return true
    }

    /// Drops what is held. The offsets stay: ``nextOffset`` is the final size of a stream that is reset.
    mutating func discard() {
        acknowledged.removeAll()
        lost.removeAll()
        acknowledgedOffset = nextOffset
        endOffset = nextOffset
        ring.releaseStorage()
    }

    /// Starts over for another stream.
    mutating func recycle(capacityLimit: Int) {
        (acknowledgedOffset, nextOffset, endOffset) = (0, 0, 0)
        acknowledged.removeAll()
        lost.removeAll()
        ring.recycle(capacityLimit: capacityLimit)
    }

    /// Gives up storage that holds nothing.
    mutating func releaseSpareMemory() {
        if isFullyAcknowledged { ring.releaseStorage() }
    }
}

extension SendBuffer: Codable {
    private enum CodingKeys: CodingKey { case acknowledgedOffset, nextOffset, acknowledged, lost, bytes }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let bytes = try container.decode([UInt8].self, forKey: .bytes)
        acknowledgedOffset = try container.decode(UInt64.self, forKey: .acknowledgedOffset)
        nextOffset = try container.decode(UInt64.self, forKey: .nextOffset)
        endOffset = acknowledgedOffset
        acknowledged = try container.decode(OffsetRanges.self, forKey: .acknowledged)
        lost = try container.decode(OffsetRanges.self, forKey: .lost)
        guard acknowledgedOffset <= StreamLimits.largestOffset, bytes.count <= StreamLimits.largestWindow
        else {
            throw DecodingError.inconsistent(decoder, "a send buffer beyond the end of its stream")
        }
        bytes.withUnsafeBytes { append($0) }
        try checkOffsets(decoder)
    }

    private func checkOffsets(_ decoder: any Decoder) throws {
        let sent = acknowledgedOffset...max(acknowledgedOffset, nextOffset)
        guard nextOffset >= acknowledgedOffset, nextOffset <= endOffset,
            acknowledged.isWithin(sent), lost.isWithin(sent)
        else { throw DecodingError.inconsistent(decoder, "a send buffer whose offsets are out of order") }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(acknowledgedOffset, forKey: .acknowledgedOffset)
        try container.encode(nextOffset, forKey: .nextOffset)
        try container.encode(acknowledged, forKey: .acknowledged)
        try container.encode(lost, forKey: .lost)
        try container.encode(ring.bytes(in: acknowledgedOffset..<endOffset), forKey: .bytes)
    }
}
