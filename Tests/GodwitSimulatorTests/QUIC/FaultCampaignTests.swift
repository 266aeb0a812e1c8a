import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("QUIC under every fault")
struct FaultCampaignTests {
    /// Small enough that all of them take seconds without optimization.
    private static let limits = FaultPlanLimits(
        clients: 1...2, faults: 0...4, bytes: 16 << 10, freeze: .seconds(3), outage: .seconds(2))

    /// What a hundred runs may do without: it comes up once in some hundred.
    private static let rarities: Set<String> = Set(
        [WorkloadFeature.addressToken, .allDatagrams].map(\.rawValue))

    @Test("A hundred seeds of mixed faults end with every byte right, and have all of QUIC in them")
    func campaign() async {
        let reports = await withTaskGroup(of: CampaignReport.self) { group in
            for part in 0..<10 as Range<UInt64> { group.addTask { Self.report(part) } }
            return await group.reduce(into: [CampaignReport]()) { $0.append($1) }
        }
        for report in reports { #expect(report.failures.isEmpty, "\(report)") }
        let seen = reports.reduce(into: Set<String>()) { $0.formUnion($1.features.keys) }
        let missing = Set(FaultCampaign.features).subtracting(seen).subtracting(Self.rarities)
        #expect(missing.isEmpty)
    }

    private static func report(_ part: UInt64) -> CampaignReport {
        var campaign = FaultCampaign(first: 1 + 10 * part, count: 10, limits: limits)
        // Every tenth seed is run twice by the test below.
        campaign.campaign.repetitionInterval = 0
        return campaign.run()
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

    @Test("A plan narrowed down to nothing but its work still runs")
    func shrunk() {
        var plan = FaultPlan(seed: 6, limits: Self.limits)
        plan.faults = []
        plan.clients.removeLast(plan.clients.count - 1)
        plan.clients[0].workload = [.requests(count: 1, requestBytes: 0, responseBytes: 0, pause: .zero)]
        #expect(FaultRun(plan).outcome().violations.isEmpty)
    }

    @Test("A failure names its seed and the one command that repeats it")
    func failureText() {
        let failure = CampaignFailure(
            seed: 42, violations: [Violation(checker: "payload", time: .zero, message: "a byte is wrong")],
            replayCommand: Campaign(first: 42, count: 1).replayCommand(42))
        #expect(failure.description.contains("make sim SEED=42 COUNT=1"))
    }
}
