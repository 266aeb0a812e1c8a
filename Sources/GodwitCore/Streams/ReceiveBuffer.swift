/// What arrived on a stream and was not yet consumed, in order or not.
struct ReceiveBuffer: Sendable {
    private var ring = ByteRing()
    /// Everything below was consumed.
    private(set) var consumedOffset: UInt64 = 0
    /// The end of what arrived without a gap.
    private(set) var readableEnd: UInt64 = 0
    /// What arrived behind a gap.
    private var islands = OffsetRanges()

    var readableCount: Int { Int(readableEnd - consumedOffset) }
    /// How many separate ranges lie behind gaps. It is the peer that decides this, so owners bound it.
    var islandCount: Int { islands.count }
    /// The end of the highest byte held.
    var endOffset: UInt64 { islands.last?.upperBound ?? readableEnd }
    var capacity: Int { ring.capacity }

    /// Takes bytes that the owner found to be within its window.
    mutating func insert(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
        let end = offset + UInt64(bytes.count)
        guard end > readableEnd, !bytes.isEmpty else { return }
        let start = max(offset, readableEnd)
        ring.reserve(Int(end - consumedOffset), keeping: consumedOffset..<readableEnd, and: islands)
        ring.write(UnsafeRawBufferPointer(rebasing: bytes[Int(start - offset)...]), at: start)
        if start > readableEnd {
            islands.insert(start..<end)
        } else {
            advanceReadable(to: end)
        }
    }

    private mutating func advanceReadable(to offset: UInt64) {
        readableEnd = offset
        while let first = islands.first, first.lowerBound <= readableEnd {
            readableEnd = max(readableEnd, first.upperBound)
            islands.removeFirst()
        }
    }

    /// Shows readable bytes to `body`, which says how many of them it consumed. The view ends early where the
    /// ring wraps.
    mutating func consume(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
        let (count, shown) = ring.withView(of: consumedOffset..<readableEnd) { (body($0), $0.count) }
        precondition(count >= 0 && count <= shown, "consumed more than there was")
        consumedOffset += UInt64(count)
        if count > 0, consumedOffset == readableEnd, islands.isEmpty { ring.noteDrained() }
        return count
    }

    /// Drops what is held and skips to `offset`. Returns how many bytes nobody will consume any more.
    mutating func discard(upTo offset: UInt64) -> UInt64 {
        let skipped = offset - consumedOffset
        consumedOffset = offset
        readableEnd = offset
        islands.removeAll()
        ring.releaseStorage()
        return skipped
    }

    /// Starts over for another stream.
    mutating func recycle(capacityLimit: Int) {
        (consumedOffset, readableEnd) = (0, 0)
        islands.removeAll()
        ring.recycle(capacityLimit: capacityLimit)
    }

    /// Gives up storage that holds nothing.
    mutating func releaseSpareMemory() {
        if readableCount == 0, islands.isEmpty { ring.releaseStorage() }
    }
}

extension ReceiveBuffer: Codable {
    private enum CodingKeys: CodingKey { case consumedOffset, bytes, islands }

    private struct Island: Codable {
        var offset: UInt64
        var bytes: [UInt8]
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        consumedOffset = try container.decode(UInt64.self, forKey: .consumedOffset)
        readableEnd = consumedOffset
        let bytes = try container.decode([UInt8].self, forKey: .bytes)
        try restore(Island(offset: consumedOffset, bytes: bytes), decoder)
        for island in try container.decode([Island].self, forKey: .islands) { try restore(island, decoder) }
    }

    private mutating func restore(_ island: Island, _ decoder: any Decoder) throws {
        guard island.offset >= consumedOffset, island.offset <= StreamLimits.largestOffset,
            island.bytes.count <= StreamLimits.largestWindow,
            island.offset - consumedOffset <= UInt64(StreamLimits.largestWindow - island.bytes.count)
        else { throw DecodingError.inconsistent(decoder, "a receive buffer beyond the end of its window") }
        island.bytes.withUnsafeBytes { insert($0, at: island.offset) }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(consumedOffset, forKey: .consumedOffset)
        try container.encode(ring.bytes(in: consumedOffset..<readableEnd), forKey: .bytes)
        let contents = islands.ranges.map { Island(offset: $0.lowerBound, bytes: ring.bytes(in: $0)) }
        try container.encode(contents, forKey: .islands)
    }
}
