/// Which characters may stand where (RFC 9110 sections 5.1, 5.5 and 5.6.2).
///
/// Names and values are most of what a message has: they are looked at eight bytes at a time, and byte by
/// byte only where that is not enough.
enum FieldCharacters {
    // One bit for each of the ASCII characters that a token may have, uppercase letters left out.
    private static var lowTokenBits: UInt64 { 0x03ff_6cfa_0000_0000 }
    private static var highTokenBits: UInt64 { 0x57ff_ffff_c000_0000 }
    private static var uppercaseBits: UInt64 { 0x0000_0000_07ff_fffe }

    /// Whether a byte may be part of a field name, which has no uppercase letters (RFC 9114 section 4.2).
    static func isName(_ byte: UInt8) -> Bool {
        let bits = byte & 0x40 == 0 ? lowTokenBits : highTokenBits
        return byte < 0x80 && bits >> UInt64(byte & 0x3f) & 1 == 1
    }

    /// Whether a byte may be part of a token, such as a method.
    static func isToken(_ byte: UInt8) -> Bool {
        let bits = byte & 0x40 == 0 ? lowTokenBits : highTokenBits | uppercaseBits
        return byte < 0x80 && bits >> UInt64(byte & 0x3f) & 1 == 1
    }

    /// Whether bytes may be a field name.
    static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if bytes.isEmpty { return false }
        return bytes.count >= 8 && bytes.wordsSatisfy { $0.isLettersAndHyphens }
            || bytes.allSatisfy { isName($0) }
    }

    /// Whether bytes are a token.
    static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { isToken($0) }
    }

    /// Whether bytes may be a field value: no controls but tabs, and no white space at either end.
    static func isValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return true }
        guard !isWhitespace(first), !isWhitespace(last) else { return false }
        if bytes.count >= 8, bytes.wordsSatisfy({ !$0.hasByte(below: 0x20) && !$0.hasByte(0x7f) }) {
            return true
        }
        return bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
    }

    /// Whether bytes may be a path and a query: what would end them within a URI is not part of them (RFC
    /// 3986 section 3). Bytes beyond ASCII are let through, since clients send them.
    static func isPath(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let hash = UInt8(ascii: "#")
        guard bytes.count >= 8 else { return bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != hash } }
        return bytes.wordsSatisfy { !$0.hasByte(below: 0x21) && !$0.hasByte(0x7f) && !$0.hasByte(hash) }
    }

    /// Whether bytes may be an authority (RFC 3986 section 3.2).
    static func isAuthority(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { 0x21...0x7e ~= $0 && $0 != 0x2f && $0 != 0x3f && $0 != 0x23 && $0 != 0x5c }
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

extension UnsafeRawBufferPointer {
    /// Whether all words of eight bytes satisfy `test`; the last two overlap where the count is no multiple
    /// of eight. There must be eight bytes.
    fileprivate func wordsSatisfy(_ test: (UInt64) -> Bool) -> Bool {
        var offset = 0
        while offset < count - 8 {
            guard test(loadUnaligned(fromByteOffset: offset, as: UInt64.self)) else { return false }
            offset += 8
        }
        return test(loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
    }
}

// Eight bytes in one word, tested together.
extension UInt64 {
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }
    private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// Whether a byte is below `limit`, which is at most 0x80.
    fileprivate func hasByte(below limit: UInt8) -> Bool {
        (self &- Self.ones &* UInt64(limit)) & ~self & Self.highBits != 0
    }

    /// Whether a byte is `byte`.
    fileprivate func hasByte(_ byte: UInt8) -> Bool {
        let difference = self ^ Self.ones &* UInt64(byte)
        return (difference &- Self.ones) & ~difference & Self.highBits != 0
    }

    /// Whether all bytes are lowercase letters or hyphens, as in nearly every name.
    fileprivate var isLettersAndHyphens: Bool {
        guard self & Self.highBits == 0 else { return false }
        // The sums set a byte's high bit where it is at least "a", and where it is beyond "z".
        let letters = (self &+ Self.ones &* 0x1f) & ~(self &+ Self.ones &* 0x05)
        let hyphens = ~((self ^ Self.ones &* 0x2d) &+ Self.ones &* 0x7f)
        return (letters | hyphens) & Self.highBits == Self.highBits
    }
}
