import GodwitCore
import GodwitWire

/// The campaign that QUIC has to survive: clients and a server with real work to do, under every fault that a
/// ``FaultPlan`` draws, watched by every checker.
///
/// ```swift
/// let report = FaultCampaign(first: 1, count: 100).run()
/// print(report)
/// ```
///
/// What else a run draws besides its plan, from early data to a server that loses its state, stands in the
/// module's documentation, and in ``features``.
///
/// In every tenth run (seeds that end in 3) the handshakes are those of real TLS. In another tenth (those
/// that end in 7) every confirmed connection is written to bytes and read back again and again, and the run
/// has to have the same trace as without.
public struct FaultCampaign: Sendable {
    /// The seeds, and what to do with failures.
    public var campaign: Campaign
    /// How far the plans go.
    public var limits: FaultPlanLimits

    /// A campaign over the seeds `first ..< first + count`.
    public init(first: UInt64, count: UInt64, limits: FaultPlanLimits = FaultPlanLimits()) {
        campaign = Campaign(first: first, count: count)
        self.limits = limits
    }

    /// Everything that a run may come to have in it, in the order in which it is best read; see
    /// ``CampaignReport/features``.
    public static var features: [String] { WorkloadFeature.allCases.map(\.rawValue) }

    /// Makes the runs.
    ///
    /// - Parameter progress: told after every run.
    public func run(progress: (CampaignProgress) -> Void = { _ in }) -> CampaignReport {
        campaign.run(progress: progress) { outcome(of: $0) }
    }

    /// Makes the run of one seed.
    public func outcome(of seed: UInt64) -> RunOutcome {
        let plan = FaultPlan(seed: seed, limits: limits)
        let run = FaultRun(plan)
        var outcome = run.outcome()
        guard run.character.rewrites else { return outcome }
        let plain = FaultRun(plan, rewrites: false).outcome()
        if plain.traceHash != outcome.traceHash, outcome.violations.isEmpty {
            outcome.violations.append(
                Violation(
                    checker: "rewriting", time: .zero + outcome.duration,
                    message: "a run whose connections are written and read back differs from one without"))
        }
        return outcome
    }
}
