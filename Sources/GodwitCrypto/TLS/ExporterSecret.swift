/// The secret from which both sides can make further ones that nobody else knows (RFC 8446 section 7.5).
///
/// It is plain data, so it outlives the TLS session and goes with a connection to another host.
public struct ExporterSecret: Hashable, Sendable, Codable {
    /// The suite whose hash is used.
    public let suite: CipherSuite
    let bytes: [UInt8]

    init(suite: CipherSuite, bytes: [UInt8]) {
        self.suite = suite
        self.bytes = bytes
    }

    /// Keying material that both sides get for the same label and context.
    ///
    /// - Parameters:
    ///   - label: names the purpose; at most 249 bytes.
    ///   - context: what else sets this use apart; none and empty are the same (RFC 8446 section 7.5).
    ///   - length: how many bytes, up to 255 times the hash's.
    public func export(label: String, context: [UInt8] = [], length: Int) -> [UInt8] {
        let derived = KeyDerivation.expandLabel(
            bytes, label, context: KeyDerivation.hash([], suite: suite), length: suite.hashLength,
            suite: suite)
        return KeyDerivation.expandLabel(
            derived, "exporter", context: KeyDerivation.hash(context, suite: suite), length: length,
            suite: suite)
    }
}

extension ExporterSecret: CustomStringConvertible {
    /// Says nothing of the secret.
    public var description: String { "ExporterSecret(\(suite))" }
}
