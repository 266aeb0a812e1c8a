public import GodwitMigration

/// Decides which of several copies of a server goes on (Specs/server-migration.md 6.6.4).
///
/// Processes that were restored from one image know the same things, so none can tell by itself that it is
/// the only one. A listener with an arbiter asks it after a freeze, before anything is sent. Whoever answers
/// must live outside of all copies and keep an `EpochArbiter`.
public protocol MigrationArbiter: Sendable {
    /// Whether that copy may end the plan that way and send.
    ///
    /// - Parameters:
    ///   - resolution: whether the server goes on elsewhere, or stays.
    ///   - epoch: the plan.
    ///   - copy: a number that the copy drew after the freeze.
    /// - Throws: when nobody can be asked; then the listener stays held.
    func grants(
        _ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, to copy: EpochArbiter.Copy
    ) async throws -> Bool
}
