/// What servers that move are measured by, in virtual time: rows of figures, each with what is asked.
///
/// ```swift
/// for row in MigrationBenchmark(isQuick: true).rows {
///     for figure in row.run(first: 1) { print(figure.series, figure.asked, figure.reached, figure.isMet) }
/// }
/// ```
///
/// Runs depend on nothing but their seed, so they may be made in any order and on any thread: see
/// ``Row/series``.
public struct MigrationBenchmark: Sendable {
    /// Runs of one kind.
    public struct Series: Sendable {
        /// What kind, in words; unique in its row.
        public let name: String
        /// How many runs.
        public let runs: Int
        /// Series with the same identity, in whichever rows, are the same runs; nil for one that is nowhere else.
        public let identity: String?
        /// Makes the run of a seed.
        public let run: @Sendable (UInt64) -> MigrationTrial

        init(
            _ name: String, runs: Int, identity: String? = nil,
            _ run: @escaping @Sendable (UInt64) -> MigrationTrial
        ) {
            (self.name, self.runs, self.identity, self.run) = (name, runs, identity, run)
        }
    }

    /// A figure.
    public struct Figure: Sendable {
        /// The row that it belongs to.
        public let row: String
        /// The series of runs that it is about.
        public let series: String
        /// What is asked for, in words.
        public let asked: String
        /// What came of it, in words.
        public let reached: String
        /// Whether it is as asked.
        public let isMet: Bool
        /// What was measured.
        public let distribution: Distribution
        /// The same without a move, where that is compared with.
        public let plain: Distribution?
        /// How many connections took part.
        public let connections: Int
        /// How many of them were lost.
        public let lost: Int
        /// How many clients never had a connection, for all the loss there was.
        public let unconnected: Int
        /// What went wrong, the first ten.
        public let faults: [String]
    }

    /// A row of the table.
    public struct Row: Sendable {
        /// A short name.
        public let name: String
        /// What is measured, in a line.
        public let summary: String
        /// What is run.
        public let series: [Series]
        let judge: @Sendable (_ row: String, _ found: [String: MigrationTrial]) -> [Figure]

        /// How many runs there are in all.
        public var runs: Int { series.reduce(0) { $0 + $1.runs } }

        /// Judges what the runs have found, by the names of their series.
        public func figures(_ found: [String: MigrationTrial]) -> [Figure] { judge(name, found) }

        /// Makes all runs, one after the other.
        ///
        /// - Parameter first: the seed of the first run of each series.
        public func run(first: UInt64 = 1) -> [Figure] {
            var found: [String: MigrationTrial] = [:]
            for series in series {
                for index in 0..<UInt64(series.runs) {
                    found[series.name, default: MigrationTrial()].add(series.run(first &+ index))
                }
            }
            return figures(found)
        }
    }

    /// Whether to make a small part of the runs: all kinds of them, too few for percentiles to say much.
    public var isQuick: Bool

    /// A benchmark with all its runs, or a quick one.
    public init(isQuick: Bool = false) { self.isQuick = isQuick }

    /// A hundredth of the runs, and two at least.
    func runs(_ count: Int) -> Int { isQuick ? max(2, count / 100) : count }

    /// All rows, the most important first.
    public var rows: [Row] {
        let losses = [0, 0.03]
        let first = losses.flatMap { loss in
            MoveSettings.FirstRequest.allCases.map { firstRequest(loss: loss, $0) }
        }
        let silent = [false, true].flatMap { isMuted in
            losses.map { self.silent(loss: $0, isMuted: isMuted) }
        }
        return [lost(loss: 0.03, moves: 10_000), lost(loss: 0.2, moves: 1000)] + first + silent
            + [thesisServer, thesisClient] + [barrier, barrierWithDead] + losses.map { oneWay(loss: $0) } + [
                translators, chain, hardships, copies, victim,
            ]
    }
}

extension MigrationBenchmark.Figure {
    /// A judgement that asks for more than that nobody is lost.
    init(
        _ row: String, _ series: String, _ found: MigrationTrial, over plain: Distribution? = nil,
        asked: String,
        reached: String, isMet: Bool
    ) {
        self.row = row
        self.series = series
        self.asked = asked
        self.reached = reached
        self.isMet = isMet && found.lost.isEmpty && found.flaws.isEmpty && found.connections > 0
        distribution = Distribution(found.values)
        self.plain = plain
        connections = found.connections
        lost = found.lost.count
        unconnected = found.unconnected
        faults = Array((found.lost + found.flaws).prefix(10))
    }

    /// By how much a percentile is over that without a move; nil where that is not compared with.
    public func excess(percentile percent: Double) -> Double? {
        plain.flatMap { distribution.excess(over: $0, percentile: percent) }
    }

    /// A number of milliseconds.
    static func text(_ value: Double?) -> String {
        guard let value else { return "nothing" }
        let tenths = Int((abs(value) * 10).rounded())
        return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10) ms"
    }
}
