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
    var write: DirectionKeys?
}
