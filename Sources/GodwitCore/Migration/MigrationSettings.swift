public import GodwitMigration

/// Whether, and how, a client's connections follow a server that moves.
public struct ClientMigrationSettings: Hashable, Sendable, Codable {
    /// What the client offers; ``GodwitMigration/ClientMigrationNegotiation/off`` by default, which leaves plain
    /// QUIC version 1.
    public var negotiation: ClientMigrationNegotiation
    /// How it follows: as Godwit or as the thesis's client does, to which addresses, and with how much patience.
    public var behaviour: ClientMigrationConfiguration

    /// Settings of a client.
    ///
    /// - Parameters:
    ///   - negotiation: what to offer.
    ///   - behaviour: how to follow.
    public init(
        _ negotiation: ClientMigrationNegotiation = .off,
        behaviour: ClientMigrationConfiguration = ClientMigrationConfiguration()
    ) {
        self.negotiation = negotiation
        self.behaviour = behaviour
    }

    /// Whether the client offers anything.
    public var isOn: Bool { !negotiation.suite.isEmpty || negotiation.offersAlternativeAddresses }
}

/// Whether, and how, a server's connections move with it.
public struct ServerMigrationSettings: Hashable, Sendable {
    /// What the server agrees to; ``GodwitMigration/ServerMigrationNegotiation/off`` by default.
    public var negotiation: ServerMigrationNegotiation
    /// Whom to behave like. The thesis's way is for experiments, and for peers in tests.
    public var policy: MigrationPolicy
    /// Where the server may move without further notice; told to clients that know Pool of Addresses.
    public var pool: AddressPool
    /// Whether ``Endpoint/networkSwitched(_:to:_:)`` is refused unless ``Endpoint/holdMigration(_:now:)`` came
    /// before (Specs/server-migration.md 6.6.7).
    public var requiresHold: Bool
    /// Over what time the connections spread their first words after a thaw, so that a thousand of them don't
    /// speak in one instant.
    public var spread: Duration

    /// Settings of a server.
    ///
    /// - Parameters:
    ///   - negotiation: what to agree to.
    ///   - policy: whom to behave like.
    ///   - pool: where the server may move without further notice.
    public init(
        _ negotiation: ServerMigrationNegotiation = .off, policy: MigrationPolicy = .godwit,
        pool: AddressPool = AddressPool()
    ) {
        self.negotiation = negotiation
        self.policy = policy
        self.pool = pool
        requiresHold = true
        spread = .zero
    }

    /// Whether the server agrees to anything.
    public var isOn: Bool { !negotiation.suite.isEmpty || negotiation.usesAlternativeAddresses }
}
