import GodwitMigration
import GodwitWire

// The rows about barriers, one-way transfers, translators and victims.
extension MigrationBenchmark {
    // MARK: Barriers

    /// Forty idle clients and ten with small requests.
    private static let fifty =
        [MoveSettings.Workload](repeating: .idle, count: 40) + .init(repeating: .requests, count: 10)

    private static let barrierBound = 122.0 + 5

    var barrier: Row {
        let series = [MigrationPolicy.godwit, .thesis].map { policy in
            Series(policy == .godwit ? "our clients" : "the thesis's clients", runs: runs(100)) { seed in
                var settings = MoveSettings(seed: seed, .explicit)
                (settings.workloads, settings.notice) = (Self.fifty, .seconds(1) ... .seconds(2))
                (settings.clientPolicy, settings.isExtended) = (policy, policy == .godwit)
                return Self.trial(ofBarrier: MoveRun(settings).run(), seed, ready: 50)
            }
        }
        return Row(
            name: "barrier-50", summary: "50 clients ready, Explicit, max_ack_delay 25 ms", series: series
        ) { row, found in
            series.map { series in
                let own = found[series.name] ?? MigrationTrial()
                let most = Distribution(own.values).max
                return Figure(
                    row, series.name, own, asked: "≤ RTT + 5 ms (\(Figure.text(Self.barrierBound)))",
                    reached: "at most \(Figure.text(most))",
                    isMet: most.map { $0 <= Self.barrierBound } ?? false)
            }
        }
    }

    /// The value is how long it took until nothing was waited for.
    private static func trial(ofBarrier report: MoveReport, _ seed: UInt64, ready: Int) -> MigrationTrial {
        var trial = MigrationTrial(report, seed: seed)
        trial.values = report.readyAfter.map { [$0.milliseconds] } ?? []
        let count = report.readiness?.ready ?? 0
        if report.readyAfter == nil { trial.flaws.append("seed \(seed): the barrier never was final") }
        if count != ready { trial.flaws.append("seed \(seed): \(count) ready of \(ready)") }
        return trial
    }

    var barrierWithDead: Row {
        let clients = isQuick ? 100 : 1000
        let dead = clients / 100
        let series = Series("\(clients) clients, \(dead) dead", runs: isQuick ? 1 : 2) { seed in
            var settings = MoveSettings(seed: seed, .explicit)
            settings.workloads = .init(repeating: .idle, count: clients)
            (settings.deadClients, settings.deadline) = (dead, .seconds(1))
            settings.notice = .milliseconds(1500) ... .seconds(2)
            return Self.trial(ofBarrier: MoveRun(settings).run(), seed, ready: clients - dead)
        }
        return Row(
            name: "barrier-dead", summary: "the barrier with clients that are gone, deadline 1 s",
            series: [series]
        ) { row, found in
            let own = found[series.name] ?? MigrationTrial()
            let times = Distribution(own.values)
            return [
                Figure(
                    row, series.name, own, asked: "at the deadline, \(clients - dead) ready",
                    reached: "final after \(Figure.text(times.max))",
                    isMet: times.percentile(1) == 1000 && times.max == 1000)
            ]
        }
    }

    // MARK: One way

    /// Clients that only take, only give, or only keep the connection alive.
    func oneWay(loss: Double) -> Row {
        let workloads = [MoveSettings.Workload.download, .upload, .keepAlive]
        let silent: [MigrationStrategy] = [.explicit, .poolOfAddresses]
        let kinds = MigrationStrategy.allCases.map { ($0, false) } + silent.map { ($0, true) }
        let series = workloads.flatMap { workload in
            kinds.map { strategy, isSilent in
                let name = "\(strategy), \(workload)" + (isSilent ? ", silent server" : "")
                return Series(name, runs: runs(200)) { seed in
                    var settings = MoveSettings(seed: seed, strategy)
                    (settings.loss, settings.workloads) = (loss, [workload])
                    if isSilent { Self.silence(&settings, isMuted: true) }
                    return Self.trial(ofOneWay: MoveRun(settings).run(), seed, isSilent)
                }
            }
        }
        return Row(
            name: "one-way-\(Int(loss * 100))",
            summary:
                "from the thaw, or what came last, or the search, until it goes on, \(Int(loss * 100)) % loss",
            series: series
        ) { row, found in
            series.map { Self.judgeOneWay(row, $0.name, found[$0.name] ?? MigrationTrial()) }
        }
    }

    /// Without a word from the server a client that is idle notices nothing until it has sent something, so its time
    /// begins with the search; and that of one that takes something when the last has come that was under way.
    private static func trial(
        ofOneWay report: MoveReport, _ seed: UInt64, _ isSilent: Bool
    ) -> MigrationTrial {
        var trial = MigrationTrial(report, seed: seed)
        for connection in report.connections {
            guard let resumed = connection.resumedAfter?.milliseconds else { continue }
            let late = isSilent ? max(0, unawareFor(connection)?.milliseconds ?? 0) : 0
            trial.values.append(resumed - late)
            trial.aside.append(resumed - late - allowance(connection))
        }
        return trial
    }

    private static func unawareFor(_ connection: MovedConnection) -> TimeSpan? {
        switch connection.workload {
        case .keepAlive: connection.searchedAfter
        case .download: connection.heardAfter
        case .idle, .requests, .bulk, .upload: nil
        }
    }

    private static func judgeOneWay(_ row: String, _ name: String, _ own: MigrationTrial) -> Figure {
        if name.hasSuffix("silent server") {
            let rest = Distribution(own.aside).percentile(99)
            let isMet = rest.map { $0 <= 0 } ?? false
            return Figure(
                row, name, own, asked: "p99 ≤ PTO + RTT + max(50 ms, ¼ search)",
                reached: "\(Figure.text(rest.map(abs))) \(isMet ? "below" : "above")", isMet: isMet)
        }
        let bound = followingBound + 18
        let tail = Distribution(own.values).percentile(99)
        return Figure(
            row, name, own, asked: "p99 ≤ RTT + \(Figure.text(followingBound))", reached: Figure.text(tail),
            isMet: tail.map { $0 <= bound } ?? false)
    }

    // MARK: Translators

    var translators: Row {
        let kinds: [(String, TranslatorParameters)] = [
            ("endpoint-independent", .fullCone), ("address-restricted", .restrictedCone),
            ("port-restricted", .portRestrictedCone), ("symmetric", .symmetric),
        ]
        let series = kinds.map { name, translator in
            Series("combined, \(name)", runs: runs(300)) { seed in
                var settings = MoveSettings(seed: seed, .combined)
                (settings.translator, settings.loss) = (translator, 0.03)
                return MigrationTrial(MoveRun(settings).run(), seed: seed)
            }
        }
        return Row(name: "nat", summary: "clients behind translators, 3 % loss", series: series) {
            row, found in
            series.map { Self.noneLost(row, $0.name, found[$0.name]) }
        }
    }

    // MARK: Victims

    /// The value is how many bytes reach the victim in the worst minute, in thousands.
    var victim: Row {
        let clients = isQuick ? 10 : 100
        let budget = clients * ProbeBudget.addressLimit * 1200 / 1000
        let series = [MigrationStrategy.explicit, .poolOfAddresses, .combined].map { strategy in
            Series(Self.name(strategy), runs: isQuick ? 1 : 5) { seed in
                let report = VictimRun(seed: seed, strategy, clients: clients).run()
                var trial = MigrationTrial()
                trial.connections = report.clients
                trial.values = [Double(report.bytes) / 1000]
                trial.flaws = report.violations
                if report.mostOfOneClient > ProbeBudget.addressLimit {
                    trial.flaws += ["seed \(seed): \(report.mostOfOneClient) datagrams of one client"]
                }
                return trial
            }
        }
        return Row(
            name: "victim",
            summary: "a hostile server announces a victim to \(clients) clients; kB in a minute",
            series: series
        ) { row, found in
            series.map { series in
                let own = found[series.name] ?? MigrationTrial()
                let most = Distribution(own.values).max ?? 0
                return Figure(
                    row, series.name, own, asked: "≤ \(budget) kB a minute", reached: "\(Int(most)) kB",
                    isMet: most > 0 && most <= Double(budget))
            }
        }
    }
}
