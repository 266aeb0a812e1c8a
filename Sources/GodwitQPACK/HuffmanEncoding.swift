extension HuffmanCode {
    /// Code and length of each byte in one word: the code in the high half, the length in the low one.
    static let encodingTable: [UInt64] = (0..<256).map { UInt64(codes[$0]) << 32 | UInt64(lengths[$0]) }

    /// How many bytes `text` takes, padding included.
    static func encodedLength(_ text: UnsafeRawBufferPointer) -> Int {
        let bits = lengths.withUnsafeBufferPointer { lengths in
            var bits = 0
            for byte in text { bits += Int(lengths[Int(byte)]) }
            return bits
        }
        return (bits + 7) / 8
    }

    /// Fills `destination`, which has exactly the encoded length.
    static func encode(_ text: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer) {
        guard var output = destination.baseAddress else { return }
        encodingTable.withUnsafeBufferPointer { table in
            var (bits, count): (UInt64, UInt64) = (0, 0)
            for byte in text {
                let entry = table[Int(byte)]
                let length = entry & 0xff
                bits = bits << length | entry >> 32
                count += length
                // At most 31 bits stay, and a code adds at most 30: the word never overflows.
                guard count >= 32 else { continue }
                count -= 32
                output.storeBytes(of: UInt32(truncatingIfNeeded: bits >> count).bigEndian, as: UInt32.self)
                output += 4
            }
            flush(bits, count, to: output)
        }
    }

    /// Writes the last bits, filled up to a byte with the first bits of EOS, which are ones (RFC 7541 section
    /// 5.2).
    private static func flush(_ bits: UInt64, _ count: UInt64, to output: UnsafeMutableRawPointer) {
        let padding = (8 - count % 8) % 8
        let padded = bits << padding | (1 << padding - 1)
        var (left, output) = (count + padding, output)
        while left > 0 {
            left -= 8
            output.storeBytes(of: UInt8(truncatingIfNeeded: padded >> left), as: UInt8.self)
            output += 1
        }
    }
}
