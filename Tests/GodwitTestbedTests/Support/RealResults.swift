import Foundation
import MHQKit
import Testing

@testable import GodwitTestbed

/// What `mhq experiment run` has written on real sockets, in a folder that goes when nobody needs it any more.
final class RealResults {
    private let folder: ProgramRun.Folder
    let plan: ExperimentPlan
    let place: String

    /// Does all runs of a plan, all of which have to pass their checks.
    init(_ plan: ExperimentPlan, policy: String = "godwit", backend: BackendName = .loopback) async throws {
        (self.plan, folder) = (plan, try ProgramRun.Folder())
        place = "\(folder.path)/out/\(policy)/\(backend.rawValue)"
        let path = try folder.write(plan.text, to: "plan.json")
        let words = Self.words(plan, path, policy: policy, backend: backend)
        let run = try ProgramRun(words, in: folder)
        #expect(try await run.laterStatus() == 0, "\(run.complaint)")
        for row in try details().rows {
            #expect(row["flaws"] == "")
        }
    }

    /// The command for a plan in a file; results go into `out`.
    static func words(
        _ plan: ExperimentPlan, _ path: String, policy: String = "godwit", backend: BackendName = .loopback
    ) -> [String] {
        [
            "experiment", "run", "\(plan.experiment)", "--plan", path, "--policy", policy,
            "--backend", backend.rawValue, "--out", "out",
        ]
    }

    /// A file of the plan's only series.
    func file(_ name: String) throws -> ResultFile {
        try ResultFile("\(place)/\(plan.series[0].folder)/\(name).csv")
    }

    func details() throws -> ResultFile { try file("godwit_details") }

    /// The plan of an experiment with the fewest runs that show anything: one repetition, on the first of its
    /// networks, with short waits.
    static func plan(_ id: Int, _ protocols: [PlanProtocol]? = nil) throws -> ExperimentPlan {
        var plan = RealMove.shortened(try PlanLibrary.plan(id, isQuick: true))
        plan.series = Array(plan.series.prefix(1))
        if let protocols { plan.protocols = protocols }
        plan.techniques = Array(plan.techniques.suffix(1))
        plan.intervals = Array(plan.intervals.prefix(1))
        plan.clients = [min(2, plan.clients.max() ?? 1)]
        plan.steps.startSpacing = min(plan.steps.startSpacing, 100)
        plan.steps.lastClientDelay = min(plan.steps.lastClientDelay, 100)
        plan.steps.noticeAt = min(plan.steps.noticeAt, 300)
        plan.steps.responsesAfterMove = min(plan.steps.responsesAfterMove, 5)
        plan.container.transfer.base = 0.3
        return plan
    }

    /// As ``plan(_:_:)``, for the hours: two handovers, there and back again.
    static func hour(_ id: Int, _ protocols: [PlanProtocol]? = nil) throws -> ExperimentPlan {
        var plan = try plan(id, protocols)
        plan.steps.handoverEvery = 4000
        plan.steps.outages = [300, 300]
        plan.steps.tail = 3500
        return plan
    }
}
