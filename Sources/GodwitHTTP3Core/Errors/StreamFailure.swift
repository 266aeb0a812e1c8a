/// An error found on a request stream, and how far it reaches (RFC 9114 section 8).
struct StreamFailure: Error, Hashable, Sendable {
    var error: HTTP3Error
    var closesConnection: Bool

    /// A stream error: the request is lost, the connection goes on.
    static func stream(_ code: HTTP3ErrorCode, _ reason: String) -> StreamFailure {
        StreamFailure(error: HTTP3Error(code, reason), closesConnection: false)
    }

    /// A connection error.
    static func connection(_ code: HTTP3ErrorCode, _ reason: String) -> StreamFailure {
        StreamFailure(error: HTTP3Error(code, reason), closesConnection: true)
    }

    /// A malformed message (RFC 9114 section 4.1.2).
    static func malformed(_ message: MalformedMessage) -> StreamFailure {
        .stream(.messageError, "malformed message: \(message.field): \(message.reason)")
    }
}
