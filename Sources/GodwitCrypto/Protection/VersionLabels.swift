internal import GodwitWire

/// What the protection of packets takes from the QUIC version: a salt and the labels of the keys.
struct VersionLabels {
    let initialSalt: [UInt8]
    let key: String
    let iv: String
    let headerProtection: String
    let keyUpdate: String

    /// RFC 9001 sections 5.1, 5.2 and 6.1.
    static let v1 = VersionLabels(
        initialSalt: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a", prefix: "quic ")

    /// RFC 9369 section 3.3.
    static let v2 = VersionLabels(
        initialSalt: "0dede3def700a6db819381be6e269dcbf9bd2ed9", prefix: "quicv2 ")

    /// mvfst's version keeps the salt of draft 23 beside the labels of version 1.
    static let draft23 = VersionLabels(
        initialSalt: "c3eef712c72ebb5a11a7d2432bb46365bef9f502", prefix: "quic ")

    private init(initialSalt: String, prefix: String) {
        self.initialSalt = Hexadecimal.decode(initialSalt)!
        self.key = prefix + "key"
        self.iv = prefix + "iv"
        self.headerProtection = prefix + "hp"
        self.keyUpdate = prefix + "ku"
    }

    /// Versions that aren't known here are taken for relatives of version 1, whose labels they would inherit.
    static func of(_ version: QUICVersion) -> VersionLabels {
        switch version {
        case .v2: v2
        case .mvfst: draft23
        default: v1
        }
    }
}
