public import GodwitMigration
public import GodwitWire

/// What happened to one connection in a move of the server.
public struct MigrationNotice: Sendable, Hashable {
    /// What happened, by the side that saw it.
    public enum Event: Sendable, Hashable {
        /// At a server.
        case server(ServerMigrationEvent)
        /// At a client.
        case client(ClientMigrationEvent)
    }

    /// The connection.
    public var connection: ConnectionHandle
    /// The connection id that the client chose first, by which plans and operators name the connection.
    public var connectionID: ConnectionID
    /// What happened.
    public var event: Event
    /// Our end of the active path after it.
    public var local: NetworkAddress
    /// The peer's end of the active path after it.
    public var remote: NetworkAddress
    /// At a server, our end before the latest thaw; nil if there was none.
    public var movedFrom: NetworkAddress?
}

/// What an endpoint needs to go on after a hold: time and randomness of where it is now.
public struct EndpointThaw: Sendable, Hashable {
    /// On the endpoint's clock, which the driver has rebased: it goes on from before the freeze, however the
    /// machine's clock may have jumped.
    public var now: Instant
    /// How far timers move: the time between the last call before the freeze and `now`. Zero for a clock that
    /// stood still.
    public var frozen: TimeSpan
    /// The wall-clock time, in seconds since 1970.
    public var unixTime: Int64
    /// Fresh randomness: none that was in the image is used any more (Specs/server-migration.md 6.6.3).
    public var entropy: Entropy

    /// A thaw.
    public init(now: Instant, frozen: TimeSpan = .zero, unixTime: Int64, entropy: Entropy) {
        self.now = now
        self.frozen = frozen
        self.unixTime = unixTime
        self.entropy = entropy
    }
}
