import GodwitCore
import GodwitMigration
import GodwitWire

/// Runs a server that moves, and its clients, in virtual time.
///
/// ```swift
/// let report = MoveRun(MoveSettings(seed: 7, .combined)).run()
/// print(report.lost.count, report.connections.map(\.latency))
/// ```
public final class MoveRun {
    static let home = NetworkAddress("198.51.100.1:443")!
    private static let there = NetworkAddress("203.0.113.5:443")!
    private static let elsewhere = NetworkAddress("203.0.113.77:443")!

    /// Who is lost may come out only when all is done: a validation that failed, a reset.
    private static let aftermath = TimeSpan.seconds(3)
    /// Among more clients nobody asks what happened to one when, which would take most of the run's time.
    private static let observedClients = 8

    private let settings: MoveSettings
    /// Where it happens.
    public let network: SimulatedNetwork
    private var random: DeterministicRandom
    private let application = MovingServer()
    private let server: EndpointProgram
    private let serverHost: HostID
    private let departure: Interface
    private let arrival: Interface
    private var clients: [MovingClient] = []
    private var clientHosts: [HostID] = []
    private var barrier: MigrationBarrier
    private var readyAt: Instant?
    private var epoch: MigrationEpoch { barrier.epoch }

    /// Prepares a run.
    public init(_ settings: MoveSettings, tracing: TraceDetail = []) {
        self.settings = settings
        network = SimulatedNetwork(seed: settings.seed, tracing: tracing)
        random = network.random("move")
        server = EndpointProgram(Self.serverSettings(settings, &random), serving: application)
        let first = settings.strategy == nil ? settings.newLine : settings.oldLine
        departure = Self.interface(Self.home, first, settings.loss, network)
        arrival = Self.interface(Self.there, settings.newLine, settings.loss, network)
        serverHost = network.addHost("server", interfaces: [departure], running: server)
        let epoch = MigrationEpoch(rawValue: settings.detour == .none ? 1 : 2)
        barrier = MigrationBarrier(epoch: epoch, loops: 1, latest: .distantFuture)
        for (index, workload) in settings.workloads.enumerated() { addClient(index, workload) }
        addAttacker(on: [departure, arrival])
        if settings.mutesServer, settings.strategy != nil, let egress = arrival.egress {
            network.addChecker(SilenceKeeper(network, at: Self.there, over: egress))
        }
        for checker in [PacketNumberChecker(), AmplificationChecker(server: serverHost)] as [any Checker] {
            network.addChecker(checker)
        }
    }

    // MARK: Preparation

    private static func interface(
        _ address: NetworkAddress, _ line: MoveSettings.Line, _ loss: Double, _ network: SimulatedNetwork
    ) -> Interface {
        let parameters = LinkParameters(delay: line.roundTrip / 2, rate: line.rate, loss: loss / 2)
        return Interface(
            address, egress: network.addLink(parameters, named: "from \(address)"),
            ingress: network.addLink(parameters, named: "to \(address)"))
    }

    private func addAttacker(on interfaces: [Interface]) {
        guard let parameters = settings.attacker else { return }
        let links = interfaces.flatMap { [$0.egress, $0.ingress] }.compactMap(\.self)
        network.addAttacker(
            "attacker", at: NetworkAddress("192.88.99.9:4000")!, listeningOn: links, parameters)
    }

    private static func transport(_ settings: MoveSettings) -> TransportConfiguration {
        var transport = TransportConfiguration()
        transport.idleTimeout = Duration.nanoseconds(settings.idleTimeout.nanoseconds)
        return transport
    }

    private static func serverSettings(
        _ settings: MoveSettings, _ random: inout DeterministicRandom
    ) -> EndpointSettings {
        var result = EndpointSettings(
            SimulatedHandshake(applicationProtocols: ["move"]), transport: transport(settings))
        let places = (1..<max(1, settings.poolSize)).map { NetworkAddress("203.0.113.\(100 + $0):443")! }
        var pool = places
        pool.insert(there, at: random.integer(in: 0...places.count))
        let usesPool = settings.strategy == .poolOfAddresses
        result.migration = ServerMigrationSettings(
            ServerMigrationNegotiation(suite: settings.suite), policy: settings.serverPolicy,
            pool: (usesPool ? AddressPool(pool) : nil) ?? AddressPool())
        result.migration.requiresHold = settings.holds
        return result
    }

    private func addClient(_ index: Int, _ workload: MoveSettings.Workload) {
        var transport = Self.transport(settings)
        if workload == .keepAlive { transport.keepAliveInterval = .seconds(5) }
        transport.migration.negotiation = ClientMigrationNegotiation(suite: settings.suite)
        transport.migration.behaviour.policy = settings.clientPolicy
        let client = MovingClient(workload, server: Self.home, catchesUp: settings.catchesUp)
        client.isProactive = settings.isProactive
        let program = EndpointProgram(
            EndpointSettings(SimulatedHandshake(applicationProtocols: ["move"]), transport: transport),
            running: client)
        clients.append(client)
        let translator = settings.translator.map { parameters in
            network.addTranslator("translator \(index)", parameters, at: [Self.client(index, .outside)])
        }
        let place = translator == nil ? Place.outside : .inside
        clientHosts.append(
            network.addHost(
                "client \(index)", at: NetworkAddress(ip: Self.client(index, place), port: 50000),
                behind: translator, running: program))
    }

    /// Where a client is.
    private enum Place: UInt32 {
        case outside = 0x0b00_0001
        case inside = 0x0a00_0001
        case moved = 0x0c00_0001
    }

    private static func client(_ index: Int, _ place: Place) -> IPAddress {
        IPAddress(v4: place.rawValue + UInt32(index))
    }

    // MARK: The run

    /// Runs it all.
    public func run() -> MoveReport {
        network.run(until: .zero + .seconds(12)) {
            clients.allSatisfy { $0.isConfirmed || $0.endReason != nil }
        }
        let unconnected = clients.filter { !$0.isConfirmed }.count
        let connected = clients.indices.filter { clients[$0].isConfirmed }
        (clients, clientHosts) = (connected.map { clients[$0] }, connected.map { clientHosts[$0] })
        network.run(for: random.span(in: .milliseconds(500) ... .milliseconds(1500)))
        let notice = random.span(in: settings.notice)
        let frozen = random.span(in: settings.freeze)
        let freezeAt = network.now + notice
        let thawAt = settings.strategy == nil ? freezeAt : freezeAt + frozen
        scheduleRequests(freezeAt: freezeAt, thawAt: thawAt)
        removeDeadClients()
        let plannedAt = network.now
        if settings.strategy != nil { move(freezeAt: freezeAt, thawAt: thawAt) }
        let end = thawAt + .milliseconds(500) + settings.patience
        network.run(until: end) { takeNotices() || clients.allSatisfy(isDone) }
        for client in clients { client.settle() }
        network.run(until: end) { takeNotices() || clients.allSatisfy(isSettled) }
        for client in clients { client.stop() }
        network.run(until: network.now + Self.aftermath) { takeNotices() }
        return report(
            plannedAt: plannedAt, thawAt: thawAt, frozen: frozen, unconnected: unconnected)
    }

    /// Has every client note the time of what has happened to it, and never ends the run.
    private func takeNotices() -> Bool {
        guard clients.count <= Self.observedClients else { return false }
        for client in clients { client.takeNotices() }
        return false
    }

    private func isDone(_ client: MovingClient) -> Bool {
        verdict(on: client) != nil || client.answeredAt != nil || resumedAt(client) != nil
    }

    /// Whether nothing of the client's is open that should come to an end, and what has none goes on.
    private func isSettled(_ client: MovingClient) -> Bool {
        verdict(on: client) != nil || open(of: client) == nil
    }

    private func resumedAt(_ client: MovingClient) -> Instant? {
        switch client.workload {
        case .idle, .requests, .bulk: nil
        case .download: client.resumedAt
        case .upload: application.resumedAt[client.number]
        case .keepAlive: client.movedAt
        }
    }

    private func removeDeadClients() {
        for host in clientHosts.suffix(settings.deadClients) { network.remove(host) }
        clients.removeLast(min(settings.deadClients, clients.count))
        clientHosts.removeLast(min(settings.deadClients, clientHosts.count))
    }

    private func scheduleRequests(freezeAt: Instant, thawAt: Instant) {
        application.watchesFrom = thawAt
        for client in clients {
            let delay = random.span(in: .zero ... .milliseconds(500))
            guard client.workload.isMeasured else { continue }
            switch settings.firstRequest {
            case .afterThaw: client.measure(at: thawAt + delay)
            case .beforeFreeze: client.measure(at: freezeAt - .milliseconds(100))
            }
        }
    }

    private func move(freezeAt: Instant, thawAt: Instant) {
        let deadline = settings.deadline.map { network.now + $0 } ?? .distantFuture
        barrier = MigrationBarrier(epoch: epoch, loops: 1, latest: deadline)
        do {
            try takeDetour(until: freezeAt)
            try server.prepareMigration(plan(to: Self.there), epoch: epoch)
            if deadline < freezeAt { network.schedule(at: deadline) { _ in } }
            network.run(until: freezeAt) { listen() }
            if settings.holds {
                _ = listen()
                try server.holdMigration(epoch, closing: barrier.readiness.leftBehind)
            }
        } catch {
            server.complain("the plan was refused: \(error)")
        }
        for client in clients { client.noteProbeTimeout() }
        network.freeze(serverHost)
        if settings.movesClients {
            network.schedule(at: thawAt - .milliseconds(50)) { _ in self.moveClients() }
        }
        network.run(until: thawAt) { takeNotices() }
        network.thaw(
            serverHost, movingTo: [arrival],
            clockJump: random.chance(0.5) ? .seconds(259_200) : .seconds(-259_200))
        addSecondProcess()
    }

    private func addSecondProcess() {
        guard settings.secondProcess != .none else { return }
        let second = EndpointProgram(server.settings, serving: MovingServer())
        second.shareKeys(of: server)
        if settings.secondProcess == .careless { second.forgetConnections(of: server) }
        network.addHost("second process", interfaces: [departure], running: second)
    }

    private func moveClients() {
        for (index, host) in clientHosts.enumerated() {
            network.move(host, to: [Interface(NetworkAddress(ip: Self.client(index, .moved), port: 50001))])
        }
    }

    /// Half of the notice goes to a plan that comes to nothing.
    private func takeDetour(until freezeAt: Instant) throws(EpochLedger.Refusal) {
        guard settings.detour != .none else { return }
        let first = MigrationEpoch(rawValue: 1)
        try server.prepareMigration(plan(to: Self.elsewhere), epoch: first)
        network.run(until: network.now + (freezeAt - network.now) / 2) { listen() }
        if settings.detour == .cancelled { try server.cancelMigration(first) }
    }

    private func plan(to address: NetworkAddress) -> MigrationPlan {
        MigrationPlan(default: Self.order(settings.strategy ?? .symmetric, to: address))
    }

    static func order(_ strategy: MigrationStrategy, to address: NetworkAddress) -> MigrationOrder {
        MigrationOrder(strategy, to: MigrationDestination(address)!)
    }

    /// Hands the barrier what there is, and never ends the run.
    private func listen() -> Bool {
        var isNews = false
        while let message = server.nextBarrierMessage() {
            barrier.receive(message)
            isNews = true
        }
        guard readyAt == nil, isNews || barrier.latest <= network.now else { return false }
        barrier.handleDeadline(now: network.now)
        if barrier.isFinal { readyAt = network.now }
        return false
    }

    // MARK: The report

    private func report(
        plannedAt: Instant, thawAt: Instant, frozen: TimeSpan, unconnected: Int
    ) -> MoveReport {
        MoveReport(
            connections: clients.map { judge($0, thawAt: thawAt) },
            readiness: settings.strategy == nil ? nil : barrier.readiness,
            readyAfter: readyAt.map { $0 - plannedAt }, unconnected: unconnected, frozen: frozen,
            violations: network.violations.map { "\($0)" }, traceHash: network.trace.hash)
    }

    private func judge(_ client: MovingClient, thawAt: Instant) -> MovedConnection {
        let latency = client.answeredAt.flatMap { answered in
            client.measuredAt.map { measured in
                // Answered before the freeze is as good as answered at once.
                let wasEarly = settings.strategy != nil && settings.firstRequest == .beforeFreeze
                return max(.zero, answered - (wasEarly ? thawAt : measured))
            }
        }
        let searchedFor = client.searchedAt.flatMap { $0 < thawAt ? thawAt - $0 : nil }
        return MovedConnection(
            workload: client.workload, lossReason: lossReason(of: client), latency: latency,
            hadMovedBefore: client.movedAt.map { $0 <= client.measuredAt ?? .zero } ?? false,
            movedAfter: client.movedAt.map { $0 - thawAt },
            heardAfter: client.lastHeardAt.map { $0 - thawAt }, searchedFor: searchedFor,
            searchedAfter: client.searchedAt.map { $0 - thawAt },
            resumedAfter: resumedAt(client).map { $0 - thawAt }, probeTimeout: client.probeTimeout,
            bytesChecked: client.bytesChecked + (application.bytesChecked[client.number] ?? 0))
    }

    private func lossReason(of client: MovingClient) -> String? {
        verdict(on: client) ?? open(of: client)
    }

    /// What nothing can mend.
    private func verdict(on client: MovingClient) -> String? {
        if client.isDamaged || application.damaged.contains(client.number) { return "a wrong byte" }
        return client.endReason
    }

    /// What is missing of what the client wants, in words.
    private func open(of client: MovingClient) -> String? {
        if client.answeredAt == nil, resumedAt(client) == nil { return "no answer" }
        if client.unanswered > 0 { return "\(client.unanswered) requests without an answer" }
        guard client.workload == .bulk, settings.strategy != nil else { return nil }
        if client.resumedAt == nil { return "no more bulk from the server" }
        return application.resumedAt[client.number] == nil ? "no more bulk to the server" : nil
    }
}
