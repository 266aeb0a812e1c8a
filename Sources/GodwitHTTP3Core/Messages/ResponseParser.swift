import GodwitQPACK

/// Checks the header section of a response line by line (RFC 9114 sections 4.2 and 4.3.2).
struct ResponseParser {
    private var rules = FieldRules()
    private var status: Int?
    private var hasFields = false

    /// What a response says of itself; throws if it is malformed.
    static func parse(
        _ fields: FieldSection
    ) throws(MalformedMessage) -> (status: Int, contentLength: UInt64?, capsules: CapsuleUse) {
        var parser = ResponseParser()
        try fields.forEachUnsafeLine { (line) throws(MalformedMessage) in try parser.take(line) }
        guard let status = parser.status else { throw MalformedMessage(":status", "missing") }
        return (status, parser.rules.contentLength, parser.rules.capsules)
    }

    private mutating func take(_ line: UnsafeFieldLine) throws(MalformedMessage) {
        let field = KnownField(line)
        switch field {
        case .status: try takeStatus(line)
        case .method, .scheme, .authority, .path, .protocol:
            throw MalformedMessage(line.name, "in a response")
        case .unknownPseudoHeader: throw MalformedMessage(line.name, "unknown pseudo-header field")
        default:
            hasFields = true
            try rules.check(line, field, inRequest: false)
        }
    }

    private mutating func takeStatus(_ line: UnsafeFieldLine) throws(MalformedMessage) {
        guard !hasFields else {
            throw MalformedMessage(":status", "pseudo-header field behind a regular field")
        }
        guard status == nil else { throw MalformedMessage(":status", "pseudo-header field given twice") }
        guard let code = Self.statusCode(line.value) else {
            throw MalformedMessage(":status", "not a status code of three digits")
        }
        // HTTP/3 has no upgrades (RFC 9114 section 4.5).
        guard code != 101 else { throw MalformedMessage(":status", "101, which HTTP/3 does not have") }
        status = code
    }

    private static func statusCode(_ digits: UnsafeRawBufferPointer) -> Int? {
        guard digits.count == 3, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1 & 0x0f) }
        return code >= 100 ? code : nil
    }
}
