public import GodwitQPACK

/// The header section of a response that is well formed (RFC 9114 section 4.3.2).
public struct ResponseHead: Equatable, Sendable, Codable {
    /// All field lines, `:status` first.
    public var fields: FieldSection
    /// The status code, 100 to 999 and not 101.
    public internal(set) var status: Int
    /// What the Content-Length field says, in bytes. A response to HEAD and one with status 304 say so of
    /// content that they don't have (RFC 9110 section 8.6).
    public internal(set) var contentLength: UInt64?

    /// Whether this is an interim response: others follow (RFC 9110 section 15.2).
    public var isInformational: Bool { status < 200 }
}
