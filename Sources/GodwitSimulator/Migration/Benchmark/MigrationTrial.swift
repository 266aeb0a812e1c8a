/// What one simulated run, or many of them, found out.
public struct MigrationTrial: Sendable {
    /// What was measured, in milliseconds.
    public var values: [Double] = []
    /// The same for those connections alone that a judgement asks for.
    public var aside: [Double] = []
    /// How many connections took part.
    public var connections = 0
    /// How many clients never had one, for all the loss there was.
    public var unconnected = 0
    /// Those that were lost, each with the seed and the reason.
    public var lost: [String] = []
    /// What else must not be, each with the seed.
    public var flaws: [String] = []

    /// Nothing found yet.
    public init() {}

    /// Adds what another one found.
    public mutating func add(_ other: MigrationTrial) {
        values += other.values
        aside += other.aside
        connections += other.connections
        unconnected += other.unconnected
        lost += other.lost
        flaws += other.flaws
    }

    /// What all judgements look at in a run, with the latency of each connection as the value.
    init(_ report: MoveReport, seed: UInt64) {
        (connections, unconnected) = (report.connections.count, report.unconnected)
        for connection in report.connections {
            if let latency = connection.latency { values.append(latency.milliseconds) }
            if let reason = connection.lossReason {
                lost.append("seed \(seed), \(connection.workload): \(reason)")
            }
        }
        flaws = report.violations.map { "seed \(seed): \($0)" }
    }
}
