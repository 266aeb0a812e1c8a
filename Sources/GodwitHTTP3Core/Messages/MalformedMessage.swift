/// What makes a message malformed (RFC 9114 section 4.1.2).
struct MalformedMessage: Error, Hashable, Sendable {
    /// The name of the field that is wrong or missing.
    var field: String
    var reason: String

    init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    /// A name as the peer sent it: no longer than a log likes, and nothing in it that a terminal could obey.
    init(_ name: UnsafeRawBufferPointer, _ reason: String) {
        let shown = name.prefix(64).map { 0x21...0x7e ~= $0 ? Character(Unicode.Scalar($0)) : "?" }
        self.init(String(shown), reason)
    }
}
