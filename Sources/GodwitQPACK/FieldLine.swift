/// A field line that may be kept: it shares the buffer of the section it comes from.
public struct FieldLine: Sendable {
    @usableFromInline let storage: [UInt8]
    @usableFromInline let line: FieldSection.Line

    @inlinable
    init(_ line: FieldSection.Line, in storage: [UInt8]) {
        self.storage = storage
        self.line = line
    }

    /// The name; bytes that are not UTF-8 are replaced.
    public var name: String { String(decoding: storage[line.nameRange], as: UTF8.self) }
    /// The value; bytes that are not UTF-8 are replaced.
    public var value: String { String(decoding: storage[line.valueRange], as: UTF8.self) }
    /// The bytes of the name.
    public var nameBytes: ArraySlice<UInt8> { storage[line.nameRange] }
    /// The bytes of the value.
    public var valueBytes: ArraySlice<UInt8> { storage[line.valueRange] }
    /// Whether every hop must send the value as a literal (RFC 9204 section 7.1.3).
    @inlinable
    public var isNeverIndexed: Bool { line.isNeverIndexed }
    /// What the line counts towards the size of its section (RFC 9114 section 4.2.2).
    public var size: Int { Int(line.nameCount) + Int(line.valueCount) + FieldSection.overheadPerLine }

    /// Whether the name has exactly these bytes.
    @inlinable
    public func nameIs(_ name: StaticString) -> Bool { withUnsafeBytes { $0.nameIs(name) } }
    /// Whether the value has exactly these bytes.
    @inlinable
    public func valueIs(_ value: StaticString) -> Bool { withUnsafeBytes { $0.valueIs(value) } }

    /// Calls `body` with name and value in place.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeFieldLine) throws(E) -> R) throws(E) -> R {
        try storage.withUnsafeBufferPointer { (bytes) throws(E) -> R in
            try body(UnsafeFieldLine(line, in: UnsafeRawBufferPointer(bytes)))
        }
    }
}

extension FieldLine: Equatable {
    /// Whether name, value and mark are the same.
    public static func == (lhs: FieldLine, rhs: FieldLine) -> Bool {
        lhs.nameBytes == rhs.nameBytes && lhs.valueBytes == rhs.valueBytes
            && lhs.isNeverIndexed == rhs.isNeverIndexed
    }
}

extension FieldLine: CustomStringConvertible {
    /// Name and value as in HTTP/1.1; a value that must not be indexed may be a secret and is left out.
    public var description: String { isNeverIndexed ? "\(name): (never indexed)" : "\(name): \(value)" }
}

/// A field line in the buffer of its section, valid only while the closure runs that got it.
@frozen
public struct UnsafeFieldLine {
    /// The bytes of the name.
    public let name: UnsafeRawBufferPointer
    /// The bytes of the value.
    public let value: UnsafeRawBufferPointer
    /// Whether every hop must send the value as a literal (RFC 9204 section 7.1.3).
    public let isNeverIndexed: Bool

    @inlinable
    init(_ line: FieldSection.Line, in storage: UnsafeRawBufferPointer) {
        self.name = UnsafeRawBufferPointer(rebasing: storage[line.nameRange])
        self.value = UnsafeRawBufferPointer(rebasing: storage[line.valueRange])
        self.isNeverIndexed = line.isNeverIndexed
    }

    /// Whether the name has exactly these bytes.
    @inlinable
    public func nameIs(_ text: StaticString) -> Bool { name.hasSameBytes(as: text.rawBytes) }
    /// Whether the value has exactly these bytes.
    @inlinable
    public func valueIs(_ text: StaticString) -> Bool { value.hasSameBytes(as: text.rawBytes) }
}
