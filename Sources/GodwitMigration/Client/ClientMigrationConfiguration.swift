public import GodwitWire

/// How a client follows its server.
public struct ClientMigrationConfiguration: Hashable, Sendable, Codable {
    /// Whom to behave like.
    public var policy = MigrationPolicy.godwit
    /// Which addresses to send anything to.
    public var addresses = CandidateAddressPolicy()
    /// How long to wait for a server that has announced its move, whatever the idle timeout is
    /// (Specs/server-migration.md 5.9.2).
    public var patience = TimeSpan.seconds(300)
    /// In which order to try the addresses of a pool. Only a client of the thesis's tries one at a time.
    public var scheduler = PoolScheduler.libraryOrder

    /// The specification's values.
    public init() {}
}
