import Foundation
import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

@Suite struct SimulatedExperimentTests {
    /// A folder that goes when nobody needs it any more.
    private final class Folder {
        let path = NSTemporaryDirectory() + "testbed-\(UUID().uuidString)"
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A plan small enough for a test.
    private func plan(_ id: Int) throws -> ExperimentPlan {
        var plan = try PlanLibrary.plan(id, isQuick: true)
        plan.repetitions = min(plan.repetitions, 2)
        plan.series = Array(plan.series.prefix(1))
        plan.extraProtocols = []
        if plan.experiment == 1 { plan.intervals = [5000] }
        if plan.experiment == 2 { (plan.inflations, plan.techniques) = ([0], [.cold, .hybrid]) }
        if plan.experiment == 4 { (plan.techniques, plan.intervals) = ([.cold], [1000]) }
        return plan
    }

    private func run(
        _ plan: ExperimentPlan, _ policy: MigrationPolicy, in folder: Folder
    ) async throws -> ExperimentCommand {
        let command = ExperimentCommand(
            plan, policy: policy, backend: .simulated, folder: folder.path, commandLine: ["mhq"])
        try await command.run()
        return command
    }

    /// The rows of a file, by their columns.
    private func rows(
        _ name: String, _ plan: ExperimentPlan, _ command: ExperimentCommand
    ) throws -> [[String: String]] {
        let path = "\(command.place)/\(plan.series[0].folder)/\(name)"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(Self.cells)
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }

    private static func cells(_ line: Substring) -> [String] {
        var (cells, cell, isQuoted) = ([String](), "", false)
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                cells.append(cell)
                cell = ""
            default: cell.append(character)
            }
        }
        return cells + [cell]
    }

    private func numbers(_ cell: String?) -> [Int] {
        (cell ?? "").split { !$0.isNumber }.compactMap { Int($0) }
    }

    @Test("Every run of every experiment writes the rows that the thesis's scripts join", arguments: 0...6)
    func rowCounts(_ id: Int) async throws {
        let (plan, folder) = (try plan(id), Folder())
        let command = try await run(plan, .godwit, in: folder)
        let perRun = id == 4 ? plan.clients[0] : 1
        for table in ResultTable.all(of: id) where table.name != ResultTable.details.name {
            let rows = try rows(table.name, plan, command)
            #expect(rows.count == plan.runs.count * perRun, "\(table.name)")
            #expect(rows.allSatisfy { $0["experiment"] == "\(id)" })
            #expect(rows.allSatisfy { $0.count == table.columns.count })
        }
        for row in try rows(ResultTable.details.name, plan, command) {
            #expect(row["connectionEnd"] == "", "\(row)")
            #expect(row["flaws"] == "", "\(row)")
        }
    }

    @Test("The eleventh request's excess is what each strategy of the thesis's costs")
    func thesisExcess() async throws {
        let (plan, folder) = (try plan(1), Folder())
        let command = try await run(plan, .thesis, in: folder)
        let plain = 18.4
        for row in try rows("experiment1_service_times.csv", plan, command) {
            let excess = Double(try #require(numbers(row["serviceTimes [us]"]).first)) / 1000 - plain
            #expect(row["serverAddresses"] == "['192.168.1.105:6666']")
            #expect(row["firstRequestAfterMigrationTriggered"] == "11")
            switch plan.protocols[try #require(row["run"].flatMap { Int($0) }) - 1] {
            case .proactiveExplicit, .symmetric: #expect(abs(excess) <= 2)
            case .reactiveExplicit: #expect(abs(excess - 267) <= 15)
            default:
                let steps = (1...12).map { 267.0 + 100 * (Double(1 << $0) - 2) }
                #expect(steps.contains { abs($0 - excess) <= 40 })
            }
        }
    }

    @Test("Joins find the same runs in all three files of the second experiment")
    func joins() async throws {
        let (plan, folder) = (try plan(2), Folder())
        let command = try await run(plan, .thesis, in: folder)
        let service = try rows("experiment2_service_times.csv", plan, command)
        let migration = try rows("experiment2_migration_times.csv", plan, command)
        let restore = try rows("experiment2_restore_times.csv", plan, command)
        func key(_ row: [String: String]) -> String { "\(row["run"] ?? "")-\(row["repetition"] ?? "")" }
        #expect(service.map(key) == migration.map(key))
        #expect(service.map(key) == restore.map(key))
        #expect(service.map { $0["seed"] } == migration.map { $0["seed"] })
        for (row, other) in zip(service, migration) {
            let first = try #require(numbers(row["firstRequestAfterMigrationTriggered"]).first)
            let addresses = (row["serverAddresses"] ?? "").split(separator: ", ")
            #expect(addresses.dropFirst(first - 1).dropLast().contains { $0.contains("192.168.1.105:6666") })
            #expect((other["preDumpTime [s]"] == "") == (other["migrationTechnique"] == "cold"))
        }
    }

    @Test("The same seed gives the same files")
    func repeatable() async throws {
        let plan = try plan(1)
        var texts: [String] = []
        for _ in 0..<2 {
            let folder = Folder()
            let command = try await run(plan, .thesis, in: folder)
            let path = "\(command.place)/\(plan.series[0].folder)/experiment1_service_times.csv"
            texts.append(try String(contentsOfFile: path, encoding: .utf8))
        }
        #expect(texts[0] == texts[1])
    }

    @Test("Whoever was interrupted goes on, and the files come out as if there had been no interruption")
    func resumption() async throws {
        let (plan, whole, broken) = (try plan(0), Folder(), Folder())
        let command = try await run(plan, .thesis, in: whole)
        let place = "\(broken.path)/thesis/simulated"
        do {
            let writer = try ResultWriter(folder: place, plan: plan)
            let done = plan.runs[1]
            try writer.add(SimulatedRun(done, of: plan, .thesis).perform(), of: done)
            // Nothing is closed, and half a record is left behind.
            try Data("{\"nopa".utf8).write(
                to: URL(fileURLWithPath: "\(place)/.journal-experiment0/0.json"))
            var record = EnvironmentRecord(plan, policy: "thesis", backend: "simulated", commandLine: ["mhq"])
            (record.commit, record.startedAt) = ("another", 7)
            try record.write(to: EnvironmentRecord.path(in: place, experiment: 0))
        }
        let resumed = try await run(plan, .thesis, in: broken)
        let name = "\(plan.series[0].folder)/experiment0_service_times.csv"
        let texts = try [command.place, resumed.place].map {
            try String(contentsOfFile: "\($0)/\(name)", encoding: .utf8)
        }
        #expect(texts[0] == texts[1])
        let records = try [command.place, resumed.place].map {
            try EnvironmentRecord.read(EnvironmentRecord.path(in: $0, experiment: 0))
        }
        #expect(records[0].earlier == nil)
        #expect(records[1].earlier?.map(\.commit) == ["another"])
        #expect(records[1].earlier?.map(\.startedAt) == [7])
        #expect(records[1].remarks.contains(EnvironmentRecord.severalCommits))
        #expect(records.allSatisfy { $0.complete && $0.failedChecks == 0 })
    }

    @Test("Flaws are counted once a run, also those that were found before an interruption")
    func flaws() throws {
        let (plan, folder) = (try plan(3), Folder())
        var outcome = SimulatedRun(plan.runs[0], of: plan, .godwit).perform()
        outcome.clients.append(contentsOf: outcome.clients)
        let clean = outcome
        outcome.flaws = ["one", "another"]
        for flawed in [1, 2] {
            let writer = try ResultWriter(folder: folder.path, plan: plan)
            #expect(writer.flawed == flawed - 1)
            for (offset, outcome) in [outcome, clean].enumerated() {
                try writer.add(outcome, of: plan.runs[2 * (flawed - 1) + offset])
            }
            #expect(writer.flawed == flawed)
        }
    }

    @Test("A direction with a loss of its own loses that, whatever the series does")
    func ownLoss() throws {
        var plan = try plan(0)
        let run = plan.runs[0]
        func requests(_ loss: Double?) -> Int64? {
            plan.networks["wan"]?.destination.toServer.loss = loss
            return SimulatedRun(run, of: plan, .godwit).perform().clients[0].log.entries.first?.serviceTime
        }
        plan.series[0].loss = 0
        let plain = try #require(requests(nil))
        #expect(requests(0) == plain)
        #expect(requests(0.9) != plain)
        plan.networks["wan"]?.destination.toClient.loss = 0
        plan.series[0].loss = 0.9
        #expect(requests(0) == plain)
    }

    @Test("A folder with results of another plan is not written to")
    func otherPlan() async throws {
        let folder = Folder()
        var plan = try plan(0)
        _ = try await run(plan, .thesis, in: folder)
        plan.firstSeed = 7
        let other = plan
        let failure = await #expect(throws: Failure.self) { try await run(other, .thesis, in: folder) }
        #expect(failure?.exitCode == ExitCode.configuration)
    }

    @Test("An environment file tells enough to have the same results again")
    func replay() async throws {
        let (plan, folder) = (try plan(0), Folder())
        let command = try await run(plan, .thesis, in: folder)
        let record = try EnvironmentRecord.read(EnvironmentRecord.path(in: command.place, experiment: 0))
        #expect(record.complete)
        #expect(record.plan == plan)
        #expect(record.policy == "thesis")
        #expect(record.planDigest == plan.digest)
    }
}
