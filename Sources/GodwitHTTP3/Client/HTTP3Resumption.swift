public import Godwit
public import GodwitHTTP3Core

/// What a client keeps of a connection to make the next one to the same server faster: the transport's part,
/// and the server's settings, which early data has to keep to (RFC 9114 section 7.2.4.2).
///
/// It holds secrets: keep it as you would a password. It can be stored, being `Codable`, and is good for one
/// connection.
public struct HTTP3Resumption: Sendable, Hashable, Codable {
    /// The transport's part.
    public var quic: QUICResumption
    /// What the server said of itself.
    public var settings: HTTP3Settings

    /// Puts the parts together.
    public init(quic: QUICResumption, settings: HTTP3Settings) {
        self.quic = quic
        self.settings = settings
    }
}
