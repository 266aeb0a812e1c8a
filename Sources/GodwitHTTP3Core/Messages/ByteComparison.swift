extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of a short text. Written out at each place, so that the text becomes one
    /// or two numbers to compare with.
    @inline(__always)
    func spells(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard count == length, let bytes = baseAddress else { return false }
        let letters = UnsafeRawPointer(text.utf8Start)
        switch length {
        case 2...3: return Self.ends(bytes, letters, length, UInt16.self)
        case 4...7: return Self.ends(bytes, letters, length, UInt32.self)
        case 8...16: return Self.ends(bytes, letters, length, UInt64.self)
        case 17...24:
            return Self.ends(bytes, letters, length, UInt64.self) && Self.same(bytes, letters, 8, UInt64.self)
        default: return false
        }
    }

    /// Whether the first and the last bytes, which together are all of them, are the same.
    @inline(__always)
    private static func ends<Word: FixedWidthInteger>(
        _ bytes: UnsafeRawPointer, _ letters: UnsafeRawPointer, _ length: Int, _ type: Word.Type
    ) -> Bool {
        same(bytes, letters, 0, type) && same(bytes, letters, length - MemoryLayout<Word>.size, type)
    }

    @inline(__always)
    private static func same<Word: FixedWidthInteger>(
        _ bytes: UnsafeRawPointer, _ letters: UnsafeRawPointer, _ offset: Int, _ type: Word.Type
    ) -> Bool {
        bytes.loadUnaligned(fromByteOffset: offset, as: type)
            == letters.loadUnaligned(fromByteOffset: offset, as: type)
    }
}
