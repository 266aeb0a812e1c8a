public import GodwitWire

/// What a ``ServerMigrationMachine`` asks of the connection. Frames to send are not among them: those wait in
/// ``ServerMigrationMachine/frameToSend``.
public enum ServerMigrationAction: Hashable, Sendable {
    /// Send a PATH_CHALLENGE in a padded datagram from where the server is now to an address of the client,
    /// now, and keep every one that is unanswered.
    case probe(NetworkAddress)
    /// See to it that the client has so many connection ids to spare, and ask for as many.
    case supplyConnectionIDs(Int)
    /// Tell the barrier how far the connection is.
    case report(MigrationReport)
    /// Tell whoever watches the move.
    case event(ServerMigrationEvent)
    /// Close the connection.
    case close(TransportError)
}

/// What becomes of one connection's move (Specs/server-migration.md 7.5).
public enum ServerMigrationEvent: Hashable, Sendable, Codable {
    /// The client was told, or is about to be.
    case started(MigrationStrategy)
    /// The client was told everything it needs.
    case ready(MigrationStrategy)
    /// The client has followed.
    case completed(MigrationStrategy)
    /// The plan was called off.
    case cancelled(MigrationStrategy)
    /// The client has not followed and never will.
    case failed(MigrationStrategy, MigrationFailure)
}

/// Why a connection did not survive a move, or could not take part.
public enum MigrationFailure: Hashable, Sendable, Codable {
    /// It could not take part.
    case obstructed(MigrationObstacle)
    /// It ended before the client had followed.
    case closed
    /// The client knows packets that this copy of the connection never sent: an older image was restored
    /// (Specs/server-migration.md 6.6.6).
    case stale
}

/// What a machine asks for in answer to one input. The caller empties it and hands it in again.
public typealias ServerMigrationActions = ContiguousArray<ServerMigrationAction>
