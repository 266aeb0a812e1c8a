/// A field that the user wants sent: `Name: value`.
struct HeaderOption: Hashable, Sendable {
    var name: String
    var value: String

    /// - Throws: a failure that names the option.
    init(_ text: String) throws(Failure) {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
            throw Self.failure(text, "is not 'Name: value'")
        }
        name = String(text[..<colon])
        value = String(text[text.index(after: colon)...].trimmed)
        guard name.utf8.allSatisfy(Self.isTokenCharacter) else {
            throw Self.failure(
                text, "has a name with characters that no field name has (RFC 9110 section 5.1)")
        }
        guard value.unicodeScalars.allSatisfy({ $0 == "\t" || ($0.value >= 0x20 && $0.value != 0x7f) }) else {
            throw Self.failure(name, "has a value with control characters")
        }
        try refuseConnectionFields()
    }

    /// What HTTP/3 does not have, because the connection or the frames say it (RFC 9114 section 4.2).
    private func refuseConnectionFields() throws(Failure) {
        let name = name.lowercased()
        guard !Self.connectionFields.contains(name), name != "te" || value.lowercased() == "trailers" else {
            throw Self.failure(self.name, "is a field that HTTP/3 does not have (RFC 9114 section 4.2)")
        }
        guard name != "content-length" else {
            throw Self.failure(self.name, "is made from the content that is sent")
        }
    }

    private static let connectionFields: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ]

    private static func failure(_ what: String, _ problem: String) -> Failure {
        Failure(ExitCode.usage, "--header: '\(what)' \(problem)")
    }

    /// RFC 9110 section 5.6.2.
    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
