import GodwitCore
import GodwitMigration
import GodwitSimulator
import GodwitWire
import MHQKit

/// One run of an experiment in virtual time: real clients, server and transport, modelled container and network.
final class SimulatedRun {
    let plan: ExperimentPlan
    let run: RunSpecification
    let policy: MigrationPolicy
    let series: ExperimentPlan.Series
    let network: SimulatedNetwork
    private(set) var outcome = RunOutcome()

    let server: EndpointProgram
    private(set) var serverHost: HostID!
    private(set) var clients: [SimulatedClient] = []
    private(set) var clientHosts: [HostID] = []
    private let links: SimulatedLinks
    private var container: ContainerModel
    private let oldAddress: LostDatagrams

    private var barrier: MigrationBarrier?
    private var epoch = MigrationEpoch(rawValue: 0)
    private var preparedAt = Instant.zero
    private var isFinished = false
    /// Whether the server is where it began.
    private var isAtSource: Bool
    private var onReady: (() -> Void)?

    /// When to give up on a run, whatever it does.
    private static let longest = TimeSpan.seconds(6 * 3600)

    init(_ run: RunSpecification, of plan: ExperimentPlan, _ policy: MigrationPolicy) {
        (self.plan, self.run, self.policy) = (plan, run, policy)
        series = plan.allSeries[run.series]
        let seed = DeterministicRandom(seed: run.seed).forked("experiment \(plan.experiment) \(run.key)")
        var drawn = seed
        network = SimulatedNetwork(seed: drawn.next())
        links = SimulatedLinks(plan, series, network)
        container = ContainerModel(plan.container, seed.forked("container"))
        // Without a move the baseline is that of the destination.
        isAtSource = plan.experiment != 0
        oldAddress = LostDatagrams()
        server = EndpointProgram(
            Self.serverSettings(plan, run, policy), serving: SimulatedSite(seed: run.seed))
        serverHost = network.addHost(
            "server", interfaces: [links.server(isAtSource: isAtSource)], running: server)
        network.addChecker(PacketNumberChecker())
        network.addChecker(oldAddress)
        addClients()
    }

    // MARK: Preparation

    private static func serverSettings(
        _ plan: ExperimentPlan, _ run: RunSpecification, _ policy: MigrationPolicy
    ) -> EndpointSettings {
        var transport = TransportConfiguration()
        ApplicationTransport.configure(&transport, policy, timing: plan.thesis, keepsAlive: false)
        var settings = settings(transport)
        settings.migration = ApplicationTransport.server(
            run.migrationProtocol.suite(policy), policy,
            pool: plan.addresses.pool(run.migrationProtocol.poolSize))
        return settings
    }

    private static func settings(_ transport: TransportConfiguration) -> EndpointSettings {
        var settings = EndpointSettings(
            SimulatedHandshake(applicationProtocols: ["h3"]), transport: transport)
        settings.scrutiny = .sealedPackets
        return settings
    }

    private func addClients() {
        let spacing = TimeSpan.milliseconds(Int64(plan.steps.startSpacing))
        for index in 0..<run.clients {
            var start = Instant.zero + spacing * Int64(index)
            if index == run.clients - 1, index > 0 {
                start += .milliseconds(Int64(plan.steps.lastClientDelay))
            }
            addClient(index, startingAt: start)
        }
    }

    /// In the fourth experiment each client has a seed of its own, and runs share none.
    private func seed(ofClient index: Int) -> UInt64 {
        plan.experiment == 4 ? (run.seed - 1) * UInt64(run.clients) + UInt64(index) + 1 : run.seed
    }

    private func addClient(_ index: Int, startingAt start: Instant) {
        let seed = seed(ofClient: index)
        var transport = TransportConfiguration()
        ApplicationTransport.configure(&transport, policy, timing: plan.thesis)
        transport.migration = ApplicationTransport.client(
            run.migrationProtocol.suite(policy), policy, seeds: SeedSequence(master: seed))
        let client = SimulatedClient(
            SimulatedClient.Settings(
                seed: seed, server: links.server(isAtSource: isAtSource).address,
                script: script(isLast: index == run.clients - 1),
                body: plan.steps.drawsBodies ? .fromDistribution : .fixed, epoch: plan.epoch * 1_000_000,
                commandTime: commandDelay * 2))
        client.onCommand = { [unowned self] in obey($0) }
        let program = EndpointProgram(Self.settings(transport), running: client)
        clients.append(client)
        clientHosts.append(
            network.addHost(
                "client \(index)", interfaces: [links.client(index, place: 0)], running: program,
                startingAt: start))
    }

    /// In the third experiment the last client alone gives the notice and ends everything.
    private func script(isLast: Bool) -> ClientScript.Settings {
        let steps = plan.steps
        var settings = ClientScript.Settings(experiment: plan.experiment, interval: run.interval)
        settings.drain = steps.drain
        settings.triggerAfter = steps.triggerAfter
        settings.isProactive = run.migrationProtocol == .proactiveExplicit
        settings.responsesAfterMove = steps.responsesAfterMove > 0 ? steps.responsesAfterMove : nil
        guard plan.experiment != 3 || isLast else { return settings }
        settings.noticeAfter = steps.noticeAfter
        settings.shutdownAfter = steps.shutdownAfter
        return settings
    }

    private var commandDelay: TimeSpan { TimeSpan(Duration.milliseconds(plan.steps.commandDelay)) }

    // MARK: The run

    /// Runs it all.
    func perform(isCancelled: () -> Bool = { false }) -> RunOutcome {
        scheduleDriver()
        var events = 0
        network.run(until: .zero + Self.longest) {
            events += 1
            listen()
            return isFinished || clients.allSatisfy(\.isOver) || (events % 8192 == 0 && isCancelled())
        }
        for client in clients where !client.isOver && plan.experiment != 3 { client.stop() }
        return report()
    }

    private func report() -> RunOutcome {
        let measured = plan.experiment == 3 ? clients.suffix(1) : clients[...]
        outcome.clients = zip(clients.indices.suffix(measured.count), measured).map { index, client in
            RunOutcome.Client(seed: seed(ofClient: index), log: client.log, endReason: client.endReason)
        }
        outcome.flaws += network.violations.map { "\($0)" }
        outcome.lostAtOldAddress = oldAddress.count
        if oldAddress.delivered > 0 {
            outcome.flaws.append("\(oldAddress.delivered) datagrams were taken at an address that was left")
        }
        return outcome
    }

    private func obey(_ command: ClientScript.Command) {
        switch command {
        case .notice: network.schedule(after: commandDelay) { _ in self.prepare() }
        case .migrate: network.schedule(after: commandDelay) { _ in self.migrate() }
        case .shutdown: network.schedule(after: commandDelay) { _ in self.isFinished = true }
        }
    }

    // MARK: Moving

    private var place: NetworkAddress { links.server(isAtSource: !isAtSource).address }

    private func prepare() {
        guard let strategy = run.migrationProtocol.strategy, let destination = MigrationDestination(place)
        else {
            return
        }
        let order = MigrationOrder(strategy, to: destination)
        epoch = MigrationEpoch(rawValue: epoch.rawValue + 1)
        preparedAt = network.now
        outcome.noticeTimes.append(unixTime)
        barrier = MigrationBarrier(epoch: epoch, loops: 1, latest: .distantFuture)
        do { try server.prepareMigration(MigrationPlan(default: order), epoch: epoch) } catch {
            outcome.flaws.append("the plan was refused: \(error)")
        }
    }

    private func listen() {
        guard barrier != nil else { return }
        while let message = server.nextBarrierMessage() { barrier?.receive(message) }
        guard let barrier, barrier.isFinal else { return }
        self.barrier = nil
        if outcome.notificationTime == nil {
            outcome.notificationTime = (network.now - preparedAt).nanoseconds / 1000
            outcome.readyClients = barrier.readiness.ready
        }
        onReady?()
    }

    private var unixTime: Double {
        Double(plan.epoch) + Double((network.now - Instant.zero).nanoseconds) / 1e9
    }

    private func migrate() {
        outcome.triggerTimes.append(unixTime)
        let phases = container.next(run, of: plan)
        outcome.migrations.append(phases)
        network.schedule(after: Self.span(phases.beforeFreeze)) { _ in self.freeze() }
        network.schedule(after: Self.span(phases.beforeFreeze + phases.frozen)) { _ in self.thaw() }
    }

    private static func span(_ seconds: Double) -> TimeSpan { .microseconds(Int64(seconds * 1e6)) }

    private func freeze() {
        // The thesis's operator knows of no such command.
        if policy == .godwit { try? server.holdMigration(epoch) }
        network.freeze(serverHost)
        oldAddress.watch(links.server(isAtSource: isAtSource).address.ip)
    }

    private func thaw() {
        isAtSource.toggle()
        oldAddress.spare(links.server(isAtSource: isAtSource).address.ip)
        outcome.thawTimes.append(unixTime)
        network.thaw(serverHost, movingTo: [links.server(isAtSource: isAtSource)])
    }

    // MARK: The driver of experiments 4 to 6

    private func scheduleDriver() {
        let steps = plan.steps
        if steps.noticeAt > 0 {
            onReady = { [unowned self] in
                network.schedule(after: commandDelay * 2) { _ in self.migrate() }
            }
            let last = Int64(steps.startSpacing) * Int64(run.clients - 1)
            network.schedule(at: .zero + .milliseconds(last + Int64(steps.noticeAt))) { _ in self.prepare() }
        }
        guard steps.handoverEvery > 0 else { return }
        if steps.movesWithHandover {
            onReady = { [unowned self] in
                network.schedule(after: commandDelay * 2) { _ in self.migrate() }
            }
        }
        let every = TimeSpan.milliseconds(Int64(steps.handoverEvery))
        for (index, outage) in steps.outages.enumerated() {
            network.schedule(at: .zero + every * Int64(index + 1)) { _ in self.handOver(index, outage) }
        }
        let end = every * Int64(steps.outages.count) + .milliseconds(Int64(steps.tail))
        network.schedule(at: .zero + end) { _ in self.isFinished = true }
    }

    private func handOver(_ index: Int, _ outage: Int) {
        outcome.handoverTimes.append(unixTime)
        let host = clientHosts[0]
        network.freeze(host)
        network.schedule(after: .milliseconds(Int64(outage))) { network in
            let place = (index + 1) % max(1, self.plan.addresses.client.count)
            network.thaw(host, movingTo: [self.links.client(0, place: place)])
            guard self.plan.steps.movesWithHandover else { return }
            network.schedule(after: self.commandDelay) { _ in self.prepare() }
        }
    }
}
