import GodwitCrypto
import GodwitWire

/// All the keys of a connection, by level.
struct PacketProtection {
    private(set) var initial = LevelKeys()
    /// At a server that has changed the version: keys for Initial packets of a client that does not know yet
    /// (RFC 9369 section 4.1).
    private(set) var originalInitialRead: DirectionKeys?
    /// Early data flows from the client only: it has write keys there, read keys at the server.
    private(set) var earlyData = LevelKeys()
    private(set) var handshake = LevelKeys()
    var oneRTT: OneRTTKeys?
    /// The peer's 1-RTT secret where it becomes known before our own.
    private var oneRTTReadSecret: TrafficSecret?

    init() {}

    init(oneRTT: OneRTTKeys) { self.oneRTT = oneRTT }

    /// Initial keys come from the destination connection id of the client's first Initial packet (RFC 9001
    /// section 5.2).
    mutating func installInitial(destination: ConnectionID, role: Role, version: QUICVersion) {
        if role == .server { originalInitialRead = originalInitialRead ?? initial.read }
        let secrets = InitialSecrets(destinationConnectionID: destination, version: version)
        let client = DirectionKeys(secret: secrets.client, version: version)
        let server = DirectionKeys(secret: secrets.server, version: version)
        initial = role == .client ? LevelKeys(read: server, write: client) : LevelKeys(read: client, write: server)
    }

    mutating func installRead(_ secret: TrafficSecret, at level: EncryptionLevel, version: QUICVersion) {
        switch level {
        case .initial: initial.read = DirectionKeys(secret: secret, version: version)
        case .earlyData: earlyData.read = DirectionKeys(secret: secret, version: version)
        case .handshake: handshake.read = DirectionKeys(secret: secret, version: version)
        case .oneRTT:
            oneRTTReadSecret = secret
            oneRTT?.installRead(secret)
        }
    }

    mutating func installWrite(_ secret: TrafficSecret, at level: EncryptionLevel, version: QUICVersion) {
        switch level {
        case .initial: initial.write = DirectionKeys(secret: secret, version: version)
        case .earlyData: earlyData.write = DirectionKeys(secret: secret, version: version)
        case .handshake: handshake.write = DirectionKeys(secret: secret, version: version)
        case .oneRTT:
            var keys = OneRTTKeys(write: secret, version: version)
            if let oneRTTReadSecret { keys.installRead(oneRTTReadSecret) }
            oneRTT = keys
            oneRTTReadSecret = nil
        }
    }

    /// The keys of a long-header level.
    func keys(at level: EncryptionLevel) -> LevelKeys {
        switch level {
        case .initial: initial
        case .earlyData: earlyData
        case .handshake: handshake
        case .oneRTT: LevelKeys()
        }
    }

    func canWrite(at level: EncryptionLevel) -> Bool {
        level == .oneRTT ? oneRTT != nil : keys(at: level).write != nil
    }

    func canRead(at level: EncryptionLevel) -> Bool {
        level == .oneRTT ? oneRTT?.readHeader != nil : keys(at: level).read != nil
    }

    mutating func discard(_ level: EncryptionLevel) {
        switch level {
        case .initial: (initial, originalInitialRead) = (LevelKeys(), nil)
        case .earlyData: earlyData = LevelKeys()
        case .handshake: handshake = LevelKeys()
        case .oneRTT: oneRTT = nil
        }
    }
}
