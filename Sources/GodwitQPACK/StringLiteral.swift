import GodwitWire

/// A string as it came, not yet decoded (RFC 9204 section 4.1.2).
struct StringLiteral {
    let bytes: UnsafeRawBufferPointer
    let isHuffman: Bool

    /// Room that is always enough to decode it into. The shortest code has 5 bits.
    var maximumDecodedCount: Int { isHuffman ? bytes.count * 8 / 5 : bytes.count }

    /// Writes the text into `destination` and returns how long it is.
    func decode(into destination: UnsafeMutableRawBufferPointer) throws(ParseFailure) -> Int {
        if isHuffman { return try HuffmanCode.decode(bytes, into: destination) }
        guard bytes.count <= destination.count else { throw .noRoom }
        destination.copyMemory(from: bytes)
        return bytes.count
    }
}

extension ByteReader {
    /// Reads a string whose length has its first bits under `mask`; the bit above says that it is
    /// Huffman-coded.
    @inline(__always)
    mutating func readStringLiteral(mask: UInt8, limit: Int = .max) throws(ParseFailure) -> StringLiteral {
        guard let first = peekUInt8() else { throw .incomplete }
        let length = try readPrefixedInteger(mask: mask)
        guard length <= UInt64(limit) else { throw .tooLarge }
        guard length <= UInt64(remaining), let bytes = readBytes(Int(length)) else { throw .incomplete }
        return StringLiteral(bytes: bytes, isHuffman: first & (mask &+ 1) != 0)
    }
}

extension ByteWriter {
    /// Writes a string, Huffman-coded when that is shorter. Its length has its first bits under `mask`,
    /// beside `flags`.
    mutating func writeStringLiteral(_ text: UnsafeRawBufferPointer, mask: UInt8, flags: UInt8 = 0) {
        let huffmanLength = HuffmanCode.encodedLength(text)
        guard huffmanLength < text.count else {
            writePrefixedInteger(UInt64(text.count), mask: mask, flags: flags)
            return writeBytes(text)
        }
        writePrefixedInteger(UInt64(huffmanLength), mask: mask, flags: flags | (mask &+ 1))
        HuffmanCode.encode(text, into: claim(huffmanLength))
    }
}
