/// Bytes of a stream in a ring whose size is a power of two, addressed by their offset in the stream.
///
/// The ring does not know which of its bytes are meant: its owner does, and asks only for those. Storage
/// stays uninitialised until it is written, so that a peer that sends one byte at the far end of a window
/// costs us address space and not memory.
struct ByteRing: Sendable {
    static let smallestCapacity = 1 << 10
    /// Up to this capacity an emptied ring keeps its storage for good.
    static let modestCapacity = 16 << 10
    /// How often a bigger ring must empty without having been a quarter full before its storage is given up.
    /// A stream that moves data in bursts would otherwise allocate with every burst.
    static let quietDrainsToShrink: UInt8 = 8

    private var storage: ContiguousArray<UInt8> = []
    private var peakSpan = 0
    private var quietDrains: UInt8 = 0

    var capacity: Int { storage.count }

    private func position(_ offset: UInt64) -> Int { Int(truncatingIfNeeded: offset) & (storage.count - 1) }

    /// Makes room for `span` bytes from the lowest offset kept, moving what is held to the larger ring.
    mutating func reserve(_ span: Int, keeping held: Range<UInt64>, and islands: OffsetRanges) {
        if span > peakSpan { peakSpan = span }
        if span > capacity { grow(to: span, keeping: held, and: islands) }
    }

    private mutating func grow(to span: Int, keeping held: Range<UInt64>, and islands: OffsetRanges) {
        var larger = ByteRing()
        larger.storage = Self.uninitialized(Self.capacity(for: span))
        larger.copy(held, from: self)
        for island in islands.ranges { larger.copy(island, from: self) }
        storage = larger.storage
    }

    private static func capacity(for span: Int) -> Int {
        precondition(span <= StreamLimits.largestWindow)
        return max(smallestCapacity, 1 << (Int.bitWidth - (span - 1).leadingZeroBitCount))
    }

    private static func uninitialized(_ count: Int) -> ContiguousArray<UInt8> {
        ContiguousArray(unsafeUninitializedCapacity: count) { $1 = count }
    }

    private mutating func copy(_ range: Range<UInt64>, from other: ByteRing) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            offset += other.withView(of: offset..<range.upperBound) { view in
                write(view, at: offset)
                return UInt64(view.count)
            }
        }
    }

    /// Puts bytes in their place. ``reserve(_:keeping:and:)`` has made room.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        precondition(bytes.count <= capacity)
        let start = position(offset)
        let head = min(bytes.count, capacity - start)
        storage.withUnsafeMutableBytes { ring in
            let base = ring.baseAddress!
            (base + start).copyMemory(from: source, byteCount: head)
            if head < bytes.count { base.copyMemory(from: source + head, byteCount: bytes.count - head) }
        }
    }

    /// Fills `destination` with the bytes from `offset` on.
    func read(into destination: UnsafeMutableRawBufferPointer, at offset: UInt64) {
        guard let target = destination.baseAddress, destination.count > 0 else { return }
        precondition(destination.count <= capacity)
        let start = position(offset)
        let head = min(destination.count, capacity - start)
        storage.withUnsafeBytes { ring in
            let base = ring.baseAddress!
            target.copyMemory(from: base + start, byteCount: head)
            if head < destination.count {
                (target + head).copyMemory(from: base, byteCount: destination.count - head)
            }
        }
    }

    /// A view of the front of `range`: all of it, or what lies before the ring wraps.
    func withView<R>(of range: Range<UInt64>, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        precondition(range.upperBound - range.lowerBound <= UInt64(capacity))
        if range.isEmpty { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        let start = position(range.lowerBound)
        let count = min(Int(range.upperBound - range.lowerBound), capacity - start)
        return storage.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
    }

    /// A copy of `range` for a snapshot.
    func bytes(in range: Range<UInt64>) -> [UInt8] {
        if range.isEmpty { return [] }
        let count = Int(range.upperBound - range.lowerBound)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            read(into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
            initialized = count
        }
    }

    /// The owner holds nothing any more: a ring that has been too big for a while gives up its storage.
    mutating func noteDrained() {
        defer { peakSpan = 0 }
        guard capacity > Self.modestCapacity else { return }
        guard peakSpan <= capacity / 4 else {
            quietDrains = 0
            return
        }
        quietDrains += 1
        if quietDrains == Self.quietDrainsToShrink { releaseStorage() }
    }

    /// Forgets what is held, and keeps at most `capacityLimit` bytes of storage for the next owner.
    mutating func recycle(capacityLimit: Int) {
        if capacity > capacityLimit { releaseStorage() }
        peakSpan = 0
        quietDrains = 0
    }

    mutating func releaseStorage() {
        storage = []
        quietDrains = 0
    }
}
