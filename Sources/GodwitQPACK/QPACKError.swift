/// Why QPACK gave up.
public struct QPACKError: Error, Hashable, Sendable, Codable {
    /// What kind of failure it is.
    public enum Kind: UInt8, Hashable, Sendable, Codable, CaseIterable {
        /// A field section can't be decoded (RFC 9204 section 6).
        case decompressionFailed
        /// An instruction on the encoder stream breaks a rule (RFC 9204 section 6).
        case encoderStreamError
        /// An instruction on the decoder stream, or the setting behind it, breaks a rule (RFC 9204 section
        /// 6).
        case decoderStreamError
        /// A field section is larger than we said we accept (RFC 9114 section 4.2.2). The connection and the
        /// state of QPACK are unharmed: a server may answer with 431, a client drop the response.
        case fieldSectionTooLarge
        /// The peer sends field sections but no credit for the decoder stream that must acknowledge them (RFC
        /// 9204 section 7.3).
        case excessiveLoad
    }

    /// What the failure ends (RFC 9114 section 8).
    public enum Scope: UInt8, Hashable, Sendable, Codable {
        /// The stream that the field section came on. Whoever resets it calls
        /// ``QPACKDecoder/cancel(stream:)``.
        case stream
        /// The connection.
        case connection
    }

    /// What kind of failure it is.
    public var kind: Kind
    /// What it ends.
    public var scope: Scope
    /// What the peer did, in words.
    public var reason: String

    /// A failure of kind `kind`. Unless told otherwise it ends the connection.
    public init(_ kind: Kind, _ reason: String, scope: Scope = .connection) {
        self.kind = kind
        self.scope = scope
        self.reason = reason
    }

    /// The error code to reset the stream or close the connection with.
    public var code: UInt64 {
        switch kind {
        case .decompressionFailed: 0x200
        case .encoderStreamError: 0x201
        case .decoderStreamError: 0x202
        // H3_EXCESSIVE_LOAD (RFC 9114 section 8.1): QPACK has no code of its own for these.
        case .fieldSectionTooLarge, .excessiveLoad: 0x107
        }
    }

    static let fieldSectionTooLarge = QPACKError(
        .fieldSectionTooLarge, "field section larger than the limit", scope: .stream)
}
