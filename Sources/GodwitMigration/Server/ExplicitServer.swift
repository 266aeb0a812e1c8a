import GodwitWire

/// A server that moves by Explicit (Specs/server-migration.md 4.1).
///
/// ```
///   announcing ──SERVER_MIGRATION acknowledged──► ready
/// ```
///
/// Without the extension the client holds on to the first destination that it was told, so a second one can't
/// be announced; with it the second goes into ALTERNATIVE_ADDRESS frames.
struct ExplicitServer: Hashable, Sendable, Codable {
    let destination: MigrationDestination
    private(set) var announcement: MigrationFrameID?
    private var redirection = ServerAnnouncement()

    var isReady: Bool { announcement == nil && redirection.isAcknowledged }

    /// The first announcement.
    init(to destination: MigrationDestination, outbox: inout MigrationOutbox, isUrgent: Bool) {
        self.destination = destination
        announcement = outbox.append(.serverMigration(destination.frameAddress), isUrgent: isUrgent)
    }

    /// Another destination than the client was told first.
    init(
        redirectedTo destination: MigrationDestination, ledger: inout AlternativeAddressLedger,
        outbox: inout MigrationOutbox
    ) {
        self.destination = destination
        ledger.announce(destination, in: &redirection, outbox: &outbox)
    }

    mutating func onAcknowledged(_ frame: OutgoingMigrationFrame) {
        if announcement == frame.id { announcement = nil }
        redirection.onAcknowledged(frame)
    }

    /// Wants the client at the destination now.
    func prefer(ledger: inout AlternativeAddressLedger, outbox: inout MigrationOutbox) {
        for address in destination.addresses { _ = ledger.prefer(address, outbox: &outbox) }
    }
}
