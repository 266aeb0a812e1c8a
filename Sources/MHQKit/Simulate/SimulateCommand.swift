import GodwitSimulator
import GodwitWire

/// The work of `mhq simulate`: a fault campaign, and what it says about it.
public struct SimulateCommand: Sendable {
    /// The seed of the first run.
    public var firstSeed: UInt64
    /// How many runs to make, one a seed.
    public var count: UInt64
    /// Whether to write one JSON object at the end instead of text.
    public var writesJSON: Bool
    /// Whether to write a line for every run, and the whole log of the first one that fails.
    public var isVerbose: Bool

    /// A campaign over the seeds `firstSeed ..< firstSeed + count`.
    public init(
        firstSeed: UInt64 = 1, count: UInt64 = 1000, writesJSON: Bool = false, isVerbose: Bool = false
    ) {
        self.firstSeed = firstSeed
        self.count = count
        self.writesJSON = writesJSON
        self.isVerbose = isVerbose
    }

    /// Makes the runs.
    ///
    /// - Parameter write: takes a line of output, without its end.
    /// - Returns: the exit code: 0 if every run was as it has to be, else 1.
    public func run(write: (String) -> Void) -> Int32 {
        let campaign = FaultCampaign(first: firstSeed, count: count)
        let report = campaign.run { tell($0, write) }
        write(writesJSON ? json(report) : report.figures)
        if !writesJSON { write(features(report)) }
        if isVerbose, !writesJSON, let failure = report.failures.first {
            write(log(of: failure.seed, campaign))
        }
        return report.failures.isEmpty ? 0 : 1
    }

    /// What the runs had in them, with the number of those that did.
    private func features(_ report: CampaignReport) -> String {
        "runs with: "
            + FaultCampaign.features.map { "\($0) \(report.features[$0, default: 0])" }
            .joined(separator: ", ")
    }

    private func tell(_ progress: CampaignProgress, _ write: (String) -> Void) {
        guard !writesJSON else { return }
        let failed = progress.report.failures.last.flatMap { $0.seed == progress.seed ? $0 : nil }
        if let failed {
            write("\(failed)")
        } else if isVerbose {
            write("seed \(progress.seed): all is well")
        } else if progress.completed % 100 == 0, progress.completed < progress.total {
            let failures = progress.report.failures.count
            write("\(progress.completed) of \(progress.total) runs, \(failures) failed")
        }
    }

    private func log(of seed: UInt64, _ campaign: FaultCampaign) -> String {
        let plan = FaultPlan(seed: seed, limits: campaign.limits)
        let run = FaultRun(plan, tracing: .events)
        _ = run.outcome()
        return "\(plan)\n\(run.network.log)"
    }

    // MARK: JSON

    private func json(_ report: CampaignReport) -> String {
        let failures = report.failures.map { failure in
            let violations = failure.violations.map { quoted("\($0)") }.joined(separator: ",")
            let replay = quoted(failure.replayCommand)
            return "{\"seed\":\(failure.seed),\"replay\":\(replay),\"violations\":[\(violations)]}"
        }
        let features = FaultCampaign.features.map { "\(quoted($0)):\(report.features[$0, default: 0])" }
        return """
            {"first":\(firstSeed),"runs":\(report.runs),"virtualSeconds":\(report.virtualTime.inSeconds),\
            "datagrams":\(report.datagrams),"traceHash":"\(String(report.traceHash, radix: 16))",\
            "features":{\(features.joined(separator: ","))},\
            "failures":[\(failures.joined(separator: ","))]}
            """
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
