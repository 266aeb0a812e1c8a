public import GodwitWire

/// Makes the token by which a server that has lost a connection's state can still end it (RFC 9000 section
/// 10.3.2).
///
/// The token follows from the connection id alone, so any server with the same key can reset a connection of
/// any other, and a server that restarts can reset its own of before.
public struct StatelessResetKey: Sendable {
    private let secret: [UInt8]

    /// A key that the servers of a service share.
    public init(_ key: SharedKey) { secret = key.derive("stateless reset", length: 32) }

    /// The token that belongs to a connection id.
    public func token(for id: ConnectionID) -> StatelessResetToken {
        let code = KeyDerivation.authenticationCode(id.bytes, key: secret, suite: .aes128GCM)
        return StatelessResetToken(high: code[0..<8].networkInteger, low: code[8..<16].networkInteger)
    }
}
