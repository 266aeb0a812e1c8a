import Foundation
import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

/// Whole runs with the `mhq` that was built along with these tests.
@Suite("On real sockets", .serialized, .timeLimit(.minutes(10)))
struct RealExperimentTests {
    private static let mhq = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "mhq").path

    /// The first experiment, with little time for requests and between them, but enough to freeze a server before
    /// the next one.
    private func plan() throws -> ExperimentPlan {
        var plan = try PlanLibrary.plan(1, isQuick: true)
        plan.intervals = [300]
        plan.extraProtocols = []
        plan.repetitions = 1
        for name in plan.networks.keys {
            plan.networks[name]?.source.toServer.delay = 5
            plan.networks[name]?.destination.toServer.delay = 2
        }
        plan.series = Array(plan.series.prefix(1))
        return plan
    }

    /// A server that goes elsewhere is found there, and what was sent to where it was is lost.
    private func check(_ backend: RealBackend, _ name: PlanProtocol) async throws {
        let plan = try plan()
        let run = try #require(plan.runs.first { $0.migrationProtocol == name })
        let outcome = try await backend.perform(run, of: plan, .godwit)
        #expect(outcome.flaws == [])
        #expect(outcome.lostAtOldAddress > 0)
        #expect(outcome.migrations.count == 1)
        let client = try #require(outcome.clients.first)
        #expect(client.endReason == nil)
        // On a machine with much else to do the request may be answered before the freeze.
        let places: Set = ["192.168.1.104:6666", "192.168.1.105:6666"]
        #expect(client.log.entries.count == 1 && places.isSuperset(of: client.log.entries.map(\.address)))
        #expect(client.log.firstRequestAfterMigrationTriggered == 11)
    }

    @Test(
        "A frozen server goes on at another loopback address, and its client with it",
        arguments: [PlanProtocol.reactiveExplicit, .symmetric])
    func loopback(_ name: PlanProtocol) async throws {
        try await check(try RealBackend.loopback(try plan(), program: Self.mhq), name)
    }

    @Test(
        "A frozen server goes on in a network namespace with another address",
        .enabled(if: geteuid() == 0, "needs root"), arguments: [PlanProtocol.poolOfAddresses3, .symmetric])
    func namespaces(_ name: PlanProtocol) async throws {
        try await check(try await RealBackend.namespaces(try plan(), program: Self.mhq), name)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        let own = "mhq-run-\(ProcessInfo.processInfo.processIdentifier)-"
        #expect(!names.contains { $0.hasPrefix(own) })
    }

    @Test("A run that is cancelled leaves neither processes nor files behind")
    func cancellation() async throws {
        let plan = try plan()
        let backend = try RealBackend.loopback(plan, program: Self.mhq)
        let task = Task { try await backend.perform(plan.runs[0], of: plan, .godwit) }
        while (try? FileManager.default.contentsOfDirectory(atPath: Leftovers.folder))?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(5))
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect((try? FileManager.default.contentsOfDirectory(atPath: Leftovers.folder))?.isEmpty ?? true)
        #expect(Leftovers.processes(in: Leftovers.folder).isEmpty)
    }

    @Test("A server that can't start ends the experiment with its own words")
    func noServer() async throws {
        let plan = try plan()
        let backend = try RealBackend.loopback(plan, program: "/bin/false")
        let failure = await #expect(throws: Failure.self) {
            try await backend.perform(plan.runs[0], of: plan, .godwit)
        }
        #expect(failure?.exitCode == ExitCode.unavailable)
    }
}
