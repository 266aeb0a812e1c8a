import Foundation
import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

/// The file of ours beside the thesis's.
@Suite struct DetailsTests {
    /// A client whose requests were sent at and took so many milliseconds.
    private func client(_ requests: [(at: Int64, took: Int64)]) -> RunOutcome.Client {
        var log = ServiceTimeLog(experiment: 5, triggerAfter: 0, seed: 1)
        for request in requests {
            log.note(
                ServiceTimeLog.Entry(
                    timestamp: request.at * 1000, serviceTime: request.took * 1000, address: "",
                    method: "POST",
                    requestSize: 0, responseSize: 0))
        }
        return RunOutcome.Client(seed: 1, log: log)
    }

    @Test("The 99th percentile lies between two requests as the analysis has it")
    func percentile() {
        // numpy.percentile says 99.01 of 1 to 100.
        let many = client((1...100).map { (at: $0, took: $0) })
        #expect(many.serviceTime(quantile: 0.99) == 99_010)
        #expect(many.serviceTime(quantile: 1) == 100_000)
        #expect(client([(1, 7)]).serviceTime(quantile: 0.99) == 7000)
        #expect(client([]).serviceTime(quantile: 0.99) == nil)
    }

    @Test("A stall is what comes after the freeze: from then on, or from a request that was sent later")
    func stalls() {
        // Moves end at 2 s and at 5 s; the first request over one of them waits 300 ms longer, the second is new.
        let one = client([(at: 1000, took: 50), (at: 1500, took: 800), (at: 5100, took: 120)])
        #expect(one.stall(after: [2]) == 300_000)
        #expect(one.stall(after: [5]) == 120_000)
        #expect(one.stall(after: [2, 5]) == 300_000)
    }

    @Test("No stall is told where nothing moved, nothing came any more, or requests bear no time")
    func noStall() {
        let one = client([(at: 1000, took: 50)])
        #expect(one.stall(after: []) == nil)
        #expect(one.stall(after: [0.5, 2]) == nil)
        #expect(client([(at: 0, took: 5000)]).stall(after: [2]) == nil)
    }

    @Test("Every move of a simulated hour shows in its details, and none of an hour without")
    func simulated() async throws {
        for id in 5...6 {
            let results = try await QuickResults(QuickResults.plan(id), .thesis)
            let series = results.plan.series[0]
            let rows = try results.file("godwit_details", in: series).rows
            #expect(rows.count == results.runs(of: series).count)
            for row in rows {
                let longest = try #require(try row.number("longestServiceTime [us]"))
                let most = try #require(try row.number("p99ServiceTime [us]"))
                #expect(0 < most && most <= longest)
                let stall = try row.number("stallBeyondFreeze [us]")
                #expect((stall != nil) == (id == 5))
                // A request over the freeze waits for its end as well.
                if let stall { #expect(0 < stall && stall < longest) }
            }
        }
    }

    /// A process that is just being started by somebody else has the lock of an earlier one until it runs.
    private func writer(_ folder: ProgramRun.Folder, _ plan: ExperimentPlan) async throws -> ResultWriter {
        for _ in 0..<1000 {
            do { return try ResultWriter(folder: folder.path, plan: plan) } catch let failure as Failure {
                guard failure.exitCode == ExitCode.unavailable else { throw failure }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        return try ResultWriter(folder: folder.path, plan: plan)
    }

    @Test("Rows of another version's columns are no rows: their runs are done again")
    func otherColumns() async throws {
        let folder = try ProgramRun.Folder()
        let plan = try RealResults.plan(0)
        do {
            let first = try await writer(folder, plan)
            try first.add(RunOutcome(), of: plan.runs[0])
        }
        #expect(try await writer(folder, plan).missing.isEmpty)
        let path = "\(folder.path)/.journal-experiment0/0.json"
        var lines = try JSONDecoder().decode(
            RunJournal.Lines.self, from: Data(contentsOf: URL(filePath: path)))
        lines["\(plan.series[0].folder)/experiment0_service_times.csv"] = [#"0,1,1,"a, b",,"#]
        try JSONEncoder().encode(lines).write(to: URL(filePath: path))
        #expect(try await writer(folder, plan).missing.count == 1)
    }

    @Test("Cells are counted as they are read")
    func cells() {
        #expect(ResultCell.count(in: "a,b") == 2)
        #expect(ResultCell.count(in: #""[1, 2]",,"he said ""no, no""""#) == 3)
        #expect(ResultCell.count(in: "") == 1)
    }
}
