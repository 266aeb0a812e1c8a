public import GodwitWire

/// What a connection says about itself to the ``MigrationBarrier``.
public struct MigrationReport: Hashable, Sendable, Codable {
    /// The plan it is about.
    public var epoch: MigrationEpoch
    /// Counts the reports of the connection, of which the latest holds: they may overtake each other.
    public var revision: UInt32
    /// How far the connection is.
    public var outcome: MigrationOutcome
    /// Since when.
    public var time: Instant

    /// A report.
    public init(epoch: MigrationEpoch, revision: UInt32, outcome: MigrationOutcome, time: Instant) {
        self.epoch = epoch
        self.revision = revision
        self.outcome = outcome
        self.time = time
    }
}
