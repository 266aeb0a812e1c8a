package import GodwitMigration
package import MHQKit

/// Where runs take place.
package protocol ExperimentBackend: Sendable {
    /// How many runs go on side by side at most.
    var width: Int { get }

    /// What the figures of this backend have to be read with.
    func remarks(on plan: ExperimentPlan) -> [String]

    /// What to tell people before runs of a plan are done; nil for nothing.
    func announcement(of runs: [RunSpecification], in plan: ExperimentPlan) -> String?

    /// Does a run.
    ///
    /// - Throws: what makes it impossible to do any; `CancellationError`. What happens to connections is part of the
    ///   outcome.
    func perform(
        _ run: RunSpecification, of plan: ExperimentPlan, _ policy: MigrationPolicy
    ) async throws -> RunOutcome
}

extension ExperimentBackend {
    package func announcement(of runs: [RunSpecification], in plan: ExperimentPlan) -> String? { nil }
}

/// The backends that there are.
package enum BackendName: String, CaseIterable, Sendable {
    case simulated
    case loopback
    case namespaces

    /// - Throws: a failure that names the option.
    package init(option text: String) throws(Failure) {
        guard let name = BackendName(rawValue: text) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(ExitCode.usage, "--backend: '\(text)' is none of \(names)")
        }
        self = name
    }
}
