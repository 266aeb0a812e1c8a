public import GodwitWire

/// The secrets of Initial packets, which anyone who saw the client's first packet can compute (RFC 9001
/// section 5.2).
public struct InitialSecrets: Hashable, Sendable {
    /// What the client's packets are protected with.
    public let client: TrafficSecret
    /// What the server's packets are protected with.
    public let server: TrafficSecret

    /// - Parameters:
    ///   - destinationConnectionID: of the first Initial packet that the client sent, or after a Retry of the
    ///     first that answered it.
    ///   - version: of the packets to protect.
    public init(destinationConnectionID: ConnectionID, version: QUICVersion) {
        let common = KeyDerivation.extract(
            salt: VersionLabels.of(version).initialSalt, inputKeyMaterial: destinationConnectionID.bytes,
            suite: .aes128GCM)
        client = Self.expand(common, "client in")
        server = Self.expand(common, "server in")
    }

    private static func expand(_ secret: [UInt8], _ label: String) -> TrafficSecret {
        TrafficSecret(
            suite: .aes128GCM,
            bytes: KeyDerivation.expandLabel(secret, label, length: 32, suite: .aes128GCM))
    }
}
