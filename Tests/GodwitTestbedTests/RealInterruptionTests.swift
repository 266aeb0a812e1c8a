import Foundation
import MHQKit
import Testing

@testable import GodwitTestbed

/// Experiments on real sockets that are ended in mid-run, and what is there afterwards.
@Suite("Interrupted on real sockets", .serialized, .timeLimit(.minutes(10)))
struct RealInterruptionTests {
    private let folder: ProgramRun.Folder

    init() throws { folder = try ProgramRun.Folder() }

    /// Runs one after the other, so that some are there to interrupt.
    private func start(_ backend: BackendName, repetitions: Int = 4) throws -> ProgramRun {
        var plan = try RealResults.plan(0)
        plan.repetitions = repetitions
        return try start(plan, backend)
    }

    private func start(_ plan: ExperimentPlan, _ backend: BackendName) throws -> ProgramRun {
        let path = try folder.write(plan.text, to: "plan.json")
        return try ProgramRun(
            RealResults.words(plan, path, backend: backend), in: folder, path: ProgramRun.networkTools)
    }

    /// How many runs have ended.
    private func journal(_ backend: BackendName) -> Int {
        let path = "\(folder.path)/out/godwit/\(backend.rawValue)/.journal-experiment0"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.count
    }

    /// Lets it do a run and begin another, and sends it a signal.
    private func signal(_ number: Int32, _ run: ProgramRun, _ backend: BackendName) async {
        await run.signal(number) { isInNextRun(run, backend) }
    }

    private func isInNextRun(_ run: ProgramRun, _ backend: BackendName) -> Bool {
        journal(backend) >= 1 && !Leftovers.processes(in: run.runsFolder).isEmpty
    }

    /// What is left of a driver's runs, in words; what is on its way out has the time that it needs.
    private func leftovers(of run: ProgramRun) async throws -> [String] {
        var found: [String] = []
        for _ in 0..<6000 {
            found = Leftovers.processes(in: run.runsFolder).map { "process \($0)" }
            found += caretakers(of: run).map { "caretaker \($0)" }
            if FileManager.default.fileExists(atPath: run.runsFolder) { found.append(run.runsFolder) }
            let namespaces = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
            found += namespaces.filter { $0.hasPrefix("mhq-run-\(run.identifier)-") }
            if found.isEmpty { return [] }
            try await Task.sleep(for: .milliseconds(10))
        }
        return found
    }

    private func caretakers(of run: ProgramRun) -> [pid_t] {
        ListedProcess.all.filter { $0.words.suffix(2) == ["caretaker", "\(run.identifier)"] }.map(\.number)
    }

    /// Every repetition once and in order, each with its request.
    private func checkRows(_ backend: BackendName, repetitions: Int = 4) throws {
        let place = "\(folder.path)/out/godwit/\(backend.rawValue)/nopacketloss/exp0"
        let service = try ResultFile("\(place)/experiment0_service_times.csv")
        let details = try ResultFile("\(place)/godwit_details.csv")
        for file in [service, details] {
            #expect(file.rows.map { $0["repetition"] } == (1...repetitions).map { "\($0)" })
            #expect(file.rows.map { $0["seed"] } == (1...repetitions).map { "\($0)" })
        }
        for row in service.rows { #expect(try row.numbers("serviceTimes [us]").count == 1) }
    }

    // MARK: Ctrl-C

    private func interrupt(_ backend: BackendName) async throws {
        let run = try start(backend)
        await signal(SIGINT, run, backend)
        #expect(try await run.laterStatus() == 128 + SIGINT)
        #expect(run.complaint.contains("mhq: interrupted; the same command goes on"), "\(run.complaint)")
        // By itself, and not because somebody tidied up after it.
        #expect(Leftovers.processes(in: run.runsFolder).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: run.runsFolder))
        #expect(try await leftovers(of: run) == [])
        #expect(try await start(backend).laterStatus() == 0)
        try checkRows(backend)
    }

    @Test("Ctrl-C leaves neither processes nor files of a run, and the same command goes on")
    func interruption() async throws { try await interrupt(.loopback) }

    @Test(
        "Ctrl-C leaves no namespace either", .enabled(if: geteuid() == 0, "needs root"))
    func interruptionOfNamespaces() async throws { try await interrupt(.namespaces) }

    // MARK: Killing

    private func kill(_ backend: BackendName) async throws {
        let run = try start(backend)
        await signal(SIGKILL, run, backend)
        #expect(try await run.laterStatus() == 128 + SIGKILL)
        #expect(try await leftovers(of: run) == [])
        let done = journal(backend)
        #expect((1...3).contains(done))
        let resumed = try start(backend)
        #expect(try await resumed.laterStatus() == 0, "\(resumed.complaint)")
        #expect(resumed.complaint.contains("\(done)/4 runs"), "\(resumed.complaint)")
        try checkRows(backend)
        #expect(try await leftovers(of: resumed) == [])
    }

    @Test("A driver that is killed takes its processes along and loses the run under way alone")
    func killing() async throws { try await kill(.loopback) }

    @Test(
        "A driver that is killed takes its namespaces along", .enabled(if: geteuid() == 0, "needs root"))
    func killingOfNamespaces() async throws { try await kill(.namespaces) }

    @Test("A server that stands still when its driver is killed ends as well")
    func frozen() async throws {
        var plan = try RealResults.plan(1, [.symmetric])
        // Long enough for anybody to see it.
        plan.container.transfer.base = 60
        let run = try start(plan, .loopback)
        await run.signal(SIGKILL) {
            Leftovers.processes(in: run.runsFolder).contains { ListedProcess($0)?.standsStill == true }
        }
        #expect(try await run.laterStatus() == 128 + SIGKILL)
        #expect(try await leftovers(of: run) == [])
    }

    @Test("Where nobody tidied up after a driver that was killed, the next one does")
    func nextDriver() async throws {
        let run = try start(.loopback)
        await run.signal(SIGKILL) {
            guard isInNextRun(run, .loopback) else { return false }
            for caretaker in caretakers(of: run) { _ = Foundation.kill(caretaker, SIGKILL) }
            return true
        }
        #expect(try await run.laterStatus() == 128 + SIGKILL)
        #expect(try await start(.loopback).laterStatus() == 0)
        #expect(try await leftovers(of: run) == [])
        try checkRows(.loopback)
    }
}
