extension StaticString {
    /// The bytes, which live as long as the program.
    @inlinable
    var rawBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both have the same bytes. A word at a time: names and values are compared for every line.
    @inlinable
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let left = baseAddress, let right = other.baseAddress else { return true }
        if count < 8 { return firstBytesEqual(left, right) }
        var offset = 0
        while offset < count - 8 {
            guard wordsEqual(left + offset, right + offset) else { return false }
            offset += 8
        }
        return wordsEqual(left + (count - 8), right + (count - 8))
    }

    @inlinable
    func firstBytesEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> Bool {
        for offset in 0..<count
        where left.load(fromByteOffset: offset, as: UInt8.self)
            != right.load(fromByteOffset: offset, as: UInt8.self)
        {
            return false
        }
        return true
    }

    @inlinable
    func wordsEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> Bool {
        left.loadUnaligned(as: UInt64.self) == right.loadUnaligned(as: UInt64.self)
    }
}
