/// A reason to close the connection or to end a stream, found in what the peer did (RFC 9114 section 8).
public struct HTTP3Error: Error, Hashable, Sendable, Codable {
    /// The code that the peer is told.
    public var code: HTTP3ErrorCode
    /// What the peer did, in words for whoever reads the log; a connection error carries it to the peer too.
    public var reason: String

    /// An error with its code and what the peer did.
    public init(_ code: HTTP3ErrorCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}

extension HTTP3Error: CustomStringConvertible {
    /// Code and reason.
    public var description: String { "\(code): \(reason)" }
}
