import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("QUIC under every fault")
struct FaultCampaignTests {
    /// Small enough that all of them take seconds without optimization.
    private static let limits = FaultPlanLimits(clients: 1...2, bytes: 32 << 10)

    @Test("A hundred seeds of mixed faults end with every byte right", arguments: 0..<20)
    func campaign(part: UInt64) {
        var campaign = FaultCampaign(first: 1 + 5 * part, count: 5, limits: Self.limits)
        // Every tenth seed is run twice by the test below.
        campaign.campaign.repetitionInterval = 0
        let report = campaign.run()
        #expect(report.failures.isEmpty, "\(report)")
    }

    @Test(
        "The same seed gives the same trace: times, sizes, decrypted frames, outcomes",
        arguments: [1, 2, 13, 23])
    func repeatability(seed: UInt64) {
        let plan = FaultPlan(seed: seed, limits: Self.limits)
        let first = FaultRun(plan).outcome()
        #expect(FaultRun(plan).outcome().traceHash == first.traceHash)
        #expect(
            first.traceHash != FaultRun(FaultPlan(seed: seed + 1, limits: Self.limits)).outcome().traceHash)
    }

    @Test("A failure names its seed and the one command that repeats it")
    func failureText() {
        let failure = CampaignFailure(
            seed: 42, violations: [Violation(checker: "payload", time: .zero, message: "a byte is wrong")],
            replayCommand: Campaign(first: 42, count: 1).replayCommand(42))
        #expect(failure.description.contains("make sim SEED=42 COUNT=1"))
    }
}
