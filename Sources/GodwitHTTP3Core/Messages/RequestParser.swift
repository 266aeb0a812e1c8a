import GodwitQPACK

/// Checks the header section of a request line by line (RFC 9114 sections 4.2 and 4.3.1).
struct RequestParser {
    private var control = RequestControl()
    private var rules = FieldRules()
    private var index = 0
    private var hostLine: Int?
    private var hasBrokenPriority = false
    private var hasWebScheme = false
    private var pathKind = PathKind.missing

    private enum PathKind {
        case missing
        case absolute
        case asterisk
        case other
    }

    /// What a request says of itself; throws if it is malformed. Whether `:protocol` is among the fields that
    /// may come is for the caller to say (RFC 9220 section 3).
    static func parse(_ fields: FieldSection, allowsProtocol: Bool) throws(MalformedMessage) -> RequestControl
    {
        var parser = RequestParser()
        try fields.forEachUnsafeLine { (line) throws(MalformedMessage) in
            try parser.take(line, allowsProtocol: allowsProtocol)
        }
        return try parser.finish(fields)
    }

    private mutating func take(_ line: UnsafeFieldLine, allowsProtocol: Bool) throws(MalformedMessage) {
        let field = KnownField(line)
        switch field {
        case .method, .scheme, .authority, .path, .protocol:
            guard field != .protocol || allowsProtocol else {
                throw MalformedMessage(":protocol", "extended CONNECT is not enabled")
            }
            try takePseudoHeader(line, field)
        case .status: throw MalformedMessage(":status", "in a request")
        case .unknownPseudoHeader: throw MalformedMessage(line.name, "unknown pseudo-header field")
        default: try takeField(line, field)
        }
        index += 1
    }

    private mutating func takePseudoHeader(_ line: UnsafeFieldLine, _ field: KnownField)
        throws(MalformedMessage)
    {
        guard index == Int(control.pseudoHeaderCount) else {
            throw MalformedMessage(line.name, "pseudo-header field behind a regular field")
        }
        let isFirst =
            switch field {
            case .method: Self.claim(&control.methodLine, index)
            case .scheme: Self.claim(&control.schemeLine, index)
            case .authority: Self.claim(&control.authorityLine, index)
            case .path: Self.claim(&control.pathLine, index)
            default: Self.claim(&control.protocolLine, index)
            }
        guard isFirst else { throw MalformedMessage(line.name, "pseudo-header field given twice") }
        control.pseudoHeaderCount += 1
        try checkValue(line, field)
    }

    // Each of the five is there once at most, so that their count and lines fit a byte.
    private static func claim(_ line: inout UInt8, _ index: Int) -> Bool {
        guard line == RequestControl.none else { return false }
        line = UInt8(truncatingIfNeeded: index)
        return true
    }

    private mutating func takeField(_ line: UnsafeFieldLine, _ field: KnownField) throws(MalformedMessage) {
        try rules.check(line, field, inRequest: true)
        switch field {
        case .host:
            guard hostLine == nil else { throw MalformedMessage("host", "given more than once") }
            // It may stand in for :authority, so it has to be one (RFC 9110 section 7.2).
            guard FieldCharacters.isAuthority(line.value) else {
                throw MalformedMessage("host", "a value that it can't have")
            }
            hostLine = index
        case .priority: takePriority(line.value)
        default: break
        }
    }

    // Lines of one name are one dictionary; if a part can't be read none of it counts (RFC 8941 section 4.2).
    private mutating func takePriority(_ value: UnsafeRawBufferPointer) {
        var priority = control.priority ?? .default
        if !priority.merge(fieldValue: value) { hasBrokenPriority = true }
        control.priority = hasBrokenPriority ? nil : priority
    }
}

// MARK: Values of pseudo-header fields

extension RequestParser {
    private mutating func checkValue(_ line: UnsafeFieldLine, _ field: KnownField) throws(MalformedMessage) {
        let isValid: Bool
        switch field {
        case .method:
            control.method = RequestMethod(line)
            isValid = control.method != .other || FieldCharacters.isToken(line.value)
        case .scheme:
            hasWebScheme = Self.isWeb(line.value)
            isValid = hasWebScheme || Self.isScheme(line.value)
        case .authority: isValid = FieldCharacters.isAuthority(line.value)
        case .path:
            pathKind = Self.pathKind(line.value)
            isValid = FieldCharacters.isPath(line.value)
        default: isValid = Self.isProtocol(line.value)
        }
        guard isValid else { throw MalformedMessage(line.name, "a value that it can't have") }
    }

    // Schemes mean the same in uppercase (RFC 3986 section 3.1), and the rules of these two must not be
    // escaped.
    private static func isWeb(_ value: UnsafeRawBufferPointer) -> Bool {
        if value.spells("https") { return true }
        let letters = value.lazy.map { $0 | 0x20 }
        return letters.elementsEqual("https".utf8) || letters.elementsEqual("http".utf8)
    }

    // RFC 3986 section 3.1
    private static func isScheme(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let first = value.first, 0x61...0x7a ~= first | 0x20 else { return false }
        return value.allSatisfy { 0x61...0x7a ~= $0 | 0x20 || 0x30...0x39 ~= $0 || "+-.".utf8.contains($0) }
    }

    private static func pathKind(_ value: UnsafeRawBufferPointer) -> PathKind {
        if value.first == UInt8(ascii: "/") { return .absolute }
        return value.count == 1 && value[0] == UInt8(ascii: "*") ? .asterisk : .other
    }

    // A protocol of HTTP Upgrade, which may have a version (RFC 9110 section 7.8).
    private static func isProtocol(_ value: UnsafeRawBufferPointer) -> Bool {
        !value.isEmpty && value.allSatisfy { FieldCharacters.isToken($0) || $0 == UInt8(ascii: "/") }
    }
}

// MARK: The section as a whole

extension RequestParser {
    private mutating func finish(_ fields: FieldSection) throws(MalformedMessage) -> RequestControl {
        guard control.methodLine != RequestControl.none else { throw MalformedMessage(":method", "missing") }
        if control.isTunnel && !control.isExtendedConnect {
            try checkConnect(fields)
        } else {
            try checkTarget(fields)
        }
        try checkHost(fields)
        if control.isExtendedConnect { try rules.capsules.check() }
        if !control.isTunnel { control.contentLength = rules.contentLength }
        return control
    }

    private func checkTarget(_ fields: FieldSection) throws(MalformedMessage) {
        guard control.method == .connect || control.protocolLine == RequestControl.none else {
            throw MalformedMessage(":protocol", "with a method other than CONNECT")
        }
        guard control.schemeLine != RequestControl.none else { throw MalformedMessage(":scheme", "missing") }
        guard control.pathLine != RequestControl.none else { throw MalformedMessage(":path", "missing") }
        if hasWebScheme { try checkWebTarget(fields) }
    }

    // RFC 9114 section 4.3.1
    private func checkWebTarget(_ fields: FieldSection) throws(MalformedMessage) {
        guard pathKind == .absolute || pathKind == .asterisk && control.method == .options else {
            throw MalformedMessage(":path", "neither begins with / nor is the * of OPTIONS")
        }
        guard let line = control.line(control.authorityLine) ?? hostLine else {
            throw MalformedMessage(":authority", "missing, and no host field either")
        }
        let hasUserInformation = fields.withUnsafeLine(at: line) { $0.value.contains(UInt8(ascii: "@")) }
        if hasUserInformation { throw MalformedMessage(":authority", "with user information") }
    }

    // RFC 9114 section 4.3.1
    private func checkHost(_ fields: FieldSection) throws(MalformedMessage) {
        try checkNotEmpty(fields, control.line(control.authorityLine), ":authority")
        try checkNotEmpty(fields, hostLine, "host")
        guard let hostLine, let authority = control.line(control.authorityLine) else { return }
        let areSame = fields.withUnsafeLine(at: hostLine) { host in
            fields.withUnsafeLine(at: authority) { $0.value.elementsEqual(host.value) }
        }
        guard areSame else { throw MalformedMessage("host", "another value than :authority") }
    }

    private func checkNotEmpty(_ fields: FieldSection, _ line: Int?, _ name: String) throws(MalformedMessage)
    {
        guard let line else { return }
        let isEmpty = fields.withUnsafeLine(at: line) { $0.value.isEmpty }
        if isEmpty { throw MalformedMessage(name, "empty") }
    }

    // RFC 9114 section 4.4
    private func checkConnect(_ fields: FieldSection) throws(MalformedMessage) {
        guard control.schemeLine == RequestControl.none else {
            throw MalformedMessage(":scheme", "in a CONNECT request")
        }
        guard control.pathLine == RequestControl.none else {
            throw MalformedMessage(":path", "in a CONNECT request")
        }
        guard let authority = control.line(control.authorityLine) else {
            throw MalformedMessage(":authority", "missing in a CONNECT request")
        }
        let hasPort = fields.withUnsafeLine(at: authority) { Self.hasHostAndPort($0.value) }
        guard hasPort else { throw MalformedMessage(":authority", "not a host and a port") }
    }

    // RFC 9110 section 9.3.6: what a tunnel leads to is a host and a port that there can be, nothing else.
    private static func hasHostAndPort(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let colon = value.lastIndex(of: UInt8(ascii: ":")), isHost(value[..<colon]) else {
            return false
        }
        let port = value[(colon + 1)...]
        guard 1...5 ~= port.count, port.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
        return 1...65_535 ~= port.reduce(0) { $0 * 10 + Int($1 & 0x0f) }
    }

    private static func isHost(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let first = value.first, let last = value.last else { return false }
        let isBracketed = first == UInt8(ascii: "[") && last == UInt8(ascii: "]")
        return !value.contains(UInt8(ascii: "@")) && (isBracketed || !value.contains(UInt8(ascii: ":")))
    }
}
