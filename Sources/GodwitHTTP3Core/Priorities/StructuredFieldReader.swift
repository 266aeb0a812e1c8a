import GodwitWire

/// Reads dictionaries as structured fields write them (RFC 8941 section 4.2.2), of which priorities are made,
/// and single items. Values are checked in full, but only those that can mean something here are kept.
struct StructuredFieldReader {
    /// The value of a dictionary's member, or an item.
    enum Value: Equatable {
        case integer(Int64)
        case boolean(Bool)
        /// Any other, which no parameter and no field of ours has.
        case other
    }

    private var reader: ByteReader

    init(_ bytes: UnsafeRawBufferPointer) { self.reader = ByteReader(bytes) }

    /// Calls `body` for each member in order; false when the bytes are no dictionary.
    mutating func readDictionary(_ body: (UnsafeRawBufferPointer, Value) -> Void) -> Bool {
        skipSpaces()
        while !reader.isAtEnd {
            guard let key = readKey(), let value = readMemberValue(), skipParameters() else { return false }
            body(key, value)
            skipWhitespace()
            if reader.isAtEnd { return true }
            guard take(",") else { return false }
            skipWhitespace()
            // A comma wants another member behind it.
            if reader.isAtEnd { return false }
        }
        return true
    }

    /// The value of an item (RFC 8941 section 4.2.3), whatever its parameters; nil when the bytes are none.
    mutating func readItem() -> Value? {
        skipSpaces()
        guard let value = readBareItem(), skipParameters() else { return nil }
        skipSpaces()
        return reader.isAtEnd ? value : nil
    }

    private mutating func readMemberValue() -> Value? {
        guard take("=") else { return .boolean(true) }
        return next == "(" ? readInnerList() : readBareItem()
    }

    private mutating func readInnerList() -> Value? {
        _ = take("(")
        skipSpaces()
        while !take(")") {
            guard readBareItem() != nil, skipParameters() else { return nil }
            guard skipSpaces() || next == ")" else { return nil }
        }
        return .other
    }

    private mutating func skipParameters() -> Bool {
        while take(";") {
            skipSpaces()
            guard readKey() != nil else { return false }
            if take("="), readBareItem() == nil { return false }
        }
        return true
    }

    private mutating func readKey() -> UnsafeRawBufferPointer? {
        guard let first = next, first.isLowercase || first == "*" else { return nil }
        return readRun { $0.isLowercase || $0.isDigit || "_-.*".unicodeScalars.contains($0) }
    }
}

// MARK: Bare items (RFC 8941 section 3.3)

extension StructuredFieldReader {
    private mutating func readBareItem() -> Value? {
        switch next {
        case "-", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9": readNumber()
        case "\"": readString()
        case ":": readByteSequence()
        case "?": readBoolean()
        case "@": readDate()
        case let first?: first.isLetter || first == "*" ? readToken() : nil
        case nil: nil
        }
    }

    private mutating func readNumber() -> Value? {
        let isNegative = take("-")
        let digits = readRun(\.isDigit)
        guard 1...15 ~= digits.count else { return nil }
        if take(".") {
            let fraction = readRun(\.isDigit)
            return digits.count <= 12 && 1...3 ~= fraction.count ? .other : nil
        }
        let magnitude = digits.reduce(into: Int64(0)) { $0 = $0 * 10 + Int64($1 & 0x0f) }
        return .integer(isNegative ? -magnitude : magnitude)
    }

    private mutating func readString() -> Value? {
        _ = take("\"")
        while let byte = reader.readUInt8() {
            switch Unicode.Scalar(byte) {
            case "\"": return .other
            case "\\": guard take("\"") || take("\\") else { return nil }
            case " "..."~": continue
            default: return nil
            }
        }
        return nil
    }

    private mutating func readByteSequence() -> Value? {
        _ = take(":")
        _ = readRun { $0.isLetter || $0.isDigit || "+/=".unicodeScalars.contains($0) }
        return take(":") ? .other : nil
    }

    private mutating func readBoolean() -> Value? {
        _ = take("?")
        if take("1") { return .boolean(true) }
        return take("0") ? .boolean(false) : nil
    }

    // RFC 9651 section 3.3.7
    private mutating func readDate() -> Value? {
        _ = take("@")
        guard case .integer = readNumber() else { return nil }
        return .other
    }

    private mutating func readToken() -> Value? {
        _ = readRun { FieldCharacters.isToken(UInt8(ascii: $0)) || $0 == ":" || $0 == "/" }
        return .other
    }
}

// MARK: Characters

extension StructuredFieldReader {
    private var next: Unicode.Scalar? { reader.peekUInt8().map { Unicode.Scalar($0) } }

    private mutating func take(_ character: Unicode.Scalar) -> Bool { next == character && reader.skip(1) }

    /// The characters up to the first that does not belong; none beyond ASCII ever does.
    private mutating func readRun(_ belongs: (Unicode.Scalar) -> Bool) -> UnsafeRawBufferPointer {
        let rest = reader.rest
        let count = rest.firstIndex { $0 > 0x7f || !belongs(Unicode.Scalar($0)) } ?? rest.count
        return reader.readBytes(count) ?? rest
    }

    @discardableResult
    private mutating func skipSpaces() -> Bool { !readRun { $0 == " " }.isEmpty }

    private mutating func skipWhitespace() { _ = readRun { $0 == " " || $0 == "\t" } }
}

extension Unicode.Scalar {
    fileprivate var isLowercase: Bool { "a"..."z" ~= self }
    fileprivate var isLetter: Bool { isLowercase || "A"..."Z" ~= self }
    fileprivate var isDigit: Bool { "0"..."9" ~= self }
}
