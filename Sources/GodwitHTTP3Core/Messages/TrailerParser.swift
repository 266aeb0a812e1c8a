import GodwitQPACK

/// Checks a trailer section (RFC 9114 section 4.3: it has no pseudo-header fields).
enum TrailerParser {
    static func check(_ fields: FieldSection, inRequest: Bool) throws(MalformedMessage) {
        var rules = FieldRules()
        try fields.forEachUnsafeLine { (line) throws(MalformedMessage) in
            guard line.name.first != UInt8(ascii: ":") else {
                throw MalformedMessage(line.name, "pseudo-header field in a trailer section")
            }
            let field = KnownField(line)
            // What it allows in a request it allows in the header section only.
            guard field != .te else { throw MalformedMessage("te", "in a trailer section") }
            try rules.check(line, field, inRequest: inRequest)
        }
    }

    /// What a sender must not put there besides: fields that the message is framed or routed by (RFC 9110
    /// section 6.5.1). A receiver has no use for them and lets them be.
    static func checkForSending(_ fields: FieldSection, inRequest: Bool) throws(MalformedMessage) {
        try check(fields, inRequest: inRequest)
        try fields.forEachUnsafeLine { (line) throws(MalformedMessage) in
            let field = KnownField(line)
            guard field != .contentLength && field != .host else {
                throw MalformedMessage(line.name, "in a trailer section")
            }
        }
    }
}
