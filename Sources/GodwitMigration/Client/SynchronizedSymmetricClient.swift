import GodwitWire

/// A client that knows by Synchronized Symmetric that its server is going to move (Specs/server-migration.md
/// 4.4). Until it was told, packets from elsewhere are none of its server's.
enum SynchronizedSymmetricClient {
    /// Takes SERVER_MIGRATION without an address. One more changes nothing.
    static func receiveAnnouncement(_ agreement: MigrationAgreement) throws(TransportError) {
        guard agreement.permits(.synchronizedSymmetric) else {
            throw .migrationViolation(
                "Synchronized Symmetric was not negotiated", MigrationFrameType.serverMigration)
        }
    }
}
