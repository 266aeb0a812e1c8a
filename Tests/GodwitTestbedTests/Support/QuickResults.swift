import Foundation
import GodwitMigration
import MHQKit

@testable import GodwitTestbed

/// The results of a quick plan, in a folder that goes when nobody needs it any more.
final class QuickResults: Sendable {
    let plan: ExperimentPlan
    let folder = NSTemporaryDirectory() + "testbed-\(UUID().uuidString)"
    let policy: MigrationPolicy

    /// Does the runs of a plan in virtual time.
    init(_ plan: ExperimentPlan, _ policy: MigrationPolicy) async throws {
        (self.plan, self.policy) = (plan, policy)
        try await ExperimentCommand(
            plan, policy: policy, backend: .simulated, folder: folder, commandLine: ["mhq"]
        ).run()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A quick plan as it ships.
    static func plan(_ id: Int) throws -> ExperimentPlan { try PlanLibrary.plan(id, isQuick: true) }

    /// Where the files of policy and backend lie.
    var place: String { "\(folder)/\(policy)/simulated" }

    func path(_ name: String, in series: ExperimentPlan.Series) -> String {
        "\(place)/\(series.folder)/\(name).csv"
    }

    func file(_ name: String, in series: ExperimentPlan.Series) throws -> ResultFile {
        try ResultFile(path(name, in: series))
    }

    /// The runs whose rows a series holds, in the plan's order.
    func runs(of series: ExperimentPlan.Series) -> [RunSpecification] {
        let all = plan.allSeries
        return plan.runs.filter { all[$0.series].folder == series.folder }
    }
}
