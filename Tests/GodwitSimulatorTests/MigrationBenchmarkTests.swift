import GodwitMigration
import GodwitSimulator
import Testing

@Suite("What moves are measured by (Specs/server-migration.md)")
struct MigrationBenchmarkTests {
    private let rows = MigrationBenchmark(isQuick: true).rows

    private func found(_ row: String, where isWanted: (String) -> Bool) throws -> [String: MigrationTrial] {
        let row = try #require(rows.first { $0.name == row })
        var found: [String: MigrationTrial] = [:]
        for series in row.series where isWanted(series.name) { found[series.name] = series.run(1) }
        return found
    }

    @Test("Percentiles are values that were measured")
    func percentiles() {
        let distribution = Distribution((1...100).map(Double.init))
        #expect(distribution.median == 50 && distribution.percentile(99) == 99 && distribution.max == 100)
        #expect(Distribution([3]).percentile(1) == 3 && Distribution().median == nil)
    }

    @Test("Every row judges every series but those it compares with, and a figure without a run is missed")
    func nothingFound() {
        for row in rows {
            let figures = row.figures([:])
            #expect(!figures.isEmpty && figures.allSatisfy { !$0.isMet }, "\(row.name)")
        }
    }

    @Test(
        "The first request costs nothing when the path was validated before", arguments: ["idle", "requests"])
    func firstRequest(_ workload: String) throws {
        let row = try #require(rows.first { $0.name == "first-request-after-0" })
        let figures = row.figures(try found(row.name) { $0.hasSuffix(", \(workload)") })
        let own = figures.filter { $0.connections > 0 }
        #expect(own.count >= 5 && own.allSatisfy(\.isMet), "\(own.filter { !$0.isMet })")
    }

    // Holds: W32
    @Test(
        "Beyond the freeze a move takes a round trip and a half: all that prepares it comes before (6.1, 6.3.2)",
        arguments: MigrationStrategy.allCases)
    func nothingButTheFreeze(_ strategy: MigrationStrategy) {
        var settings = MoveSettings(seed: 1, strategy)
        settings.workloads = [.idle, .idle]
        settings.freeze = .milliseconds(100) ... .milliseconds(100)
        let report = MoveRun(settings).run()
        #expect(report.connections.count == 2 && report.lost.isEmpty)
        // The server's challenge, the client's challenge, and its answer.
        for connection in report.connections {
            #expect(connection.movedAfter.map { $0 <= .microseconds(27_500) } ?? false, "\(connection)")
        }
    }

    @Test("A lost connection is a figure missed")
    func lost() throws {
        let row = try #require(rows.first { $0.name == "nat" })
        var trial = MigrationTrial()
        trial.connections = 3
        let all = Dictionary(uniqueKeysWithValues: row.series.map { ($0.name, trial) })
        #expect(row.figures(all).allSatisfy { $0.isMet && $0.lost == 0 })
        trial.lost = ["seed 1: gone"]
        let some = all.merging([row.series[0].name: trial]) { $1 }
        #expect(row.figures(some).filter { !$0.isMet }.map(\.lost) == [1])
    }

    @Test("Explicit's barrier takes one round trip, whoever the clients are (7.3)")
    func barrier() throws {
        var settings = MoveSettings(seed: 1, .explicit)
        settings.workloads = [.idle, .idle, .idle]
        settings.notice = .seconds(1) ... .seconds(1)
        settings.freeze = .milliseconds(100) ... .milliseconds(100)
        settings.deadClients = 1
        settings.deadline = .milliseconds(900)
        let report = MoveRun(settings).run()
        #expect(
            report.readyAfter == .milliseconds(900) && report.readiness?.ready == 2 && report.lost.isEmpty)
        settings.deadClients = 0
        let whole = MoveRun(settings).run()
        #expect(whole.readyAfter.map { $0 < .milliseconds(127) } == true && whole.readiness?.ready == 3)
    }

    // Holds: W19, W29
    @Test("Plans that are called off or replaced, and clients that move too, lose nobody (7.7, 5.3.7)")
    func detours() {
        for strategy in [MigrationStrategy.explicit, .combined] {
            for detour in MoveSettings.Detour.allCases {
                var settings = MoveSettings(seed: 1, strategy)
                (settings.workloads, settings.detour) = ([.idle], detour)
                settings.movesClients = detour == .none
                let report = MoveRun(settings).run()
                #expect(report.lost.isEmpty && report.violations.isEmpty, "\(strategy), \(detour)")
            }
        }
    }

    // Holds: W12, W13
    @Test("Move after move of one connection, no connection id at two addresses (RFC 9000 section 9.5)")
    func chain() {
        for strategy in MigrationStrategy.allCases {
            let report = MoveChain(seed: 1, strategy, moves: 6).run()
            #expect(report.moves == 6 && report.repeatedIDs == 0 && report.ids > 6, "\(strategy)")
            #expect(report.violations.isEmpty)
        }
    }

    // Holds: W2
    @Test(
        "A victim gets something, and no more than the budget (5.5.1)",
        arguments: [MigrationStrategy.explicit])
    func victim(_ strategy: MigrationStrategy) {
        let report = VictimRun(seed: 1, strategy, clients: 2).run()
        #expect(report.clients == 2 && report.bytes > 0 && report.bytes <= report.budget)
    }
}
