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

/// One run of a ``FaultCampaign``.
public final class FaultRun {
    /// What goes wrong.
    public let plan: FaultPlan
    /// Where it goes wrong.
    public let network: SimulatedNetwork
    let character: RunCharacter
    private let book: WorkloadBook
    private var clients: [WorkloadClient] = []
    private var installation: FaultPlanInstallation!

    /// After the last client is done, how long a server may take to notice that one is gone.
    private static let patience = TimeSpan.seconds(400)

    /// Prepares the run of a plan, which happens when ``outcome()`` is asked for.
    ///
    /// - Parameters:
    ///   - plan: the plan; its seed is that of everything else.
    ///   - tracing: what the network's trace keeps.
    public convenience init(_ plan: FaultPlan, tracing: TraceDetail = []) {
        self.init(plan, tracing: tracing, rewrites: nil)
    }

    package init(_ plan: FaultPlan, tracing: TraceDetail = [], rewrites: Bool?) {
        self.plan = plan
        network = SimulatedNetwork(seed: plan.seed, tracing: tracing)
        character = RunCharacter(seed: plan.seed)
        book = WorkloadBook(payload: PayloadChecker(), agreement: AgreementChecker())
        install(rewrites: rewrites ?? character.rewrites)
    }

    private func install(rewrites: Bool) {
        let server = EndpointProgram(
            character.server,
            serving: WorkloadServer(book: book, keyUpdateInterval: character.serverKeyUpdateInterval))
        clients = plan.clients.map {
            WorkloadClient($0, server: plan.server.address, book: book, habits: character.habits)
        }
        let programs = clients.map { EndpointProgram(character.client, running: $0) }
        for program in programs + [server] where rewrites { program.rewriteProbability = 0.05 }
        installation = plan.install(in: network, server: server) { programs[$0] }
        addCheckers()
        scheduleMigrations()
    }

    private func addCheckers() {
        network.addChecker(book.payload)
        network.addChecker(book.agreement)
        network.addChecker(PacketNumberChecker())
        network.addChecker(AmplificationChecker(server: installation.server))
        network.addChecker(BoundsChecker())
    }

    /// Gives clients that stay where they are another address, and has them take to it.
    private func scheduleMigrations() {
        guard let time = character.migration else { return }
        for index in plan.clients.indices where !plan.moves(index) {
            let host = installation.clients[index]
            let isIPv4 = plan.clients[index].address.isIPv4
            let other = PlannedAddresses.client(index, isIPv4, move: PlannedAddresses.capacity + 1)
            let address = NetworkAddress(ip: other.ip, port: other.port + 1000)
            let further = Interface(
                address, egress: installation.egresses[index], ingress: installation.ingresses[index])
            network.schedule(at: .zero + time) { [clients] network in
                clients[index].migration = address
                network.addInterface(further, to: host)
            }
        }
    }

    /// Makes the run, and asks the checkers what they think of it.
    public func outcome() -> RunOutcome {
        let clients = clients
        let end = Instant.zero + plan.timeLimit
        if network.run(until: end, orWhen: { clients.allSatisfy(\.isOver) }) {
            let agreement = book.agreement
            network.run(until: network.now + Self.patience) { agreement.isComplete }
        } else {
            network.complain("campaign", "the work was not done within \(plan.timeLimit)")
        }
        return RunOutcome(network)
    }
}

extension FaultPlan {
    /// Whether a client changes its address by itself.
    fileprivate func moves(_ client: Int) -> Bool {
        faults.contains { if case .move(client, _) = $0.fault { true } else { false } }
    }
}
