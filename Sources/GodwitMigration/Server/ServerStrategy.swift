/// The machine of the strategy by which a server's connection moves.
enum ServerStrategy: Hashable, Sendable, Codable {
    case explicit(ExplicitServer)
    /// What was told belongs to the connection: see ``PoolServer``.
    case poolOfAddresses
    case symmetric(SymmetricServer)
    case synchronizedSymmetric(SynchronizedSymmetricServer)
    case combined(CombinedServer)

    /// Whether the client knows what it needs.
    func isReady(_ pool: PoolServer) -> Bool {
        switch self {
        case .explicit(let machine): machine.isReady
        case .poolOfAddresses: pool.isReady
        case .symmetric(let machine): machine.isReady
        case .synchronizedSymmetric(let machine): machine.isReady
        case .combined(let machine): machine.isReady
        }
    }

    mutating func onAcknowledged(_ frame: OutgoingMigrationFrame) {
        switch self {
        case .explicit(var machine):
            machine.onAcknowledged(frame)
            self = .explicit(machine)
        case .synchronizedSymmetric(var machine):
            machine.onAcknowledged(frame)
            self = .synchronizedSymmetric(machine)
        case .combined(var machine):
            machine.onAcknowledged(frame)
            self = .combined(machine)
        case .poolOfAddresses, .symmetric: break
        }
    }

    /// Wants the client at the destination now, if the strategy knows one.
    func prefer(ledger: inout AlternativeAddressLedger, outbox: inout MigrationOutbox) {
        switch self {
        case .explicit(let machine): machine.prefer(ledger: &ledger, outbox: &outbox)
        case .combined(let machine): machine.prefer(ledger: &ledger, outbox: &outbox)
        case .poolOfAddresses, .symmetric, .synchronizedSymmetric: break
        }
    }

    /// What the client is told by SERVER_MIGRATION and has not acknowledged.
    var outstandingAnnouncement: MigrationFrameID? {
        if case .explicit(let machine) = self { return machine.announcement }
        return missingAnnouncement
    }

    /// An announcement without which SERVER_MIGRATED would be misunderstood.
    var missingAnnouncement: MigrationFrameID? {
        if case .synchronizedSymmetric(let machine) = self { return machine.announcement }
        return nil
    }
}

/// How a server makes itself known where it goes on (Specs/server-migration.md 6.2, 6.3).
enum ServerVoice: UInt8, Hashable, Sendable, Codable {
    /// The client has to look for it.
    case silent
    /// SERVER_MIGRATED, again and again until something comes from the client.
    case announcing
    /// SERVER_MIGRATED once, and only when there is nothing else to send, as the thesis's program does.
    case announcingOnce
    /// Challenges, and SERVER_MIGRATED where the client knows it.
    case probing
}
