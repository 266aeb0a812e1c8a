/// Which of several copies of a server goes on (Specs/server-migration.md 6.6.4).
///
/// Copies that were restored from one image know the same things, so none can tell by itself that it is the
/// only one. Each draws a fresh number when it thaws and asks, by way of the operator, before it sends
/// anything. Whoever holds the arbiter, outside all copies, grants one of them.
public struct EpochArbiter: Hashable, Sendable, Codable {
    /// A number that a copy drew after its thaw.
    public struct Copy: RawRepresentable, Hashable, Sendable, Codable {
        /// The number.
        public let rawValue: UInt64
        /// The copy that drew it.
        public init(rawValue: UInt64) { self.rawValue = rawValue }
    }

    private var epoch = MigrationEpoch.none
    private var holder: Copy?
    private var resolution: EpochLedger.Resolution?

    /// An arbiter that has granted nothing.
    public init() {}

    /// Whether that copy may end the plan that way and send. The same copy is granted the same again.
    public mutating func grant(
        _ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, to copy: Copy
    ) -> Bool {
        if epoch > self.epoch {
            (self.epoch, holder, self.resolution) = (epoch, copy, resolution)
            return true
        }
        return epoch == self.epoch && holder == copy && self.resolution == resolution
    }
}
