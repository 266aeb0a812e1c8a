import GodwitCore
public import GodwitMigration
import GodwitWire

/// A hostile server that announces addresses of somebody else's host to its clients, one port after the other and over
/// and over, and falls silent: how much do the clients send there?
public final class VictimRun {
    /// What reached the victim.
    public struct Report: Hashable, Sendable {
        /// How many clients there were.
        public var clients: Int
        /// How many datagrams in the worst 60 s.
        public var datagrams: Int
        /// How many bytes in the worst 60 s.
        public var bytes: Int
        /// The most datagrams by one client in any 60 s.
        public var mostOfOneClient: Int
        /// How many datagrams in all.
        public var total: Int
        /// What went wrong, in words.
        public var violations: [String]

        /// What the specification allows the clients in 60 s (Specs/server-migration.md 5.5.1), with challenges
        /// padded as RFC 9000 section 8.2.1 wants it.
        public var budget: Int { clients * ProbeBudget.addressLimit * 1200 }
    }

    private static let victim = IPAddress("203.0.113.99")!
    /// Several ports are one host all the same.
    private static let victimPorts = [443, 8443, 9443, 10443].map { NetworkAddress(ip: victim, port: $0) }
    private static let other = NetworkAddress("203.0.113.98:443")!

    private let strategy: MigrationStrategy
    private let network: SimulatedNetwork
    private let server: EndpointProgram
    private let serverHost: HostID
    private let witness = VictimWitness(VictimRun.victim)
    private let clients: [MovingClient]

    /// Prepares a run with so many clients.
    public init(seed: UInt64, _ strategy: MigrationStrategy, clients count: Int) {
        self.strategy = strategy
        network = SimulatedNetwork(seed: seed)
        let handshake = SimulatedHandshake(applicationProtocols: ["move"])
        var settings = EndpointSettings(handshake)
        settings.migration = ServerMigrationSettings(
            ServerMigrationNegotiation(suite: .all), policy: .godwit,
            pool: strategy == .poolOfAddresses ? AddressPool(Self.victimPorts)! : AddressPool())
        settings.migration.requiresHold = false
        server = EndpointProgram(settings, serving: MovingServer())
        let delay = LinkParameters(delay: .milliseconds(10))
        let links = (network.addLink(delay, named: "egress"), network.addLink(delay, named: "ingress"))
        serverHost = network.addHost(
            "server", interfaces: [Interface(MoveRun.home, egress: links.0, ingress: links.1)],
            running: server)
        clients = (0..<count).map { _ in MovingClient(.requests, server: MoveRun.home) }
        network.addHost(
            "victim", interfaces: Self.victimPorts.map { Interface($0) }, running: SilentProgram())
        network.addChecker(witness)
        for (index, client) in clients.enumerated() {
            var own = EndpointSettings(handshake)
            own.transport.migration.negotiation = ClientMigrationNegotiation(suite: .all)
            network.addHost(
                "client \(index)",
                at: NetworkAddress(ip: IPAddress(v4: 0x0b00_0001 + UInt32(index)), port: 50000),
                running: EndpointProgram(own, running: client))
        }
    }

    /// Runs it for five minutes of virtual time.
    public func run() -> Report {
        network.run(until: .zero + .seconds(10)) { clients.allSatisfy(\.isConfirmed) }
        for number in 1...6 {
            announce(UInt64(number))
            network.thaw(serverHost)
            network.run(for: .milliseconds(500))
        }
        announce(7)
        network.run(for: .seconds(300))
        return Report(
            clients: clients.filter(\.isConfirmed).count, datagrams: witness.worst.datagrams,
            bytes: witness.worst.bytes, mostOfOneClient: witness.mostOfOneClient, total: witness.total,
            violations: network.violations.map { "\($0)" })
    }

    /// What is told anew, and taken back in between, must not open the budget anew.
    private func announce(_ number: UInt64) {
        let port = Self.victimPorts[Int(number / 2) % Self.victimPorts.count]
        let order = MoveRun.order(strategy, to: number.isMultiple(of: 2) ? Self.other : port)
        do {
            try server.prepareMigration(
                MigrationPlan(default: order), epoch: MigrationEpoch(rawValue: number))
        } catch {
            server.complain("the plan was refused: \(error)")
        }
        network.run(for: .milliseconds(300))
        // A silence has clients look for the server, which then is where it was.
        network.freeze(serverHost)
        network.run(for: .seconds(2))
    }
}

/// Never sends anything.
private final class SilentProgram: SimulatedProgram {
    var nextDeadline: Instant? { nil }

    func receive(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
        to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
    ) {}

    func transmit(
        into buffer: UnsafeMutableRawBufferPointer, now: Instant
    ) -> SimulatedTransmission? { nil }

    func handleDeadline(now: Instant) {}
}

/// Counts what reaches a host, in the worst minute.
private final class VictimWitness: Checker {
    let name = "victim"
    private let victim: IPAddress
    private var recent: ContiguousArray<(time: Instant, size: Int, source: NetworkAddress)> = []
    private var first = 0
    private var bytes = 0
    private var ofClient: [NetworkAddress: Int] = [:]
    private(set) var worst = (datagrams: 0, bytes: 0)
    private(set) var mostOfOneClient = 0
    private(set) var total = 0

    init(_ victim: IPAddress) { self.victim = victim }

    func check(_ event: TraceEvent, payload: UnsafeRawBufferPointer) -> String? {
        guard event.kind == .delivered, event.destination.ip == victim else { return nil }
        forget(before: event.time - ProbeBudget.window)
        recent.append((event.time, event.size, event.source))
        total += 1
        bytes += event.size
        ofClient[event.source, default: 0] += 1
        mostOfOneClient = max(mostOfOneClient, ofClient[event.source] ?? 0)
        worst = (max(worst.datagrams, recent.count - first), max(worst.bytes, bytes))
        return nil
    }

    private func forget(before time: Instant) {
        while first < recent.count, recent[first].time <= time {
            bytes -= recent[first].size
            ofClient[recent[first].source, default: 0] -= 1
            first += 1
        }
    }
}
