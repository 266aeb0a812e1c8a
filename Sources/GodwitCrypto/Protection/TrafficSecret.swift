public import GodwitWire

/// A secret that TLS made for one direction at one level, from which the keys of packets come.
///
/// It is plain data, so that a connection can be carried to another host; the contexts made from it
/// (``PacketKey``, ``HeaderProtectionKey``) are not and are made anew.
public struct TrafficSecret: Hashable, Sendable, Codable {
    /// The cipher suite that the secret is for.
    public let suite: CipherSuite
    /// As many bytes as the suite's hash has.
    public let bytes: [UInt8]

    /// A secret whose length isn't that of the suite's hash is a programming error.
    public init(suite: CipherSuite, bytes: [UInt8]) {
        precondition(bytes.count == suite.hashLength)
        self.suite = suite
        self.bytes = bytes
    }

    /// The secret of the next key phase (RFC 9001 section 6.1, RFC 9369 section 3.3.2).
    public func updated(version: QUICVersion) -> TrafficSecret {
        let label = VersionLabels.of(version).keyUpdate
        return TrafficSecret(suite: suite, bytes: expand(label, length: suite.hashLength))
    }

    /// The key of the AEAD (RFC 9001 section 5.1).
    public func packetKeyBytes(version: QUICVersion) -> [UInt8] {
        expand(VersionLabels.of(version).key, length: suite.keyLength)
    }

    /// The initialization vector (RFC 9001 section 5.1).
    public func ivBytes(version: QUICVersion) -> [UInt8] {
        expand(VersionLabels.of(version).iv, length: CipherSuite.ivLength)
    }

    /// The header protection key (RFC 9001 section 5.4).
    public func headerKeyBytes(version: QUICVersion) -> [UInt8] {
        expand(VersionLabels.of(version).headerProtection, length: suite.keyLength)
    }

    private func expand(_ label: String, length: Int) -> [UInt8] {
        KeyDerivation.expandLabel(bytes, label, length: length, suite: suite)
    }

    /// Reads a secret and checks its length.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        suite = try container.decode(CipherSuite.self, forKey: .suite)
        bytes = try container.decode([UInt8].self, forKey: .bytes)
        guard bytes.count == suite.hashLength else {
            throw DecodingError.dataCorruptedError(
                forKey: .bytes, in: container,
                debugDescription: "a secret of \(bytes.count) bytes for \(suite)")
        }
    }
}

extension TrafficSecret: CustomStringConvertible {
    /// Names the suite only: a secret that can be printed ends up in a log.
    public var description: String { "TrafficSecret(\(suite))" }
}
