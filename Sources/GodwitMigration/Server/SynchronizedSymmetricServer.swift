import GodwitWire

/// A server that moves by Synchronized Symmetric (Specs/server-migration.md 4.4).
///
/// ```
///   announcing ──SERVER_MIGRATION (all zero) acknowledged──► ready
/// ```
///
/// SERVER_MIGRATED must not be sent before the announcement was acknowledged: a client that has not seen the
/// announcement would take it for Symmetric. So a server that was moved too early repeats the announcement.
struct SynchronizedSymmetricServer: Hashable, Sendable, Codable {
    private(set) var announcement: MigrationFrameID?

    var isReady: Bool { announcement == nil }

    init(outbox: inout MigrationOutbox, isUrgent: Bool) {
        announcement = outbox.append(.serverMigration(.none), isUrgent: isUrgent)
    }

    /// The client knows already that a move is coming.
    init(isAcknowledged: Void) { announcement = nil }

    mutating func onAcknowledged(_ frame: OutgoingMigrationFrame) {
        if announcement == frame.id { announcement = nil }
    }
}
