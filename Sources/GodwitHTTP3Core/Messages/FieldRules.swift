import GodwitQPACK

/// What holds for the regular fields of every section (RFC 9114 section 4.2).
struct FieldRules {
    /// What the Content-Length field said.
    private(set) var contentLength: UInt64?
    /// What the fields say about capsules.
    private(set) var capsules = CapsuleUse()

    /// Checks a line that is not a pseudo-header field.
    mutating func check(_ line: UnsafeFieldLine, _ field: KnownField, inRequest: Bool)
        throws(MalformedMessage)
    {
        // The names that are known are names.
        guard field != .ordinary || FieldCharacters.isName(line.name) else { throw Self.badName(line.name) }
        guard FieldCharacters.isValue(line.value) else {
            throw MalformedMessage(line.name, "the value has a character that no field may have")
        }
        switch field {
        case .connectionSpecific: throw MalformedMessage(line.name, "connection-specific field")
        case .te: try Self.checkTE(line, inRequest: inRequest)
        case .contentLength: try takeContentLength(line)
        case .contentType: capsules.takeContentField("content-type")
        case .capsuleProtocol: capsules.take(line.value)
        default: break
        }
    }

    private static func badName(_ name: UnsafeRawBufferPointer) -> MalformedMessage {
        if name.isEmpty { return MalformedMessage("(empty)", "a field without a name") }
        let hasUppercase = name.contains { 0x41...0x5a ~= $0 }
        return MalformedMessage(
            name,
            hasUppercase ? "uppercase letter in the name" : "the name has a character that no name may have")
    }

    // RFC 9114 section 4.2: the one connection-specific field that has a meaning left.
    private static func checkTE(_ line: UnsafeFieldLine, inRequest: Bool) throws(MalformedMessage) {
        guard inRequest, line.value.spells("trailers") else {
            throw MalformedMessage("te", "only requests have it, and only with the value \"trailers\"")
        }
    }

    // RFC 9110 section 8.6 lets a recipient refuse repetitions, and who forwards one must not guess.
    private mutating func takeContentLength(_ line: UnsafeFieldLine) throws(MalformedMessage) {
        guard contentLength == nil else { throw MalformedMessage("content-length", "given more than once") }
        guard let length = Self.decimal(line.value) else {
            throw MalformedMessage("content-length", "not a number")
        }
        contentLength = length
        capsules.takeContentField("content-length")
    }

    private static func decimal(_ digits: UnsafeRawBufferPointer) -> UInt64? {
        // Eighteen digits are more than any stream can carry, and can't overflow.
        guard 1...18 ~= digits.count else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard 0x30...0x39 ~= digit else { return nil }
            value = value * 10 + UInt64(digit & 0x0f)
        }
        return value
    }
}
