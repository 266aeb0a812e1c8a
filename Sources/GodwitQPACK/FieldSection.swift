/// The field lines of a header or trailer section, in their order.
///
/// All names and values lie in one buffer, and ``removeAll(keepingCapacity:)`` keeps it: a section that is
/// used again and again does not allocate. For speed, read lines with ``withUnsafeLine(at:_:)``; as a
/// collection, a section hands out ``FieldLine`` values that may be kept.
public struct FieldSection: Sendable {
    /// Where a line lies: the name at `start`, the value right behind it.
    @usableFromInline
    struct Line: Sendable {
        @usableFromInline let start: UInt32
        @usableFromInline let nameCount: UInt32
        @usableFromInline let valueCount: UInt32
        @usableFromInline let isNeverIndexed: Bool

        @inlinable
        init(start: Int, nameCount: Int, valueCount: Int, isNeverIndexed: Bool) {
            self.start = UInt32(start)
            self.nameCount = UInt32(nameCount)
            self.valueCount = UInt32(valueCount)
            self.isNeverIndexed = isNeverIndexed
        }

        @inlinable
        var nameRange: Range<Int> { Int(start)..<Int(start) + Int(nameCount) }
        @inlinable
        var valueRange: Range<Int> { nameRange.upperBound..<nameRange.upperBound + Int(valueCount) }
    }

    // Longer than `byteCount`: what is behind it is room to write into without asking for more.
    @usableFromInline var storage: [UInt8] = []
    @usableFromInline var byteCount = 0
    @usableFromInline var lines: [Line] = []

    /// An empty section.
    public init() {}

    /// An empty section with room for `lines` lines of `bytes` bytes together.
    public init(reservingLines lines: Int, bytes: Int) {
        self.lines.reserveCapacity(lines)
        makeRoom(for: bytes)
    }

    /// The size that limits are about (RFC 9114 section 4.2.2): the bytes of names and values, and 32 a line.
    @inlinable
    public var size: Int { byteCount + Self.overheadPerLine * lines.count }

    /// What a line counts on top of its name and value (RFC 9114 section 4.2.2).
    @inlinable
    public static var overheadPerLine: Int { 32 }

    /// Removes all lines; with `keepingCapacity`, lines that come later need no allocation.
    @inlinable
    public mutating func removeAll(keepingCapacity: Bool = false) {
        byteCount = 0
        lines.removeAll(keepingCapacity: keepingCapacity)
        if !keepingCapacity { storage = [] }
    }
}

extension FieldSection {
    /// Appends a line. `neverIndexed` asks every hop to keep the value out of its tables (RFC 9204 section
    /// 7.1.3).
    @inlinable
    public mutating func append(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, neverIndexed: Bool = false
    ) {
        withRoom(for: name.count + value.count) { room in
            room.copyMemory(from: name)
            UnsafeMutableRawBufferPointer(rebasing: room[name.count...]).copyMemory(from: value)
        }
        appendLine(nameCount: name.count, valueCount: value.count, neverIndexed: neverIndexed)
    }

    /// Appends a line.
    @inlinable
    public mutating func append(name: StaticString, value: StaticString, neverIndexed: Bool = false) {
        append(name: name.rawBytes, value: value.rawBytes, neverIndexed: neverIndexed)
    }

    /// Appends a line.
    @inlinable
    public mutating func append(name: StaticString, value: String, neverIndexed: Bool = false) {
        var value = value
        value.withUTF8 {
            append(name: name.rawBytes, value: UnsafeRawBufferPointer($0), neverIndexed: neverIndexed)
        }
    }

    /// Appends a line.
    @inlinable
    public mutating func append(name: StaticString, value: [UInt8], neverIndexed: Bool = false) {
        value.withUnsafeBytes { append(name: name.rawBytes, value: $0, neverIndexed: neverIndexed) }
    }

    /// Appends a line.
    @inlinable
    public mutating func append(name: String, value: String, neverIndexed: Bool = false) {
        var (name, value) = (name, value)
        name.withUTF8 { name in
            value.withUTF8 { value in
                append(
                    name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value),
                    neverIndexed: neverIndexed)
            }
        }
    }

    /// Appends a line.
    @inlinable
    public mutating func append(name: [UInt8], value: [UInt8], neverIndexed: Bool = false) {
        name.withUnsafeBytes { name in
            value.withUnsafeBytes { append(name: name, value: $0, neverIndexed: neverIndexed) }
        }
    }

    /// Lets `body` fill the next `count` bytes, which become part of a line with ``appendLine``.
    @inlinable
    mutating func withRoom<R>(
        for count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(QPACKError) -> R
    ) throws(QPACKError) -> R {
        if storage.count - byteCount < count { makeRoom(for: count) }
        let start = byteCount
        return try storage.withUnsafeMutableBufferPointer { (bytes) throws(QPACKError) -> R in
            let all = UnsafeMutableRawBufferPointer(bytes)
            return try body(UnsafeMutableRawBufferPointer(rebasing: all[start..<start + count]))
        }
    }

    /// Lets `body`, which can't fail, fill the next `count` bytes.
    @inlinable
    mutating func withRoom(for count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        if storage.count - byteCount < count { makeRoom(for: count) }
        let start = byteCount
        storage.withUnsafeMutableBytes {
            body(UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + count]))
        }
    }

    @usableFromInline
    mutating func makeRoom(for count: Int) {
        let missing = byteCount + count - storage.count
        guard missing > 0 else { return }
        storage.append(contentsOf: repeatElement(0, count: Swift.max(missing, storage.count, 256)))
    }

    /// Makes a line of the bytes that were written last.
    @inlinable
    mutating func appendLine(nameCount: Int, valueCount: Int, neverIndexed: Bool) {
        lines.append(
            Line(start: byteCount, nameCount: nameCount, valueCount: valueCount, isNeverIndexed: neverIndexed)
        )
        byteCount += nameCount + valueCount
    }
}

extension FieldSection {
    /// Calls `body` with the line at `index`, whose bytes are valid until it returns.
    @inlinable
    public func withUnsafeLine<R, E: Error>(
        at index: Int, _ body: (UnsafeFieldLine) throws(E) -> R
    ) throws(E) -> R {
        let line = lines[index]
        return try storage.withUnsafeBufferPointer { (bytes) throws(E) -> R in
            try body(UnsafeFieldLine(line, in: UnsafeRawBufferPointer(bytes)))
        }
    }

    /// Calls `body` with each line in order; its bytes are valid until `body` returns.
    @inlinable
    public func forEachUnsafeLine<E: Error>(_ body: (UnsafeFieldLine) throws(E) -> Void) throws(E) {
        try storage.withUnsafeBufferPointer { (bytes) throws(E) in
            for line in lines { try body(UnsafeFieldLine(line, in: UnsafeRawBufferPointer(bytes))) }
        }
    }
}

extension FieldSection: RandomAccessCollection {
    /// The index of the first line.
    @inlinable
    public var startIndex: Int { 0 }
    /// The number of lines.
    @inlinable
    public var endIndex: Int { lines.count }
    /// The line at `index`.
    @inlinable
    public subscript(index: Int) -> FieldLine { FieldLine(lines[index], in: storage) }
}

extension FieldSection: Equatable {
    /// Whether both have the same lines in the same order, marked alike.
    public static func == (lhs: FieldSection, rhs: FieldSection) -> Bool {
        lhs.count == rhs.count && lhs.byteCount == rhs.byteCount
            && zip(lhs.lines, rhs.lines).allSatisfy { $0.hasShape(of: $1) }
            && lhs.storage[..<lhs.byteCount] == rhs.storage[..<rhs.byteCount]
    }
}

extension FieldSection.Line {
    func hasShape(of other: Self) -> Bool {
        nameCount == other.nameCount && valueCount == other.valueCount
            && isNeverIndexed == other.isNeverIndexed
    }
}

extension FieldSection: CustomStringConvertible {
    /// One line of text a field line.
    public var description: String { map(\.description).joined(separator: "\n") }
}
