import GodwitCrypto
import GodwitWire

/// All the keys of a connection, by level.
struct PacketProtection {
    var initial = LevelKeys()
    /// At a server that has changed the version: keys for Initial packets of a client that does not know yet
    /// (RFC 9369 section 4.1).
    private(set) var originalInitialRead: DirectionKeys?
    /// Early data flows from the client only: it has write keys there, read keys at the server.
    private(set) var earlyData = LevelKeys()
    var handshake = LevelKeys()
    var oneRTT: OneRTTKeys?
    /// The peer's 1-RTT secret where it becomes known before our own.
    private var oneRTTReadSecret: TrafficSecret?
    /// How many packets have failed to authenticate in the life of the connection, whatever their keys (RFC
    /// 9001 section 6.6).
    var failedToOpen: UInt64

    init(oneRTT: OneRTTKeys? = nil, failedToOpen: UInt64 = 0) {
        self.oneRTT = oneRTT
        self.failedToOpen = failedToOpen
    }

    /// Initial keys come from the destination connection id of the client's first Initial packet (RFC 9001
    /// section 5.2).
    mutating func installInitial(destination: ConnectionID, role: Role, version: QUICVersion) {
        if role == .server { originalInitialRead = originalInitialRead ?? initial.read }
        let secrets = InitialSecrets(destinationConnectionID: destination, version: version)
        let client = DirectionKeys(secret: secrets.client, version: version)
        let server = DirectionKeys(secret: secrets.server, version: version)
        initial =
            role == .client ? LevelKeys(read: server, write: client) : LevelKeys(read: client, write: server)
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
        level == .oneRTT ? oneRTT != nil : keys(at: level).canWrite
    }

    func canRead(at level: EncryptionLevel) -> Bool {
        level == .oneRTT ? oneRTT?.readHeader != nil : keys(at: level).read != nil
    }

    // MARK: Limits of the AEAD (RFC 9001 section 6.6)

    /// Counts a packet towards what its keys may protect.
    mutating func onSealed(_ packetNumber: UInt64, at level: EncryptionLevel) {
        switch level {
        case .initial: initial.onSealed()
        case .earlyData: earlyData.onSealed()
        case .handshake: handshake.onSealed()
        case .oneRTT: oneRTT?.onSealed(packetNumber)
        }
    }

    /// Whether so many packets failed to authenticate that the connection has to end.
    var hasReachedIntegrityLimit: Bool { failedToOpen >= suite.integrityLimit }

    /// The suite that the handshake agreed on; Initial packets have theirs before.
    private var suite: CipherSuite {
        oneRTT?.state.writeSecret.suite ?? handshake.read?.secret.suite ?? .aes128GCM
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
