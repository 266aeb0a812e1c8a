import Foundation
package import GodwitMigration
import MHQKit
import NIOConcurrencyHelpers

/// Runs on real sockets: each role a process, and a link between them.
package final class RealBackend: ExperimentBackend {
    /// Where a run's roles are.
    typealias MakeNetwork = @Sendable (ExperimentPlan) async throws -> any TestNetwork

    package let width: Int
    private let program: String
    private let folder: String
    private let shaping: LinkShaping
    private let makeNetwork: MakeNetwork
    private let load: NIOLockedValueBox<Load>

    private struct Load {
        var last = ProcessorLoad.now
        var highest = 0.0
        var hasWarned = false
        var number = 0
        /// From the first run on.
        var caretaker: Caretaker?
    }

    /// The part of the processors from which on they disturb what is measured.
    private static let tooBusy = 0.7
    /// Over how many of the processors' ticks: two seconds' worth, since to start a run takes all there is.
    private static let period = Double(200 * ProcessInfo.processInfo.activeProcessorCount)

    /// - Parameter program: the application, `mhq`.
    init(
        _ plan: ExperimentPlan, program: String?, _ shaping: LinkShaping, _ makeNetwork: @escaping MakeNetwork
    ) throws(Failure) {
        (self.shaping, self.makeNetwork) = (shaping, makeNetwork)
        self.program = if let program { program } else { try Self.ownProgram() }
        width = Self.width(plan, cores: ProcessInfo.processInfo.activeProcessorCount)
        load = NIOLockedValueBox(Load())
        folder = Leftovers.folder
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What waits costs no processor; what doesn't would disturb its neighbour.
    static func width(_ plan: ExperimentPlan, cores: Int) -> Int {
        // What the third measures is the processor's time; and a run of the first is little more than the start of
        // its processes, which others would notice.
        if plan.experiment == 3 || plan.experiment == 0 { return 1 }
        let clients = plan.clients.max() ?? 1
        return max(1, min(4 * cores, 8 * cores / clients))
    }

    private static func ownProgram() throws(Failure) -> String {
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        guard path.lastPathComponent == "mhq" else {
            throw Failure(ExitCode.software, "this program is not mhq, and knows of none")
        }
        return path.path
    }

    package func remarks(on plan: ExperimentPlan) -> [String] {
        var remarks = [
            "the container's phases are those of the model; the process is frozen for as long with signals",
            shaping.remark,
        ]
        let highest = load.withLockedValue(\.highest)
        if highest > Self.tooBusy {
            remarks.append("processors were busy for \(Int(highest * 100)) % of the time")
        }
        return remarks
    }

    package func announcement(of runs: [RunSpecification], in plan: ExperimentPlan) -> String? {
        let span = Self.describe(seconds: RunEstimate.total(of: runs, in: plan, width: width))
        let count = runs.count == 1 ? "1 run" : "\(runs.count) runs"
        return "\(count) in real time over \(shaping.name), \(width) at a time: \(span)"
    }

    static func describe(seconds: Double) -> String {
        if seconds < 90 { return "about a minute" }
        if seconds < 5400 { return "about \(Int((seconds / 60).rounded())) minutes" }
        return String(format: "about %.1f hours", seconds / 3600)
    }

    package func perform(
        _ run: RunSpecification, of plan: ExperimentPlan, _ policy: MigrationPolicy
    ) async throws -> RunOutcome {
        let number = load.withLockedValue { load in
            load.number += 1
            if load.number == 1 { load.caretaker = Caretaker(program: program) }
            return load.number
        }
        do {
            return try await perform(run, of: plan, policy, in: "\(folder)/\(number)")
        } catch {
            // Tools that are ended with the task complain of that.
            throw Task.isCancelled ? CancellationError() : error
        }
    }

    private func perform(
        _ run: RunSpecification, of plan: ExperimentPlan, _ policy: MigrationPolicy, in folder: String
    ) async throws -> RunOutcome {
        let network = try await makeNetwork(plan)
        let result: Result<RunOutcome, any Error>
        do {
            let real = try await RealRun(run, of: plan, policy, in: network, program: program, folder: folder)
            result = .success(try await real.perform())
        } catch { result = .failure(error) }
        await network.remove()
        noteLoad()
        return try result.get()
    }

    private func noteLoad() {
        let (part, isNew) = load.withLockedValue { load in
            guard let now = ProcessorLoad.now, let last = load.last, now.ticks(since: last) >= Self.period
            else { return (0.0, false) }
            load.last = now
            let part = now.part(since: last)
            load.highest = max(load.highest, part)
            let isNew = part > Self.tooBusy && !load.hasWarned
            if isNew { load.hasWarned = true }
            return (part, isNew)
        }
        guard isNew else { return }
        FileHandle.standardError.write(
            Data(
                "mhq: warning: processors are busy for \(Int(part * 100)) % of the time; times may be too long\n"
                    .utf8))
    }
}
