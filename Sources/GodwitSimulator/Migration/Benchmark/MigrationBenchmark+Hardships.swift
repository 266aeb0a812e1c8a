import GodwitMigration
import GodwitWire

// The rows about chains of moves, hardships, and copies of servers.
extension MigrationBenchmark {
    // MARK: Chains

    var chain: Row {
        let moves = isQuick ? 20 : 1000
        let kinds: [(strategy: MigrationStrategy, loss: Double)] = MigrationStrategy.allCases.flatMap {
            strategy in
            [0, 0.03].map { (strategy, $0) }
        }
        let series = kinds.map { strategy, loss in
            Series(Self.name(strategy) + (loss > 0 ? Self.lossy : ""), runs: 1) { seed in
                Self.chain(seed, strategy, moves, loss)
            }
        }
        return Row(name: "chain", summary: "moves in a row on one connection", series: series) { row, found in
            series.map { Self.judgeChain(row, $0.name, moves, found[$0.name] ?? MigrationTrial()) }
        }
    }

    private static let lossy = ", 3 % loss"

    private static func chain(
        _ seed: UInt64, _ strategy: MigrationStrategy, _ moves: Int, _ loss: Double
    ) -> MigrationTrial {
        let report = MoveChain(seed: seed, strategy, moves: moves, loss: loss).run()
        var trial = MigrationTrial()
        trial.connections = 1
        trial.values = report.latencies.map(\.milliseconds)
        trial.lost = report.lossReason.map { ["seed \(seed), move \(report.moves + 1): \($0)"] } ?? []
        trial.flaws = report.violations
        if report.repeatedIDs > 0 {
            trial.flaws.append("seed \(seed): \(report.repeatedIDs) times an id at another address")
        }
        if report.ids <= report.moves { trial.flaws.append("seed \(seed): \(report.ids) ids of one end") }
        return trial
    }

    /// A request without a move takes a round trip.
    private static func judgeChain(
        _ row: String, _ name: String, _ moves: Int, _ own: MigrationTrial
    ) -> Figure {
        let bound = 18 + followingBound
        let tail = Distribution(own.values).percentile(99)
        let isWhole = own.values.count == moves
        // What a loss costs is measured elsewhere.
        if name.hasSuffix(lossy) {
            return Figure(
                row, name, own, asked: "\(moves) moves, no id twice", reached: "\(own.values.count) moves",
                isMet: isWhole)
        }
        return Figure(
            row, name, own, asked: "\(moves) moves, no id twice, p99 ≤ \(Figure.text(bound))",
            reached: "\(own.values.count) moves, \(Figure.text(tail))",
            isMet: isWhole && tail.map { $0 <= bound } ?? false)
    }

    // MARK: Hardships

    private struct Hardship: Sendable {
        var name: String
        /// The strategies by which nobody can survive it, and why.
        var hopeless: (strategies: [MigrationStrategy], reason: String)?
        var change: @Sendable (inout MoveSettings) -> Void

        init(
            _ name: String, hopeless: (strategies: [MigrationStrategy], reason: String)? = nil,
            _ change: @escaping @Sendable (inout MoveSettings) -> Void
        ) {
            (self.name, self.hopeless, self.change) = (name, hopeless, change)
        }
    }

    private static let hardshipKinds: [Hardship] = [
        Hardship("new path of 600 ms") { $0.newLine.roundTrip = .milliseconds(600) },
        Hardship("spoofed copies") {
            $0.attacker = AttackerParameters(probability: 0.5, delay: .milliseconds(1), disguise: .own)
        },
        Hardship("frozen for 35–60 s") { $0.freeze = .seconds(35) ... .seconds(60) },
        Hardship("called off, then moved") { $0.detour = .cancelled },
        Hardship("re-targeted") { $0.detour = .retargeted },
        Hardship(
            "clients move too",
            hopeless: (
                [.symmetric, .synchronizedSymmetric],
                "none: neither end knows where the other is; use combined, explicit or a pool"
            )
        ) { $0.movesClients = true },
        Hardship("second process at the old address") { $0.secondProcess = .careful },
        Hardship("the same, with stateless resets") { $0.secondProcess = .careless },
    ]

    /// In half of the runs the clock is three days ahead after the thaw, in the others three days behind.
    var hardships: Row {
        let series = Self.hardshipKinds.flatMap { hardship in
            MigrationStrategy.allCases.map { strategy in
                Series("\(hardship.name), \(strategy)", runs: runs(100)) { seed in
                    var settings = MoveSettings(seed: seed, strategy)
                    settings.loss = 0.03
                    hardship.change(&settings)
                    return MigrationTrial(MoveRun(settings).run(), seed: seed)
                }
            }
        }
        return Row(
            name: "hardships", summary: "what kills others, clock ± 3 days, 3 % loss", series: series
        ) { row, found in
            Self.hardshipKinds.flatMap { hardship in
                MigrationStrategy.allCases.map { Self.judge(hardship, $0, row, found) }
            }
        }
    }

    private static func judge(
        _ hardship: Hardship, _ strategy: MigrationStrategy, _ row: String, _ found: [String: MigrationTrial]
    ) -> Figure {
        let name = "\(hardship.name), \(strategy)"
        guard let hopeless = hardship.hopeless, hopeless.strategies.contains(strategy) else {
            return noneLost(row, name, found[name])
        }
        // What can't be is no figure missed, and is shown all the same.
        var own = found[name] ?? MigrationTrial()
        let lost = own.lost.count
        own.lost = []
        return Figure(
            row, name, own, asked: hopeless.reason, reached: "\(lost) of \(own.connections) lost", isMet: true
        )
    }

    // MARK: Copies

    /// More than one process from one image (Specs/server-migration.md 6.6).
    var copies: Row {
        let kinds: [(CopyRun.Kind, String)] = [
            (.resumedSource, "source resumed after the restore"), (.twoRestores, "two restores"),
            (.staleImage, "stale image"),
        ]
        let series = kinds.flatMap { kind, name in
            MigrationStrategy.allCases.map { strategy in
                Series("\(name), \(strategy)", runs: runs(200)) { seed in
                    Self.trial(of: CopyRun(seed: seed, kind, strategy, loss: 0.03).run(), kind, seed)
                }
            }
        }
        return Row(
            name: "copies", summary: "one copy sends, no packet number twice under a key, 3 % loss",
            series: series
        ) { row, found in
            series.map { series in
                let isStale = series.name.hasPrefix("stale")
                let own = found[series.name] ?? MigrationTrial()
                return Figure(
                    row, series.name, own,
                    asked: isStale
                        ? "closes with that reason" : "one answers, the other is refused and silent",
                    reached: "\(own.connections - own.lost.count - own.flaws.count) of \(own.connections)",
                    isMet: true)
            }
        }
    }

    private static func trial(of report: CopyRun.Report, _ kind: CopyRun.Kind, _ seed: UInt64)
        -> MigrationTrial
    {
        var trial = MigrationTrial()
        trial.connections = 1
        trial.values = report.latency.map { [$0.milliseconds] } ?? []
        trial.flaws = report.violations.map { "seed \(seed): \($0)" }
        if kind == .staleImage {
            if report.endReason?.contains("stale") != true {
                trial.flaws.append("seed \(seed): ended by \(report.endReason ?? "nothing")")
            }
            return trial
        }
        if report.latency == nil { trial.lost = ["seed \(seed): \(report.endReason ?? "no answer")"] }
        if report.granted != 1 || report.refused != 1 || report.sentByRefused > 0 {
            trial.flaws.append(
                "seed \(seed): \(report.granted) granted, \(report.refused) refused, which sent "
                    + "\(report.sentByRefused) datagrams")
        }
        return trial
    }
}
