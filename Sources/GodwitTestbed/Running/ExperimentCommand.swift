import Foundation
package import GodwitMigration
import MHQKit

/// What `mhq experiment run` does.
package struct ExperimentCommand: Sendable {
    package var plan: ExperimentPlan
    package var policy: MigrationPolicy
    package var backend: BackendName
    /// Where results go.
    package var folder: String
    package var commandLine: [String]

    package init(
        _ plan: ExperimentPlan, policy: MigrationPolicy, backend: BackendName, folder: String,
        commandLine: [String]
    ) {
        (self.plan, self.policy, self.backend) = (plan, policy, backend)
        (self.folder, self.commandLine) = (folder, commandLine)
    }

    /// The folder of this policy and backend.
    package var place: String { "\(folder)/\(policy)/\(backend.rawValue)" }

    /// Does all runs that were not done yet.
    ///
    /// - Returns: how many runs failed their checks.
    /// - Throws: a failure; `CancellationError` when it was interrupted, and can go on later.
    @discardableResult
    package func run() async throws -> Int {
        var plan = plan
        // It is ours alone, and the management interface has no name for it.
        if policy == .thesis || backend != .simulated { plan.extraProtocols.removeAll { $0 == .combined } }
        let backend = try await makeBackend(plan)
        // Before anything is written, which may be into the folder of the sources.
        var record = EnvironmentRecord(
            plan, policy: "\(policy)", backend: self.backend.rawValue, commandLine: commandLine)
        let writer = try ResultWriter(folder: place, plan: plan)
        let path = EnvironmentRecord.path(in: place, experiment: plan.experiment)
        let earlier = try? EnvironmentRecord.read(path)
        if writer.isComplete {
            report("all \(writer.runCount) runs are in \(place) already")
            return report(failed: earlier?.failedChecks ?? 0)
        }
        if let text = backend.announcement(of: writer.missing, in: plan) {
            FileHandle.standardError.write(Data("experiment \(plan.experiment): \(text)\n".utf8))
        }
        if let earlier, !writer.finished.isEmpty { record.goOn(from: earlier) }
        try await perform(plan, backend, writer, &record, path)
        return report(failed: writer.flawed)
    }

    /// Does the runs, and keeps the record of it up to date.
    private func perform(
        _ plan: ExperimentPlan, _ backend: any ExperimentBackend, _ writer: ResultWriter,
        _ record: inout EnvironmentRecord, _ path: String
    ) async throws {
        let remarks = record.remarks
        record.add(remarks: backend.remarks(on: plan))
        try record.write(to: path)
        let start = ContinuousClock.now
        func close() throws {
            record.duration = (ContinuousClock.now - start) / .seconds(1)
            record.remarks = remarks
            record.add(remarks: backend.remarks(on: plan))
            try record.write(to: path)
        }
        do {
            try await perform(plan, backend, writer)
            try writer.finish()
        } catch {
            try? close()
            throw error
        }
        (record.complete, record.failedChecks) = (true, writer.flawed)
        try close()
    }

    /// - Returns: the same number.
    private func report(failed: Int) -> Int {
        guard failed > 0 else { return 0 }
        let runs = failed == 1 ? "1 run failed its checks" : "\(failed) runs failed their checks"
        report("\(runs): see flaws in \(ResultTable.details.name), in the folders of \(place)")
        return failed
    }

    private func report(_ text: String) {
        FileHandle.standardError.write(Data("experiment \(plan.experiment), \(policy): \(text)\n".utf8))
    }

    private func makeBackend(_ plan: ExperimentPlan) async throws -> any ExperimentBackend {
        switch backend {
        case .simulated: return SimulatedBackend()
        case .loopback: return try RealBackend.loopback(plan)
        case .namespaces: return try await RealBackend.namespaces(plan)
        }
    }

    private func perform(
        _ plan: ExperimentPlan, _ backend: any ExperimentBackend, _ writer: ResultWriter
    ) async throws {
        var progress = ExperimentProgress(
            "experiment \(plan.experiment), \(policy), \(self.backend.rawValue)", of: writer.runCount,
            skipping: writer.finished.count)
        progress.note(writer.finished.count)
        let policy = policy
        try await withThrowingTaskGroup(of: (RunSpecification, RunOutcome).self) { tasks in
            var rest = writer.missing[...]
            func begin() {
                guard let run = rest.popFirst() else { return }
                tasks.addTask { (run, try await backend.perform(run, of: plan, policy)) }
            }
            for _ in 0..<max(1, backend.width) { begin() }
            while let (run, outcome) = try await tasks.next() {
                try writer.add(outcome, of: run)
                progress.note(writer.finished.count)
                begin()
            }
        }
    }
}
