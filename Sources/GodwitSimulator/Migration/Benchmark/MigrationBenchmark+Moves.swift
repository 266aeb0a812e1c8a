import GodwitMigration
import GodwitWire

// The rows about one move of a server: who is lost, and how long the first request takes.
extension MigrationBenchmark {
    private typealias Workload = MoveSettings.Workload

    static func name(_ strategy: MigrationStrategy?) -> String { strategy?.description ?? "plain" }

    static let measured: [MoveSettings.Workload] = [.idle, .requests, .bulk]

    /// A third of the moves each.
    static func workload(of seed: UInt64) -> MoveSettings.Workload { measured[Int(seed % 3)] }

    // MARK: Lost

    /// What the connection of a move does takes turns: nothing, small requests, or both ways as fast as it goes.
    func lost(loss: Double, moves: Int) -> Row {
        let series = MigrationStrategy.allCases.map { strategy in
            Series(Self.name(strategy), runs: runs(moves)) { seed in
                var settings = MoveSettings(seed: seed, strategy)
                (settings.loss, settings.workloads) = (loss, [Self.workload(of: seed)])
                return MigrationTrial(MoveRun(settings).run(), seed: seed)
            }
        }
        let percent = Int(loss * 100)
        return Row(
            name: "lost-\(percent)", summary: "connections lost at \(percent) % loss", series: series
        ) { row, found in
            series.map { Self.noneLost(row, $0.name, found[$0.name], of: $0.runs) }
        }
    }

    /// A figure that asks that nobody is lost in so many moves, of which each had a connection at least.
    private static func noneLost(
        _ row: String, _ series: String, _ found: MigrationTrial?, of moves: Int
    ) -> Figure {
        let found = found ?? MigrationTrial()
        var reached = "\(found.lost.count) of \(found.connections)"
        if found.unconnected > 0 { reached += ", \(found.unconnected) never connected" }
        return Figure(
            row, series, found, asked: "0 lost in \(moves) moves", reached: reached,
            isMet: found.connections >= moves)
    }

    /// A figure that asks for nothing else.
    static func noneLost(_ row: String, _ series: String, _ found: MigrationTrial?) -> Figure {
        let found = found ?? MigrationTrial()
        return Figure(
            row, series, found, asked: "0 lost", reached: "\(found.lost.count) of \(found.connections)",
            isMet: true)
    }

    // MARK: The first request

    /// 1.5 round trips of the new path and two intervals between challenges.
    static let followingBound = 1.5 * 18 + 2 * ProbeSchedule.firstInterval.milliseconds

    /// How much longer the first request takes than the same one without a move.
    func firstRequest(loss: Double, _ when: MoveSettings.FirstRequest) -> Row {
        let series = Self.measured.flatMap { workload in
            [plain(workload, loss)]
                + MigrationStrategy.allCases.map { firstRequestSeries($0, workload, loss, when) }
        }
        let isAfter = when == .afterThaw
        let name = "first-request-\(isAfter ? "after" : "before")-\(Int(loss * 100))"
        let summary =
            "first request, sent \(isAfter ? "0–500 ms after the thaw" : "100 ms before the freeze"), "
            + "over plain, \(Int(loss * 100)) % loss; at most 60 small requests under way"
        return Row(name: name, summary: summary, series: series) { row, found in
            Self.measured.flatMap { workload in
                [Self.plainFigure(row, workload, found)]
                    + MigrationStrategy.allCases.flatMap {
                        Self.judgeFirstRequest(row, $0, workload, when, found)
                    }
            }
        }
    }

    private static func label(_ strategy: MigrationStrategy?, _ workload: MoveSettings.Workload) -> String {
        "\(name(strategy)), \(workload)"
    }

    /// What moves are compared with: a server that stays on the new path. When the request goes out makes no
    /// difference to it.
    private func plain(_ workload: MoveSettings.Workload, _ loss: Double) -> Series {
        Series(Self.label(nil, workload), runs: runs(1000), identity: "plain, \(workload), \(loss)") { seed in
            var settings = MoveSettings(seed: seed, nil)
            (settings.loss, settings.workloads, settings.catchesUp) = (loss, [workload], false)
            return MigrationTrial(MoveRun(settings).run(), seed: seed)
        }
    }

    /// What the others of the row are compared with.
    private static func plainFigure(
        _ row: String, _ workload: Workload, _ found: [String: MigrationTrial]
    ) -> Figure {
        let label = label(nil, workload)
        let own = found[label] ?? MigrationTrial()
        return Figure(
            row, label, own, asked: "to compare with", reached: "\(own.values.count) of \(own.connections)",
            isMet: own.values.count == own.connections)
    }

    private func firstRequestSeries(
        _ strategy: MigrationStrategy, _ workload: MoveSettings.Workload, _ loss: Double,
        _ when: MoveSettings.FirstRequest
    ) -> Series {
        Series(Self.label(strategy, workload), runs: runs(1000)) { seed in
            var settings = MoveSettings(seed: seed, strategy)
            (settings.loss, settings.firstRequest, settings.workloads) = (loss, when, [workload])
            settings.catchesUp = false
            let report = MoveRun(settings).run()
            var trial = MigrationTrial(report, seed: seed)
            trial.aside = report.connections.filter(\.hadMovedBefore).compactMap { $0.latency?.milliseconds }
            return trial
        }
    }

    private static func judgeFirstRequest(
        _ row: String, _ strategy: MigrationStrategy, _ workload: Workload, _ when: MoveSettings.FirstRequest,
        _ found: [String: MigrationTrial]
    ) -> [Figure] {
        let label = label(strategy, workload)
        let own = found[label] ?? MigrationTrial()
        let plain = Distribution(found[Self.label(nil, workload)]?.values ?? [])
        let tail = Distribution(own.values).excess(over: plain, percentile: 99)
        let tailFigure = Figure(
            row, label, own, over: plain, asked: "p99 ≤ \(Figure.text(followingBound)) over plain",
            reached: "\(Figure.text(tail)) over plain", isMet: tail.map { $0 <= followingBound } ?? false)
        // Who asked before the freeze asked before anything could be validated.
        guard when == .afterThaw else { return [tailFigure] }
        var validated = own
        validated.values = own.aside
        let middle = Distribution(own.aside).excess(over: plain, percentile: 50)
        let middleFigure = Figure(
            row, label + ", path validated before", validated, over: plain,
            asked: "median ≤ 0.1 ms over plain",
            reached: "\(Figure.text(middle)) over plain", isMet: middle.map { $0 <= 0.1 } ?? false)
        return [tailFigure, middleFigure]
    }

    // MARK: Silent servers

    private static let silentKinds: [(strategy: MigrationStrategy, poolSize: Int)] = [
        (.explicit, 1), (.poolOfAddresses, 1), (.poolOfAddresses, 2), (.poolOfAddresses, 3),
        (.poolOfAddresses, 8),
    ]

    static func silentName(_ strategy: MigrationStrategy, _ poolSize: Int) -> String {
        strategy == .poolOfAddresses ? "pool of \(poolSize)" : name(strategy)
    }

    /// A server that behaves as the thesis's and does not announce itself after the thaw.
    ///
    /// - Parameter isMuted: whether nothing else of it arrives either until the client has found it, as behind a
    ///   translator that lets in only what was sent to. Else data that it has gives it away.
    func silent(loss: Double, isMuted: Bool) -> Row {
        let series = Self.measured.flatMap { workload in
            [plain(workload, loss)]
                + Self.silentKinds.map { kind in
                    Series(
                        "\(Self.silentName(kind.strategy, kind.poolSize)), \(workload)", runs: runs(1000)
                    ) { seed in
                        var settings = MoveSettings(seed: seed, kind.strategy)
                        (settings.loss, settings.workloads, settings.poolSize) = (
                            loss, [workload], kind.poolSize
                        )
                        settings.catchesUp = false
                        Self.silence(&settings, isMuted: isMuted)
                        return Self.trial(ofSilent: MoveRun(settings).run(), seed)
                    }
                }
        }
        return Row(
            name: "\(isMuted ? "muted" : "silent")-\(Int(loss * 100))",
            summary:
                "first request when the server \(isMuted ? "says nothing" : "announces nothing") after the thaw, "
                + "\(Int(loss * 100)) % loss",
            series: series
        ) { row, found in
            Self.measured.flatMap { workload in
                [Self.plainFigure(row, workload, found)]
                    + Self.silentKinds.map {
                        Self.judgeSilent(row, Self.silentName($0.strategy, $0.poolSize), workload, found)
                    }
            }
        }
    }

    static func silence(_ settings: inout MoveSettings, isMuted: Bool) {
        settings.isExtended = false
        settings.mutesServer = isMuted
    }

    /// What a silent server may cost: a probe timeout of the old path, a round trip of the new one, and what passes
    /// between two challenges.
    static func allowance(_ connection: MovedConnection) -> Double {
        let sinceTrigger = connection.searchedFor?.milliseconds ?? 0
        return connection.probeTimeout.milliseconds + 18 + max(50, sinceTrigger / 4)
    }

    private static func trial(ofSilent report: MoveReport, _ seed: UInt64) -> MigrationTrial {
        var trial = MigrationTrial(report, seed: seed)
        trial.aside = report.connections.compactMap { connection in
            connection.latency.map { $0.milliseconds - allowance(connection) }
        }
        return trial
    }

    private static func judgeSilent(
        _ row: String, _ name: String, _ workload: MoveSettings.Workload, _ found: [String: MigrationTrial]
    ) -> Figure {
        let label = "\(name), \(workload)"
        let own = found[label] ?? MigrationTrial()
        let plain = Distribution(found[Self.label(nil, workload)]?.values ?? [])
        let rest = Distribution(own.aside).excess(over: plain, percentile: 99)
        let isMet = rest.map { $0 <= 0 } ?? false
        let reached = "\(Figure.text(rest.map(abs))) \(isMet ? "below" : "above")"
        return Figure(
            row, label, own, over: plain, asked: "p99 over plain ≤ PTO + RTT + max(50 ms, ¼ search)",
            reached: reached,
            isMet: isMet)
    }
}
