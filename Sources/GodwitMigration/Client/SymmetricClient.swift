import GodwitWire

/// A client whose server may speak up from anywhere, by Symmetric (Specs/server-migration.md 4.3).
///
/// There is nothing to know before the move; this is what SERVER_MIGRATED may say when nothing was announced.
enum SymmetricClient {
    /// Takes SERVER_MIGRATED from an address that data does not go to.
    static func receiveMigrated(_ agreement: MigrationAgreement) throws(TransportError) {
        guard agreement.permits(.symmetric) || agreement.isExtended else {
            throw .migrationViolation("Symmetric was not negotiated", MigrationFrameType.serverMigrated)
        }
    }
}
