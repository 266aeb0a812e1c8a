import Foundation
package import GodwitMigration

/// Runs in virtual time.
package struct SimulatedBackend: ExperimentBackend {
    package init() {}

    package var width: Int { ProcessInfo.processInfo.activeProcessorCount }

    package func remarks(on plan: ExperimentPlan) -> [String] {
        plan.experiment == 3 ? ["virtual time: what takes the server's processor takes none"] : []
    }

    package func perform(
        _ run: RunSpecification, of plan: ExperimentPlan, _ policy: MigrationPolicy
    ) async throws -> RunOutcome {
        let outcome = SimulatedRun(run, of: plan, policy).perform { Task.isCancelled }
        try Task.checkCancellation()
        return outcome
    }
}
