/// How far a connection is with a plan (Specs/server-migration.md 7.2).
public enum MigrationOutcome: Hashable, Sendable, Codable {
    /// The connection has not said anything yet.
    case pending
    /// The client was told and has not acknowledged it yet.
    case preparing(MigrationStrategy)
    /// The server may be frozen as far as this connection goes.
    case ready(MigrationStrategy)
    /// It became ready after the deadline.
    case late(MigrationStrategy)
    /// The client is on its way to another address of its own; its new path is not validated yet.
    case clientMoving(MigrationStrategy)
    /// The plan can't be carried out on this connection.
    case obstructed(MigrationObstacle)
    /// It was still preparing when the deadline came.
    case timedOut
    /// The connection is over.
    case closed
}

/// Why a plan can't be carried out on a connection (Specs/server-migration.md 7.3).
public enum MigrationObstacle: UInt8, Hashable, Sendable, Codable, Error, CaseIterable {
    /// The client knows nothing of moving servers.
    case notNegotiated
    /// The client knows other strategies than the planned one.
    case strategyNotNegotiated
    /// The handshake is not confirmed. The connection joins the plan when it is.
    case handshakeUnfinished
    /// Another move of this connection is not over.
    case moveUnderWay
    /// The plan names no destination of the client's address family, or the place where the server is.
    case unusableDestination
    /// There is no address in the pool.
    case emptyPool
    /// The client was told of a pool, and without the extension moves by it alone.
    case onlyPool
    /// The client was told something else before, which without the extension can't be taken back.
    case alreadyAnnounced
    /// The plan does not name the connection.
    case notPlanned
}

extension MigrationOutcome {
    /// Whether there is nothing more to wait for.
    var isSettled: Bool {
        switch self {
        case .pending, .preparing, .clientMoving: false
        case .ready, .late, .obstructed, .timedOut, .closed: true
        }
    }

    /// Whether the client will find the server after the move.
    public var isReady: Bool {
        switch self {
        case .ready, .late: true
        case .pending, .preparing, .clientMoving, .obstructed, .timedOut, .closed: false
        }
    }
}

extension MigrationOutcome {
    /// Whether the client has no way to find the server after the move (Specs/server-migration.md 7.6).
    var isLeftBehind: Bool {
        // A move that is not over is taken up again at the next place.
        if case .obstructed(let obstacle) = self { obstacle != .moveUnderWay } else { false }
    }
}

extension MigrationObstacle: CustomStringConvertible {
    /// In words, to follow a number of connections.
    public var description: String {
        switch self {
        case .notNegotiated: "without the extension"
        case .strategyNotNegotiated: "without the strategy"
        case .handshakeUnfinished: "in their handshake"
        case .moveUnderWay: "still moving"
        case .unusableDestination: "without a usable destination"
        case .emptyPool: "without a pool"
        case .onlyPool: "bound to their pool"
        case .alreadyAnnounced: "bound to an earlier announcement"
        case .notPlanned: "not in the plan"
        }
    }
}

extension MigrationObstacle {
    /// The value in logs and metrics (Specs/qlog-migration.md 2.2).
    package var label: StaticString {
        switch self {
        case .notNegotiated: "not_negotiated"
        case .strategyNotNegotiated: "strategy_not_negotiated"
        case .handshakeUnfinished: "handshake_unfinished"
        case .moveUnderWay: "move_under_way"
        case .unusableDestination: "unusable_destination"
        case .emptyPool: "empty_pool"
        case .onlyPool: "only_pool"
        case .alreadyAnnounced: "already_announced"
        case .notPlanned: "not_planned"
        }
    }
}
