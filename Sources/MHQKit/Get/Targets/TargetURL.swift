/// An `https` URL, taken apart (RFC 3986).
struct TargetURL: Hashable, Sendable {
    /// As it was given, for messages and reports.
    let text: String
    /// A host name in lowercase, or an IP address without brackets.
    private(set) var host = ""
    private(set) var port: UInt16 = 443
    /// With its leading slash, and the query if there is one.
    private(set) var path = "/"

    /// What is wrong with a URL, as it stands behind the URL in a message.
    struct Problem: Error, Hashable {
        let reason: String
    }

    /// - Parameter text: with `https://` or without a scheme. What a URL can't hold is percent-encoded, but
    ///   for spaces and control characters, which are more likely a mistake.
    init(_ text: String) throws(Problem) {
        self.text = text
        guard !text.isEmpty else { throw Problem(reason: "is empty") }
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7f }) else {
            throw Problem(reason: "has a space or a control character (write a space as %20)")
        }
        let rest = try Self.withoutScheme(text)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        try readAuthority(rest[..<end])
        path = try Self.path(rest[end...])
    }

    /// The authority for a request: without the port if it is the usual one (RFC 9110 section 4.2.2).
    var authority: String { port == 443 ? hostText : "\(hostText):\(port)" }

    /// Host and port, for messages.
    var hostAndPort: String { "\(hostText):\(port)" }

    private var hostText: String { host.contains(":") ? "[\(host)]" : host }

    /// The last name of the path, to call a file by; nil if there is none that is fit for it.
    var fileName: String? {
        let name = path.prefix { $0 != "?" }.utf8.split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let last = name.last, let bytes = PercentEncoding.decode(ArraySlice(last)) else { return nil }
        guard !bytes.isEmpty, !bytes.contains(0), !bytes.contains(UInt8(ascii: "/")) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text == "." || text == ".." ? nil : text
    }

    // MARK: Reading

    private static func withoutScheme(_ text: String) throws(Problem) -> Substring {
        guard let end = text.firstRange(of: "://") else { return text[...] }
        let scheme = text[..<end.lowerBound].lowercased()
        guard scheme == "https" else {
            throw Problem(reason: "has the scheme '\(scheme)'; HTTP/3 is spoken with https alone")
        }
        return text[end.upperBound...]
    }

    private mutating func readAuthority(_ authority: Substring) throws(Problem) {
        guard !authority.contains("@") else {
            throw Problem(reason: "names a user, which https does not allow (RFC 9110 section 4.2.4)")
        }
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            try readPort(authority[authority.index(after: colon)...])
        }
        if host.first == "[" || host.contains(":") { return try readIPv6(host) }
        guard !host.isEmpty else { throw Problem(reason: "names no host") }
        guard host.utf8.allSatisfy(Self.isHostCharacter) else {
            throw Problem(reason: "has a host name with characters that no host name has")
        }
        self.host = host.lowercased()
    }

    private mutating func readPort(_ text: Substring) throws(Problem) {
        // An empty port means the usual one (RFC 3986 section 3.2.3).
        if text.isEmpty { return }
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(text), port > 0 else {
            throw Problem(reason: "has the port '\(text)', which is not a number from 1 to 65535")
        }
        self.port = port
    }

    private mutating func readIPv6(_ host: Substring) throws(Problem) {
        let address = host.dropFirst().dropLast()
        guard host.first == "[", host.last == "]", address.contains(":"),
            address.utf8.allSatisfy({
                Self.isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
            })
        else { throw Problem(reason: "has an IPv6 address that is none, or that is not in brackets") }
        self.host = address.lowercased()
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
            || UInt8(ascii: "A")...UInt8(ascii: "F") ~= byte
    }

    /// The path and the query; the fragment stays at home (RFC 9110 section 7.1).
    private static func path(_ text: Substring) throws(Problem) -> String {
        let text = text.prefix { $0 != "#" }
        let end = text.firstIndex(of: "?") ?? text.endIndex
        return withoutDots(text[..<end]) + encoded(text[end...])
    }

    /// Takes `.` and `..` away (RFC 3986 section 5.2.4).
    private static func withoutDots(_ path: Substring) -> String {
        let names = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        var kept: [Substring] = []
        for (index, name) in names.enumerated() {
            let isLast = index == names.count - 1
            if name == ".." { _ = kept.popLast() }
            if name == "." || name == ".." {
                if isLast { kept.append("") }
            } else {
                kept.append(name)
            }
        }
        return "/" + kept.map { encoded($0) }.joined(separator: "/")
    }

    /// With what is not ASCII, or never stands in a URL, percent-encoded.
    private static func encoded(_ text: Substring) -> String {
        guard !text.utf8.allSatisfy(isURLCharacter) else { return String(text) }
        return text.utf8.reduce(into: "") { encoded, byte in
            encoded += isURLCharacter(byte) ? String(UnicodeScalar(byte)) : PercentEncoding.encode(byte)
        }
    }

    private static func isURLCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "^"),
            UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            false
        default: 0x21...0x7e ~= byte
        }
    }
}
