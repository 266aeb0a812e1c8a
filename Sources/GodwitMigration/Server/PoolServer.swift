import GodwitWire

/// What a server has told of its pool (Specs/server-migration.md 4.2).
///
/// ```
///   untold ──handshake confirmed──► telling ──every frame acknowledged──► told
///                                      ▲                                   │
///                                      └────── changed (0x10 only) ────────┘
/// ```
///
/// The pool belongs to the connection, not to one move: it is told once and good for every move after.
struct PoolServer: Hashable, Sendable, Codable {
    private(set) var pool: AddressPool
    private(set) var isTold = false
    private var announcement = ServerAnnouncement()

    init(_ pool: AddressPool) { self.pool = pool }

    var isReady: Bool { isTold && !pool.isEmpty && announcement.isAcknowledged }

    /// Tells the pool for the first time; an empty one is not told.
    mutating func tell(outbox: inout MigrationOutbox) {
        guard !isTold, !pool.isEmpty else { return }
        isTold = true
        for address in pool.addresses {
            let frame = MigrationFrame.poolMigrationAddress(MigrationAddress(address))
            announcement.add(outbox.append(frame), telling: address)
        }
    }

    /// Tells what has changed, in ALTERNATIVE_ADDRESS frames: POOL_MIGRATION_ADDRESS can't take back.
    ///
    /// - Parameter kept: addresses that the client needs for another reason.
    mutating func change(
        to new: AddressPool, keeping kept: MigrationDestination?, ledger: inout AlternativeAddressLedger,
        outbox: inout MigrationOutbox
    ) {
        for address in pool.addresses where !new.contains(address) {
            if let frame = announcement.drop(address) { outbox.withdraw(frame) }
            if kept?.contains(address) != true { ledger.retire(address, outbox: &outbox) }
        }
        for address in new.addresses where !pool.contains(address) {
            announcement.add(ledger.announce(address, outbox: &outbox), telling: address)
        }
        (pool, isTold) = (new, true)
    }

    mutating func onAcknowledged(_ frame: OutgoingMigrationFrame) { announcement.onAcknowledged(frame) }
}
