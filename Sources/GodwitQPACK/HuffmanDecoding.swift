extension HuffmanCode {
    /// How many bits a look-up in ``decodingTable`` takes. Two of the usual symbols fit, so that text decodes
    /// two bytes at a time.
    private static let windowBits = 12

    /// What the next bits stand for: one or two symbols, or none where the first code is longer than the
    /// window.
    private struct Entry {
        var word: UInt32

        static let long = Entry(word: 0)

        init(word: UInt32) { self.word = word }

        init(first: UInt8, length: Int) {
            word = UInt32(first) | UInt32(length) << 16 | 1 << 24
        }

        init(first: UInt8, second: UInt8, length: Int) {
            word = UInt32(first) | UInt32(second) << 8 | UInt32(length) << 16 | 2 << 24
        }

        var isLong: Bool { word == 0 }
        var first: UInt8 { UInt8(truncatingIfNeeded: word) }
        /// Both symbols in the order of memory; the second means nothing if there is one.
        var symbols: UInt16 { UInt16(truncatingIfNeeded: word) }
        var length: UInt64 { UInt64(word >> 16 & 0xff) }
        var count: Int { Int(word >> 24) }
    }

    private static let decodingTable: [Entry] = (0..<1 << windowBits).map { window in
        guard let first = shortSymbol(window, bits: windowBits) else { return .long }
        let firstLength = Int(lengths[first])
        let rest = windowBits - firstLength
        guard let second = shortSymbol(window & (1 << rest - 1), bits: rest) else {
            return Entry(first: UInt8(first), length: firstLength)
        }
        return Entry(first: UInt8(first), second: UInt8(second), length: firstLength + Int(lengths[second]))
    }

    /// The symbol whose code the `bits` bits of `window` start with, if one fits.
    private static func shortSymbol(_ window: Int, bits: Int) -> Int? {
        for symbol in symbols {
            let length = Int(lengths[Int(symbol)])
            guard length <= bits else { return nil }
            if window >> (bits - length) == Int(codes[Int(symbol)]) { return Int(symbol) }
        }
        return nil
    }

    /// For each length the first code that is too large for it, moved up to ``maximumLength`` bits.
    private static let limits: [UInt32] = (0...maximumLength).map { length in
        let last = symbols.last { Int(lengths[Int($0)]) <= length }
        return last.map { (codes[Int($0)] + 1) << UInt32(maximumLength - Int(lengths[Int($0)])) } ?? 0
    }

    /// For each length the place in ``symbols`` of its first code, less that code.
    private static let offsets: [Int] = (0...maximumLength).map { length in
        guard let place = symbols.firstIndex(where: { Int(lengths[Int($0)]) == length }) else { return 0 }
        return place - Int(codes[Int(symbols[place])])
    }

    /// The symbol that the highest bits of `bits` stand for.
    private static func longSymbol(_ bits: UInt64) -> Int {
        let window = UInt32(truncatingIfNeeded: bits >> UInt64(64 - maximumLength))
        var length = windowBits + 1
        while window >= limits[length] && length < maximumLength { length += 1 }
        return Int(symbols[offsets[length] + Int(window >> UInt32(maximumLength - length))])
    }

    /// Decodes `source` and returns how many bytes of `destination` it filled.
    ///
    /// Padding of more than seven bits or with a zero in it, and EOS, are errors (RFC 7541 section 5.2).
    static func decode(
        _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
    ) throws(ParseFailure) -> Int {
        guard let input = source.baseAddress, let output = destination.baseAddress else {
            guard source.isEmpty else { throw .noRoom }
            return 0
        }
        var run = Run(
            input: input, inputEnd: input + source.count, output: output,
            outputEnd: output + destination.count)
        try decodingTable.withUnsafeBufferPointer { (table) throws(ParseFailure) in
            try run.decodeWords(table)
            try run.decodeRest(table)
        }
        return run.output - output
    }

    /// Where a decoding stands.
    private struct Run {
        var input: UnsafeRawPointer
        let inputEnd: UnsafeRawPointer
        var output: UnsafeMutableRawPointer
        let outputEnd: UnsafeMutableRawPointer
        /// What was read and not yet decoded, from the highest bit; zeros behind.
        var bits: UInt64 = 0
        var available: UInt64 = 0

        /// Decodes while whole words can be read and four look-ups can't overrun the output.
        mutating func decodeWords(_ table: UnsafeBufferPointer<Entry>) throws(ParseFailure) {
            while inputEnd - input >= 8, outputEnd - output >= 8 {
                refill()
                // 56 bits are there: enough for four look-ups, or for one long code.
                if take(table), take(table), take(table), take(table) { continue }
                refillBytes()
                guard try takeLong() else { return }
            }
        }

        /// Decodes what is left, never beyond its end, and checks the padding.
        mutating func decodeRest(_ table: UnsafeBufferPointer<Entry>) throws(ParseFailure) {
            while true {
                if available < UInt64(maximumLength) { refillBytes() }
                if isPadding { return }
                // Ones behind the end look like padding, never like a symbol that is not there.
                let padded = available < 64 ? bits | UInt64.max >> available : bits
                let entry = table[Int(padded >> UInt64(64 - windowBits))]
                if !entry.isLong, entry.length <= available, outputEnd - output >= 2 {
                    put(entry)
                    continue
                }
                let symbol = entry.isLong ? longSymbol(padded) : Int(entry.first)
                let length = UInt64(lengths[symbol])
                guard length <= available else { throw .invalidHuffman }
                try store(symbol, length)
            }
        }

        /// Whether nothing is left but up to seven ones, which no code starts with that short (RFC 7541
        /// section 5.2).
        @inline(__always)
        private var isPadding: Bool { available < 8 && bits == ~(UInt64.max >> available) }

        @inline(__always)
        private mutating func refill() {
            bits |= UInt64(bigEndian: input.loadUnaligned(as: UInt64.self)) >> available
            let taken = (63 - available) >> 3
            input += Int(taken)
            available += taken << 3
            // Bits of a byte that was not taken as a whole come again with the next refill.
            bits &= ~(UInt64.max >> available)
        }

        private mutating func refillBytes() {
            while available <= 56, input < inputEnd {
                bits |= UInt64(input.load(as: UInt8.self)) << (56 - available)
                input += 1
                available += 8
            }
        }

        /// Decodes one or two symbols; false, and nothing done, when the code is long.
        @inline(__always)
        private mutating func take(_ table: UnsafeBufferPointer<Entry>) -> Bool {
            let entry = table[Int(bits >> UInt64(64 - windowBits))]
            put(entry)
            return !entry.isLong
        }

        /// Writes two bytes and counts as many as there are symbols, which for a long code is none.
        @inline(__always)
        private mutating func put(_ entry: Entry) {
            output.storeBytes(of: entry.symbols.littleEndian, as: UInt16.self)
            output += entry.count
            bits <<= entry.length
            available -= entry.length
        }

        /// False when the code is longer than what is left.
        private mutating func takeLong() throws(ParseFailure) -> Bool {
            let symbol = longSymbol(bits)
            let length = UInt64(lengths[symbol])
            guard length <= available else { return false }
            try store(symbol, length)
            return true
        }

        private mutating func store(_ symbol: Int, _ length: UInt64) throws(ParseFailure) {
            guard symbol != endOfString else { throw .invalidHuffman }
            guard output < outputEnd else { throw .noRoom }
            output.storeBytes(of: UInt8(truncatingIfNeeded: symbol), as: UInt8.self)
            output += 1
            bits <<= length
            available -= length
        }
    }
}
