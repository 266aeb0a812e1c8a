/// Compresses bytes (RFC 1951), piece by piece: repetitions within the last 32 KB become references, all in one block
/// with the fixed codes. Tables of numbers become a third.
struct Deflater {
    /// What has come out and was not taken yet.
    var output: [UInt8] = []

    private var bits: UInt64 = 0
    private var bitCount: UInt64 = 0
    /// The end of what was compressed before, which references may reach into, and the present piece behind it.
    private var window: [UInt8] = []
    /// Where `window` begins in all that was ever given.
    private var origin = 0
    /// Where four bytes were last seen, by their hash.
    private var places = [Int](repeating: -1 << 40, count: 1 << Self.hashBits)

    private static let hashBits: UInt32 = 16
    private static let reach = 32_768
    private static let shortest = 4
    private static let longest = 258

    init() {
        // The only block is the last one, and has fixed codes (RFC 1951 section 3.2.3).
        append(0b011, 3)
    }

    /// Compresses the next piece.
    mutating func compress(_ piece: some Sequence<UInt8>) {
        let kept = min(window.count, Self.reach)
        origin += window.count - kept
        window.removeFirst(window.count - kept)
        window.append(contentsOf: piece)
        let window = window
        window.withUnsafeBufferPointer { bytes in
            var place = kept
            while place < bytes.count { place += step(bytes, place) }
        }
    }

    /// Ends the block; nothing may follow.
    mutating func finish() {
        append(0, 7)
        if bitCount > 0 { append(0, 8 - bitCount % 8) }
        drain()
    }

    /// Writes what is at a place; how many bytes that were.
    private mutating func step(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int {
        guard place + Self.shortest <= bytes.count else {
            writeLiteral(bytes[place])
            return 1
        }
        let earlier = remember(bytes, place) - origin
        let length = place - earlier <= Self.reach && earlier >= 0 ? repetition(bytes, earlier, place) : 0
        guard length >= Self.shortest else {
            writeLiteral(bytes[place])
            return 1
        }
        writeReference(length: length, distance: place - earlier)
        for inner in place + 1..<place + length where inner + Self.shortest <= bytes.count {
            _ = remember(bytes, inner)
        }
        return length
    }

    /// Notes what begins at a place, and says where the same, or something with the same hash, began before.
    private mutating func remember(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int {
        let raw = UnsafeRawBufferPointer(bytes)
        let word = UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        let slot = Int((word &* 0x9e37_79b1) >> (32 - Self.hashBits))
        defer { places[slot] = origin + place }
        return places[slot]
    }

    private func repetition(_ bytes: UnsafeBufferPointer<UInt8>, _ earlier: Int, _ place: Int) -> Int {
        let limit = min(Self.longest, bytes.count - place)
        var length = 0
        while length < limit, bytes[earlier + length] == bytes[place + length] { length += 1 }
        return length
    }

    // MARK: Codes

    /// Codes stand in the stream with their first bit first, all else with the last (RFC 1951 section 3.1.1).
    private mutating func appendCode(_ code: UInt16, _ count: UInt64) {
        var reversed: UInt64 = 0
        for bit in 0..<count { reversed |= UInt64(code >> UInt16(count - 1 - bit) & 1) << bit }
        append(reversed, count)
    }

    private mutating func writeLiteral(_ byte: UInt8) {
        let value = UInt16(byte)
        value < 144 ? appendCode(0x30 + value, 8) : appendCode(0x190 + value - 144, 9)
    }

    private mutating func writeReference(length: Int, distance: Int) {
        // Both are groups of a power of two, four and two to a power, and the place within the group
        // (RFC 1951 section 3.2.5).
        if length == Self.longest {
            appendCode(0xc0 + 5, 8)
        } else {
            let (group, extra) = Self.group(length - 3, groupBits: 2)
            let symbol = UInt16(group + 1)
            symbol < 24 ? appendCode(symbol, 7) : appendCode(0xc0 + symbol - 24, 8)
            append(UInt64((length - 3) & (1 << extra - 1)), UInt64(extra))
        }
        let (group, extra) = Self.group(distance - 1, groupBits: 1)
        appendCode(UInt16(group), 5)
        append(UInt64((distance - 1) & (1 << extra - 1)), UInt64(extra))
    }

    /// The number of the group that a value is in, and how many bits tell it from others there.
    static func group(_ value: Int, groupBits: Int) -> (group: Int, extra: Int) {
        let width = Int.bitWidth - value.leadingZeroBitCount
        let extra = max(0, width - groupBits - 1)
        return (extra << groupBits + value >> extra, extra)
    }

    // MARK: Bits

    private mutating func append(_ value: UInt64, _ count: UInt64) {
        bits |= value << bitCount
        bitCount += count
        if bitCount >= 32 { drain() }
    }

    private mutating func drain() {
        while bitCount >= 8 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }
}
