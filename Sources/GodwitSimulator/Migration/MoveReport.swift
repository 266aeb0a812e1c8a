public import GodwitMigration
public import GodwitWire

/// What a move was to one connection.
public struct MovedConnection: Hashable, Sendable {
    /// What the client did besides.
    public var workload: MoveSettings.Workload
    /// Why the connection counts as lost; nil when it does not: it was closed, a byte was wrong, or the measured
    /// request was not answered in time.
    public var lossReason: String?
    /// What the measured request took; from the thaw if it went out before. Nil without an answer.
    public var latency: TimeSpan?
    /// Whether the client was on its new path before it sent the measured request.
    public var hadMovedBefore: Bool
    /// When the client's data went to the new path, after the thaw.
    public var movedAfter: TimeSpan?
    /// When the last that was under way to the client came, after the thaw; negative when it was before.
    public var heardAfter: TimeSpan?
    /// How long the search of the client had gone on when the server was thawed; nil when it began later or never.
    public var searchedFor: TimeSpan?
    /// When the client began to search, after the thaw; negative when it was before.
    public var searchedAfter: TimeSpan?
    /// When a client without a measured request had data again, after the thaw.
    public var resumedAfter: TimeSpan?
    /// The client's probe timeout when the server was frozen.
    public var probeTimeout: TimeSpan
    /// How many bytes were received at both ends and found right.
    public var bytesChecked: UInt64
}

/// What came of a ``MoveRun``.
public struct MoveReport: Hashable, Sendable {
    /// Every connection that was there when the plan was made, those of dead clients aside.
    public var connections: [MovedConnection]
    /// How far they were at the freeze.
    public var readiness: MigrationReadiness?
    /// How long it took from the plan until all were ready; nil when the freeze came first.
    public var readyAfter: TimeSpan?
    /// How many clients never got a connection, for all the loss there was: they count for nothing.
    public var unconnected: Int
    /// How long the server was frozen.
    public var frozen: TimeSpan
    /// What checkers of the network found, in words.
    public var violations: [String]
    /// Stands for all that happened: equal for runs of equal settings.
    public var traceHash: UInt64

    /// Those that were lost.
    public var lost: [MovedConnection] { connections.filter { $0.lossReason != nil } }
}
