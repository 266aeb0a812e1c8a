import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

/// A run of the first experiment on real sockets, and what holds of it whatever carries its datagrams.
enum RealMove {
    /// The first experiment once, on a network without loss.
    static func plan() throws -> ExperimentPlan {
        var plan = shortened(try PlanLibrary.plan(1, isQuick: true))
        plan.series = Array(plan.series.prefix(1))
        return plan
    }

    /// A plan done once, with little time for requests and between them, but enough to freeze a server before the
    /// next one.
    static func shortened(_ plan: ExperimentPlan) -> ExperimentPlan {
        var plan = plan
        plan.intervals = plan.intervals.map { min($0, 300) }
        plan.extraProtocols = []
        plan.repetitions = 1
        for name in plan.networks.keys {
            plan.networks[name]?.source.toServer.delay = 5
            plan.networks[name]?.destination.toServer.delay = 2
        }
        return plan
    }

    /// A server that goes elsewhere is found there, and what was sent to where it was is lost.
    static func check(
        _ name: PlanProtocol, _ makeBackend: (ExperimentPlan) async throws -> RealBackend
    ) async throws {
        let plan = try plan()
        let run = try #require(plan.runs.first { $0.migrationProtocol == name })
        let outcome = try await makeBackend(plan).perform(run, of: plan, .godwit)
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
}
