public import GodwitMigration
public import GodwitWire

/// What became of one connection in a move of the server, as the server sees it.
public struct MigrationEvent: Hashable, Sendable {
    /// The connection, by the connection id that the client chose first; plans name it so, too.
    public var connectionID: ConnectionID
    /// What happened.
    public var change: ServerMigrationEvent
    /// The server's address before the latest thaw; nil before the first.
    public var movedFrom: NetworkAddress?
    /// The server's address now.
    public var local: NetworkAddress
    /// The client's address.
    public var remote: NetworkAddress

    /// An event of a connection.
    public init(
        connectionID: ConnectionID, change: ServerMigrationEvent, movedFrom: NetworkAddress? = nil,
        local: NetworkAddress, remote: NetworkAddress
    ) {
        self.connectionID = connectionID
        self.change = change
        self.movedFrom = movedFrom
        self.local = local
        self.remote = remote
    }
}

extension MigrationEvent: CustomStringConvertible {
    /// The connection and what happened to it.
    public var description: String { "\(connectionID): \(change.words)" }
}

extension ServerMigrationEvent {
    /// The strategy that the connection moves by.
    public var strategy: MigrationStrategy {
        switch self {
        case .started(let strategy), .ready(let strategy), .completed(let strategy), .cancelled(let strategy),
            .failed(let strategy, _):
            strategy
        }
    }

    /// Why the client will not follow; nil unless it won't.
    public var failure: MigrationFailure? {
        if case .failed(_, let failure) = self { return failure }
        return nil
    }

    var words: String {
        switch self {
        case .started(let strategy): "prepares to move (\(strategy))"
        case .ready(let strategy): "ready to move (\(strategy))"
        case .completed(let strategy): "has moved (\(strategy))"
        case .cancelled(let strategy): "stays (\(strategy))"
        case .failed(let strategy, let failure): "has not moved (\(strategy)): \(failure.words)"
        }
    }
}

extension MigrationFailure {
    var words: String {
        switch self {
        case .obstructed(let obstacle): "\(obstacle)"
        case .closed: "the connection is over"
        case .stale: "an older image of the server was restored"
        }
    }

    /// The value of the `reason` dimension.
    var metricsName: String {
        switch self {
        case .obstructed(let obstacle): "\(obstacle.label)"
        case .closed: "closed"
        case .stale: "stale"
        }
    }
}

extension QUICListener {
    /// What becomes of connections in moves of the server, from now on; ends with the listener.
    ///
    /// Each iterator gets every event. One that doesn't keep up loses the oldest of those that wait, of which
    /// there are 8,192 at most.
    public var migrationEvents: MigrationEvents { MigrationEvents(coordinator: coordinator) }

    /// What becomes of connections in moves of the server.
    public struct MigrationEvents: AsyncSequence, Sendable {
        /// What became of one connection.
        public typealias Element = MigrationEvent
        /// It never fails; it ends with the listener.
        public typealias Failure = Never

        let coordinator: MigrationCoordinator

        /// Takes one event after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var events: AsyncStream<MigrationEvent>.AsyncIterator

            /// The next event; nil when the listener is gone or the task cancelled.
            public mutating func next() async -> MigrationEvent? { await events.next() }

            /// The next event; nil when the listener is gone or the task cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(Never) -> MigrationEvent? { await events.next(isolation: actor) }
        }

        /// An iterator of its own for each caller, that gets what happens from now on.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(events: coordinator.audience.join().makeAsyncIterator())
        }
    }
}
