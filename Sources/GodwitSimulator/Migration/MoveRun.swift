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
    private static let home = NetworkAddress("198.51.100.1:443")!
    private static let there = NetworkAddress("203.0.113.5:443")!
    private static let epoch = MigrationEpoch(rawValue: 1)

    private let settings: MoveSettings
    /// Where it happens.
    public let network: SimulatedNetwork
    private var random: DeterministicRandom
    private let application = MovingServer()
    private let server: EndpointProgram
    private let serverHost: HostID
    private let arrival: Interface
    private var clients: [MovingClient] = []
    private var barrier: MigrationBarrier
    private var readyAt: Instant?

    /// Prepares a run.
    public init(_ settings: MoveSettings, tracing: TraceDetail = []) {
        self.settings = settings
        network = SimulatedNetwork(seed: settings.seed, tracing: tracing)
        random = network.random("move")
        server = EndpointProgram(Self.serverSettings(settings, &random), serving: application)
        let first = settings.strategy == nil ? settings.newLine : settings.oldLine
        let departure = Self.interface(Self.home, first, settings.loss, network)
        arrival = Self.interface(Self.there, settings.newLine, settings.loss, network)
        serverHost = network.addHost("server", interfaces: [departure], running: server)
        barrier = MigrationBarrier(epoch: Self.epoch, loops: 1, latest: .distantFuture)
        for (index, workload) in settings.workloads.enumerated() { addClient(index, workload) }
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

    private static func transport() -> TransportConfiguration {
        var transport = TransportConfiguration()
        transport.idleTimeout = .seconds(30)
        return transport
    }

    private static func serverSettings(
        _ settings: MoveSettings, _ random: inout DeterministicRandom
    ) -> EndpointSettings {
        var result = EndpointSettings(
            SimulatedHandshake(applicationProtocols: ["move"]), transport: transport())
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
        var transport = Self.transport()
        transport.migration.negotiation = ClientMigrationNegotiation(suite: settings.suite)
        transport.migration.behaviour.policy = settings.clientPolicy
        let client = MovingClient(workload, server: Self.home)
        let program = EndpointProgram(
            EndpointSettings(SimulatedHandshake(applicationProtocols: ["move"]), transport: transport),
            running: client)
        clients.append(client)
        let translator = settings.translator.map { parameters in
            let outside = IPAddress(v4: 0xc000_0200 + UInt32(index + 1))
            return network.addTranslator("translator \(index)", parameters, at: [outside])
        }
        let address = translator == nil ? "192.0.2.\(index + 1):50000" : "10.0.0.\(index + 1):50000"
        network.addHost("client \(index)", at: NetworkAddress(address)!, behind: translator, running: program)
    }

    // MARK: The run

    /// Runs it all.
    public func run() -> MoveReport {
        network.run(until: .zero + .seconds(12)) {
            clients.allSatisfy { $0.isConfirmed || $0.endReason != nil }
        }
        let unconnected = clients.filter { !$0.isConfirmed }.count
        clients.removeAll { !$0.isConfirmed }
        network.run(for: random.span(in: .milliseconds(500) ... .milliseconds(1500)))
        let notice = random.span(in: settings.notice)
        let frozen = random.span(in: settings.freeze)
        let freezeAt = network.now + notice
        let thawAt = settings.strategy == nil ? freezeAt : freezeAt + frozen
        scheduleRequests(freezeAt: freezeAt, thawAt: thawAt)
        let plannedAt = network.now
        if settings.strategy != nil { move(freezeAt: freezeAt, thawAt: thawAt) }
        let end = thawAt + .milliseconds(500) + settings.patience
        network.run(until: end) { clients.allSatisfy(isDone) }
        for client in clients { client.stop() }
        return report(
            plannedAt: plannedAt, thawAt: thawAt, frozen: frozen, unconnected: unconnected)
    }

    private func isDone(_ client: MovingClient) -> Bool {
        client.endReason != nil || client.isDamaged || client.answeredAt != nil
    }

    private func scheduleRequests(freezeAt: Instant, thawAt: Instant) {
        for client in clients {
            let delay = random.span(in: .zero ... .milliseconds(500))
            switch settings.firstRequest {
            case .afterThaw: client.measure(at: thawAt + delay)
            case .beforeFreeze: client.measure(at: freezeAt - .milliseconds(100))
            }
        }
    }

    private func move(freezeAt: Instant, thawAt: Instant) {
        do {
            try server.prepareMigration(plan, epoch: Self.epoch)
            network.run(until: freezeAt) { listen() }
            if settings.holds { try server.holdMigration(Self.epoch) }
        } catch {
            server.complain("the plan was refused: \(error)")
        }
        network.freeze(serverHost)
        network.run(until: thawAt)
        network.thaw(
            serverHost, movingTo: [arrival],
            clockJump: random.span(in: .seconds(-250_000) ... .seconds(250_000)))
    }

    private var plan: MigrationPlan {
        let destination = MigrationDestination(Self.there)!
        let order: MigrationOrder =
            switch settings.strategy {
            case .explicit: .explicit(destination: destination)
            case .poolOfAddresses: .poolOfAddresses
            case .synchronizedSymmetric: .synchronizedSymmetric
            case .combined: .combined(destination: destination)
            case .symmetric, nil: .symmetric
            }
        return MigrationPlan(default: order)
    }

    /// Hands the barrier what there is, and never ends the run.
    private func listen() -> Bool {
        while let message = server.nextBarrierMessage() { barrier.receive(message) }
        if readyAt == nil, barrier.isFinal { readyAt = network.now }
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
            movedAfter: client.movedAt.map { $0 - thawAt }, searchedFor: searchedFor,
            bytesChecked: client.bytesChecked + (application.bytesChecked[client.number] ?? 0))
    }

    private func lossReason(of client: MovingClient) -> String? {
        if client.isDamaged || application.damaged.contains(client.number) { return "a wrong byte" }
        if let reason = client.endReason { return reason }
        return client.answeredAt == nil ? "no answer" : nil
    }
}
