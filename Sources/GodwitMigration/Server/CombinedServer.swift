import GodwitWire

/// A server that moves by the combined strategy (Specs/server-migration.md 4.5).
///
/// ```
///   announcing ──every ALTERNATIVE_ADDRESS acknowledged──► ready
/// ```
///
/// The addresses are not marked preferred before the move: that would send the client there while nobody is
/// there yet. They are when the process is about to be frozen, and when it goes on.
struct CombinedServer: Hashable, Sendable, Codable {
    let destination: MigrationDestination
    private var announcement = ServerAnnouncement()

    var isReady: Bool { announcement.isAcknowledged }

    init(
        to destination: MigrationDestination, ledger: inout AlternativeAddressLedger,
        outbox: inout MigrationOutbox
    ) {
        self.destination = destination
        ledger.announce(destination, in: &announcement, outbox: &outbox)
    }

    mutating func onAcknowledged(_ frame: OutgoingMigrationFrame) { announcement.onAcknowledged(frame) }

    /// Wants the client at the destination now.
    func prefer(ledger: inout AlternativeAddressLedger, outbox: inout MigrationOutbox) {
        for address in destination.addresses { _ = ledger.prefer(address, outbox: &outbox) }
    }
}
