public import GodwitWire

/// What a ``ClientMigrationMachine`` asks of the connection. Addresses are the server's.
public enum ClientMigrationAction: Hashable, Sendable {
    /// Set a connection id aside for a path to the address, and send nothing there.
    case reserve(NetworkAddress)
    /// Send a PATH_CHALLENGE in a padded datagram to the address, now, and keep every one that is unanswered.
    /// To an address that was told, as much as it takes; to one that a packet came from, three times what
    /// came from it (RFC 9000 section 8.1).
    case probe(NetworkAddress)
    /// Send a PATH_CHALLENGE to the address that a packet has just come from, in a datagram of no more than
    /// three times the bytes that came from there: it is beyond what may be spent on the address otherwise
    /// (Specs/server-migration.md 5.5.5).
    case probeSparingly(NetworkAddress)
    /// The path to the address is of no use any more.
    case release(NetworkAddress)
    /// Data goes to the address from now on, whose path was validated. The path so far is kept for a while.
    case switchPath(to: NetworkAddress)
    /// Send a PING on the active path.
    case ping
    /// See to it that the server has so many connection ids to spare, and ask for as many.
    case supplyConnectionIDs(Int)

    // The thesis's client
    /// Send everything to the address from now on, with congestion control and round-trip time reset and the
    /// connection id unchanged, and challenge nothing. What was known of the path so far is kept.
    case redirect(to: NetworkAddress)
    /// Send everything to the address again that the first ``redirect(to:)`` led away from, with what was
    /// kept of it.
    case rollBack(to: NetworkAddress)
    /// The server is at the address now: reset congestion control and round-trip time, send an unpadded
    /// PATH_CHALLENGE, and keep to three times what comes from there until it is answered.
    case follow(to: NetworkAddress)

    /// Tell whoever watches the move.
    case event(ClientMigrationEvent)
    /// Close the connection.
    case close(TransportError)
}

/// What a client learns of the server's moves.
public enum ClientMigrationEvent: Hashable, Sendable, Codable {
    /// The server said that it is going to move.
    case announced
    /// The server may be found at the address.
    case told(NetworkAddress)
    /// The server named an address that nothing is sent to (Specs/server-migration.md 5.2).
    case refused(NetworkAddress)
    /// The server is no longer to be found at the address.
    case withdrawn(NetworkAddress)
    /// The server is looked for.
    case searching(ClientMigrationTrigger)
    /// The server is still where it was.
    case stayed
    /// The server is somewhere else, and data goes there.
    case moved(from: NetworkAddress, to: NetworkAddress)
}

/// Why a client begins to look for its server (Specs/server-migration.md 5.3).
public enum ClientMigrationTrigger: UInt8, Hashable, Sendable, Codable {
    /// A probe timeout, or the network said that the server can't be reached.
    case silence
    /// The client has another address of its own, and may have missed something.
    case ownMove
    /// A packet came from an address of the server's where data doesn't go.
    case heard
    /// The server wants the client elsewhere.
    case preferred
    /// The server no longer has the address where data goes.
    case withdrawn
    /// The application said so.
    case application
}

/// What a machine asks for in answer to one input. The caller empties it and hands it in again.
public typealias ClientMigrationActions = ContiguousArray<ClientMigrationAction>
