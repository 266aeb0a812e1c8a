import GodwitSimulator
import GodwitWire
import Testing

@Suite("Fault plans and campaigns")
struct FaultPlanTests {
    private static let limits = FaultPlanLimits(bytes: 20_000)

    /// Every client uploads all the bytes of its workload with the toy protocol.
    private func run(_ plan: FaultPlan) -> SimulatedNetwork {
        let network = SimulatedNetwork(seed: plan.seed)
        let (payload, agreement) = (PayloadChecker(), AgreementChecker())
        for checker in [payload, agreement] as [any Checker] { network.addChecker(checker) }
        plan.install(in: network, server: StopAndWait.Server()) { index in
            let total = max(1, plan.clients[index].workload.reduce(0) { $0 + $1.byteCount })
            payload.expect(StopAndWait.direction(of: UInt64(index)), size: UInt64(total))
            agreement.expect(connection: UInt64(index))
            return StopAndWait.Client(number: index, total: total, server: plan.server.address)
        }
        network.run(until: .zero + plan.timeLimit) { agreement.isComplete }
        return network
    }

    @Test("The same seed gives the same plan, another seed another one")
    func repeats() {
        #expect(FaultPlan(seed: 5) == FaultPlan(seed: 5))
        #expect(FaultPlan(seed: 5) != FaultPlan(seed: 6))
        #expect(FaultPlan(seed: 5).description == FaultPlan(seed: 5).description)
    }

    @Test("Plans stay within their limits, and all kinds of faults come up")
    func staysWithinLimits() {
        let limits = FaultPlanLimits(serverMoves: true)
        let plans = (0..<200).map { FaultPlan(seed: $0, limits: limits) }
        for plan in plans {
            #expect(limits.clients.contains(plan.clients.count) && limits.faults.contains(plan.faults.count))
            #expect(plan.faults.map(\.time) == plan.faults.map(\.time).sorted())
            for link in plan.clients.flatMap({ [$0.egress, $0.ingress] }) {
                let loss = link.loss + link.corruption + (link.burstLoss?.averageLoss ?? 0)
                #expect(loss <= limits.loss + 1e-9 && link.mtu >= 1280)
            }
            for client in plan.clients {
                #expect(!client.workload.isEmpty)
                #expect(client.workload.reduce(0) { $0 + $1.byteCount } <= limits.bytes + 2000)
            }
            for case .freeze(_, let lasting, let jump, _) in plan.faults.map(\.fault) {
                #expect(lasting <= limits.freeze)
                #expect(jump <= limits.clockJump && .zero - limits.clockJump <= jump)
            }
        }
        let text = plans.map(\.description).joined(separator: "\n")
        for words in [
            "rebinds to", "the server freezes for", "its clock jumps by", "it goes on at", "moves to",
            "is cut off for", "becomes up:", "an attacker at", "addressDependent mapping", "bursts of loss",
            "reordering", "duplication", "corruption", "uploads", "downloads", "requests", "is idle for",
            "jitter", "the server's process ends, after", "MTU 1350", "ECN cleared",
        ] {
            #expect(text.contains(words), "\(words)")
        }
    }

    @Test("Two clients behind one's own address never collide with anyone, however often they move")
    func addressesAreDistinct() {
        let limits = FaultPlanLimits(clients: 3...3, faults: 12...12, bytes: 1, serverMoves: true)
        for seed in 0..<10 as Range<UInt64> {
            let plan = FaultPlan(seed: seed, limits: limits)
            let network = SimulatedNetwork(seed: seed)
            plan.install(in: network, server: Echo()) { _ in Postbox() }
            network.run(for: plan.timeLimit)
            #expect(network.violations.isEmpty)
        }
    }

    @Test("A plan written by hand runs like a drawn one")
    func runsByHand() {
        let home = TranslatorPlan(.symmetric, outside: IPAddress(v4: 0xcb00_7101))
        let link = LinkParameters(delay: .milliseconds(20), loss: 0.1)
        let client = ClientPlan(
            address: privateAddress(2), translator: home, egress: link, ingress: link,
            workload: [.upload(bytes: 30_000)])
        let faults = [
            TimedFault(at: .milliseconds(100), .rebinding(client: 0, to: nil)),
            TimedFault(
                at: .milliseconds(300),
                .freeze(.server, lasting: .seconds(1), clockJump: .seconds(-3600), movingTo: nil)),
        ]
        let plan = FaultPlan(
            seed: 1, server: ServerPlan(address: address(1), clockOffset: .seconds(86_400)),
            clients: [client],
            faults: faults, timeLimit: .seconds(120))
        let network = run(plan)
        #expect(network.finish().isEmpty)
        #expect(network.trace.counts[.rebound] == 1 && network.trace.counts[.thawed] == 1)
    }

    @Test(
        "A protocol that retransmits gets everything across, whatever the plan",
        arguments: 0..<30 as Range<UInt64>)
    func everyPlanCanEnd(seed: UInt64) {
        let plan = FaultPlan(seed: seed, limits: Self.limits)
        let network = run(plan)
        #expect(network.finish().isEmpty, "\(plan)")
    }

    @Test("A campaign runs seed by seed, repeats some runs and tells how far it is")
    func runsACampaign() {
        var seeds: [UInt64] = []
        let campaign = Campaign(first: 3, count: 4, repetitionInterval: 3)
        let report = campaign.run(progress: { seeds.append($0.seed) }) { seed in
            RunOutcome(run(FaultPlan(seed: seed, limits: Self.limits)))
        }
        #expect(seeds == [3, 4, 5, 6])
        #expect(report.runs == 4 && report.failures.isEmpty && report.datagrams > 0)
        let again = campaign.run { RunOutcome(run(FaultPlan(seed: $0, limits: Self.limits))) }
        #expect(again.traceHash == report.traceHash)
        #expect(report.description.hasPrefix("4 runs, 0 failed, "))
    }

    @Test("A failure comes with its seed and the command that replays it")
    func namesFailures() {
        struct Mishap: Error {}
        func outcome(_ seed: UInt64) throws -> RunOutcome {
            let network = SimulatedNetwork(seed: seed)
            if seed == 2 { network.complain("checker", "something is wrong") }
            if seed == 3 { throw Mishap() }
            return RunOutcome(network)
        }
        let report = Campaign(first: 1, count: 4).run(outcome)
        #expect(report.failures.map(\.seed) == [2, 3])
        #expect(report.failures[0].replayCommand == "make sim SEED=2 COUNT=1")
        #expect(report.failures[0].description.contains("[checker] at 0.000000 s: something is wrong"))
        #expect(report.failures[1].violations.map(\.message) == ["Mishap()"])
        let stopping = Campaign(first: 1, count: 4, stopsAtFailure: true) { "replay \($0)" }.run(outcome)
        #expect(stopping.runs == 2)
        #expect(stopping.failures.map(\.replayCommand) == ["replay 2"])
    }

    @Test("A run that doesn't repeat is a failure")
    func noticesUnrepeatableRuns() {
        var count: UInt64 = 0
        let report = Campaign(first: 0, count: 1).run { _ in
            count += 1
            let network = SimulatedNetwork(seed: 1)
            network.addHost("sender", at: address(1), running: Postbox(Int(count), to: address(2)))
            network.run(for: .seconds(1))
            return RunOutcome(network)
        }
        #expect(report.failures.first?.violations.map(\.checker) == ["determinism"])
    }

    @Test("A failing plan shrinks to what makes it fail")
    func shrinks() throws {
        let seeds = (0..<100 as Range<UInt64>).map { FaultPlan(seed: $0) }
        let plan = try #require(
            seeds.first { plan in
                plan.clients.count == 3 && plan.faults.contains { $0.description.contains("cut off") }
            })
        let smallest = plan.shrunk { plan in plan.faults.contains { $0.description.contains("cut off") } }
        #expect(smallest.faults.count == 1)
        #expect(
            smallest.clients.allSatisfy {
                $0.workload.count == 1 && $0.egress.loss == 0 && $0.ingress.rate == nil
            })
        #expect(smallest.seed == plan.seed)
    }
}
