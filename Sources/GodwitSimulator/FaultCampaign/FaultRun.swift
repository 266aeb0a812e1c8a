import GodwitCore
import GodwitWire

/// One run of a ``FaultCampaign``.
public final class FaultRun {
    /// What goes wrong.
    public let plan: FaultPlan
    /// Where it goes wrong.
    public let network: SimulatedNetwork
    let character: RunCharacter
    private let book: WorkloadBook
    private let ecn = ECNChecker(limit: 200)
    private var clients: [WorkloadClient] = []
    private var clientPrograms: [EndpointProgram] = []
    /// The servers that there were, the present one last.
    private var servers: [(program: EndpointProgram, application: WorkloadServer)] = []
    private var installation: FaultPlanInstallation!

    /// After the last client is done, how long a server may take to notice that one is gone, besides its idle
    /// timeout.
    private static let patience = TimeSpan.seconds(100)

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
        character = RunCharacter(plan)
        book = WorkloadBook(idleTimeout: character.idleTimeout, lossIsTold: character.lossIsTold)
        install(rewrites: rewrites ?? character.rewrites)
    }

    // MARK: Preparation

    private func install(rewrites: Bool) {
        clients = plan.clients.indices.map { index in
            let context = ClientContext(
                server: plan.server.address, book: book, habits: character.habits[index])
            return WorkloadClient(character.sessions[index], context)
        }
        clientPrograms = clients.map { EndpointProgram(character.client, running: $0) }
        book.clientTakesDatagrams = character.client.transport.maxDatagramFrameSize > 0
        startServer(character.server, rewrites: rewrites)
        for (index, program) in clientPrograms.enumerated() where rewrites && mayRewrite(index) {
            program.rewriteProbability = Self.rewriteProbability
        }
        installation = plan.install(
            in: network, server: servers[0].program,
            restartedServer: { [unowned self] in restartServer(rewrites: rewrites) },
            client: { self.clientPrograms[$0] })
        addCheckers()
        addPreferredAddress()
        letClientsFreeze()
        addReplays()
        scheduleMigrations()
        if character.usesTLS { book.note(.tls) }
        if rewrites { book.note(.rewriting) }
    }

    private static let rewriteProbability = 0.03

    /// A client's connection that was read back has no TLS to take tickets with.
    private func mayRewrite(_ client: Int) -> Bool {
        !character.sessions[client].contains(where: \.resumes)
    }

    private func startServer(_ settings: EndpointSettings, rewrites: Bool) {
        let application = WorkloadServer(book: book, keyUpdateInterval: character.serverKeyUpdateInterval)
        let program = EndpointProgram(settings, serving: application)
        if rewrites { program.rewriteProbability = Self.rewriteProbability }
        book.serverTakesDatagrams = settings.transport.maxDatagramFrameSize > 0
        servers.append((program, application))
    }

    private func restartServer(rewrites: Bool) -> EndpointProgram {
        book.note(.serverRestart)
        let before = servers[servers.count - 1]
        before.application.lose()
        startServer(character.restartedServer, rewrites: rewrites)
        let program = servers[servers.count - 1].program
        if character.lossIsTold { program.forgetConnections(of: before.program) }
        return program
    }

    private func addCheckers() {
        let checkers: [any Checker] = [
            book.payload, book.datagrams, book.agreement, ecn, PacketNumberChecker(),
            AmplificationChecker(server: installation.server), BoundsChecker(),
        ]
        for checker in checkers { network.addChecker(checker) }
    }

    private func addPreferredAddress() {
        guard let (address, isReachable) = character.preferred else { return }
        network.addInterface(Interface(address), to: installation.server)
        if !isReachable { network.addOutage(.from(.zero), of: address.ip) }
    }

    private func letClientsFreeze() {
        let lastFault = plan.faults.map(\.end).max() ?? .zero
        for (client, host) in zip(clients, installation.clients) {
            client.context.calmFrom = .zero + lastFault
            client.context.freeze = { [unowned network] span in
                network.schedule(at: network.now) { $0.freeze(host) }
                network.schedule(after: span) { $0.thaw(host) }
            }
        }
    }

    /// Whoever sees a client's first flight with early data in it can send it to the server again.
    private func addReplays() {
        var random = network.random("replays")
        var count = 0
        for (client, egress) in zip(clients, installation.egresses) {
            client.context.replay = { [unowned network, plan] in
                count += 1
                let address = PlannedAddresses.attacker(
                    PlannedAddresses.capacity + count, plan.server.address.isIPv4)
                let parameters = AttackerParameters(
                    delay: random.plannedSpan(.zero, .seconds(3)),
                    disguise: random.chance(0.5) ? .own : .genuine, limit: random.integer(in: 2...6))
                network.addAttacker("replay \(count)", at: address, listeningOn: [egress], parameters)
            }
        }
    }

    /// Gives clients that stay where they are other addresses, and has them take to them.
    private func scheduleMigrations() {
        for (turn, time) in character.migrations.enumerated() {
            for index in plan.clients.indices where !plan.moves(index) {
                let (address, interface) = furtherInterface(of: index, turn)
                network.schedule(at: .zero + time) { [clients, installation] network in
                    clients[index].context.migration = address
                    network.addInterface(interface, to: installation!.clients[index])
                }
            }
        }
    }

    private func furtherInterface(of index: Int, _ turn: Int) -> (NetworkAddress, Interface) {
        let isIPv4 = plan.clients[index].address.isIPv4
        let other = PlannedAddresses.client(index, isIPv4, move: PlannedAddresses.capacity + 1 + turn)
        let address = NetworkAddress(ip: other.ip, port: other.port + 1000)
        let interface = Interface(
            address, egress: installation.egresses[index], ingress: installation.ingresses[index])
        return (address, interface)
    }

    // MARK: The run

    /// Makes the run, and asks the checkers what they think of it.
    public func outcome() -> RunOutcome {
        let (clients, limit) = (clients, timeLimit)
        if network.run(until: .zero + limit, orWhen: { clients.allSatisfy(\.isOver) }) {
            waitForEnds()
        } else {
            network.complain("campaign", "the work was not done within \(limit)")
        }
        noteFeatures()
        var outcome = RunOutcome(network)
        outcome.features = Set(book.features.map(\.rawValue))
        return outcome
    }

    /// The plan's limit is for its work. What comes on top takes its time too: sessions that follow others,
    /// silence at their ends, and the server's loss, after which clients wait for their timeout and begin
    /// anew.
    private var timeLimit: TimeSpan {
        let sessions = character.sessions.map(\.count).max() ?? 1
        let once = plan.timeLimit + character.idleTimeout * 4
        return once * Int64(sessions + 1)
    }

    /// Nobody holds on to a connection that is over.
    private func waitForEnds() {
        network.run(until: network.now + character.idleTimeout * 2 + Self.patience) { [self] in
            book.agreement.isComplete && clientPrograms.allSatisfy(Self.isIdle) && Self.isIdle(server)
        }
        for (number, program) in (clientPrograms + [server]).enumerated() where !Self.isIdle(program) {
            let name = number < clients.count ? "client \(number)" : "the server"
            network.complain("campaign", "\(name) still holds \(program.connectionCount) connections")
        }
    }

    /// The server that is there now.
    private var server: EndpointProgram { servers[servers.count - 1].program }

    private static func isIdle(_ program: EndpointProgram) -> Bool { program.connectionCount == 0 }

    private func noteFeatures() {
        for statistics in servers.map(\.program.statistics) {
            if statistics.retriesSent > 0 { book.note(.retry) }
            if statistics.versionNegotiationsSent > 0 { book.note(.versionNegotiation) }
            let isStrict = character.server.retryPolicy == .always
            if isStrict, statistics.accepted > statistics.retriesSent { book.note(.addressToken) }
        }
        if ecn.congestionMarks > 0 { book.note(.congestionMarks) }
        if network.trace.counts[.exceedsMTU] > 0 { book.note(.oversizedPackets) }
    }
}

extension FaultPlan {
    /// Whether a client changes its address by itself.
    fileprivate func moves(_ client: Int) -> Bool {
        faults.contains { if case .move(client, _) = $0.fault { true } else { false } }
    }
}
