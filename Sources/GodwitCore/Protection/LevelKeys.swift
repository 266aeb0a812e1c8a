import GodwitCrypto
import GodwitWire

/// The keys of one direction at one level, made from a secret and dropped with it.
///
/// Only the secret is state; the contexts are caches that a restored connection makes anew.
struct DirectionKeys {
    let secret: TrafficSecret
    let packet: PacketKey
    let header: HeaderProtectionKey

    init(secret: TrafficSecret, version: QUICVersion) {
        self.secret = secret
        self.packet = PacketKey(secret: secret, version: version)
        self.header = HeaderProtectionKey(secret: secret, version: version)
    }
}

/// Both directions of a level.
struct LevelKeys {
    var read: DirectionKeys?
    var write: DirectionKeys? { didSet { sealed = 0 } }
    /// How many packets the writing keys have protected.
    var sealed: UInt64 = 0

    /// Whether the writing keys may protect another packet (RFC 9001 section 6.6).
    var canWrite: Bool {
        guard let write else { return false }
        return sealed < write.secret.suite.confidentialityLimit
    }

    mutating func onSealed() { sealed += 1 }
}
