import GodwitCore
public import GodwitMigration
import GodwitWire

/// One connection whose server moves again and again, in virtual time: every move has its own plan, freeze, address
/// and request.
public final class MoveChain {
    /// What came of a chain.
    public struct Report: Hashable, Sendable {
        /// How many moves were followed.
        public var moves: Int
        /// Why the chain ended early.
        public var lossReason: String?
        /// What the first request after each thaw took.
        public var latencies: [TimeSpan]
        /// How often a connection id was seen with a second address of the server's (RFC 9000 section 9.5).
        public var repeatedIDs: Int
        /// How many connection ids were seen of the end of which fewer were.
        public var ids: Int
        /// What checkers found, in words.
        public var violations: [String]
    }

    private let strategy: MigrationStrategy
    private let moves: Int
    private let network: SimulatedNetwork
    private let application = MovingServer()
    private let client = MovingClient(.idle, server: MoveRun.home)
    private let ids = ConnectionIDChecker(client: IPAddress(v4: 0x0b00_0001))
    private let server: EndpointProgram
    private let serverHost: HostID
    private let links: (egress: LinkID, ingress: LinkID)
    private var random: DeterministicRandom

    /// Prepares a chain of so many moves over the new path of ``MoveSettings``.
    public init(seed: UInt64, _ strategy: MigrationStrategy, moves: Int, loss: Double = 0) {
        (self.strategy, self.moves) = (strategy, moves)
        network = SimulatedNetwork(seed: seed)
        random = network.random("chain")
        let line = MoveSettings(seed: seed, strategy).newLine
        let parameters = LinkParameters(delay: line.roundTrip / 2, rate: line.rate, loss: loss / 2)
        links = (network.addLink(parameters, named: "egress"), network.addLink(parameters, named: "ingress"))
        var settings = Self.settings()
        settings.migration = ServerMigrationSettings(
            ServerMigrationNegotiation(suite: .all), policy: .godwit,
            pool: strategy == .poolOfAddresses ? Self.pool : AddressPool())
        server = EndpointProgram(settings, serving: application)
        serverHost = network.addHost(
            "server", interfaces: [Self.interface(MoveRun.home, links)], running: server)
        var own = Self.settings()
        own.transport.migration.negotiation = ClientMigrationNegotiation(suite: .all)
        network.addHost(
            "client", at: NetworkAddress("11.0.0.1:50000")!,
            running: EndpointProgram(own, running: client))
        network.addChecker(PacketNumberChecker())
        network.addChecker(ids)
    }

    private static func settings() -> EndpointSettings {
        EndpointSettings(SimulatedHandshake(applicationProtocols: ["move"]))
    }

    private static func interface(
        _ address: NetworkAddress, _ links: (egress: LinkID, ingress: LinkID)
    ) -> Interface {
        Interface(address, egress: links.egress, ingress: links.ingress)
    }

    /// A pool has few addresses, which take turns; everything else goes to an address of its own each time.
    private static let pool = AddressPool((0..<4).map(address))!

    private static func address(_ index: Int) -> NetworkAddress {
        NetworkAddress(
            ip: IPAddress(v4: 0xcb00_7100 + UInt32(index % 200 + 1)), port: UInt16(2000 + index / 200))
    }

    private func destination(of move: Int) -> NetworkAddress {
        Self.address(strategy == .poolOfAddresses ? move % 4 : move)
    }

    /// Runs it all.
    public func run() -> Report {
        network.run(until: .zero + .seconds(10)) { client.isConfirmed }
        network.run(for: .milliseconds(500))
        var latencies: [TimeSpan] = []
        var reason = client.isConfirmed ? nil : "no connection"
        while latencies.count < moves, reason == nil {
            let measured = move(latencies.count)
            if let measured { latencies.append(measured) } else { reason = client.endReason ?? "no answer" }
        }
        return Report(
            moves: latencies.count, lossReason: reason, latencies: latencies, repeatedIDs: ids.repeated,
            ids: ids.count, violations: network.violations.map { "\($0)" })
    }

    /// What the request after the move took; nil if there was no answer.
    private func move(_ index: Int) -> TimeSpan? {
        let epoch = MigrationEpoch(rawValue: UInt64(index + 1))
        let there = destination(of: index)
        do {
            try server.prepareMigration(plan(to: there), epoch: epoch)
            network.run(for: random.span(in: .milliseconds(50) ... .milliseconds(150)))
            try server.holdMigration(epoch)
        } catch {
            server.complain("the plan was refused: \(error)")
            return nil
        }
        network.freeze(serverHost)
        network.run(for: random.span(in: .milliseconds(100) ... .milliseconds(500)))
        network.thaw(serverHost, movingTo: [Self.interface(there, links)])
        client.measure(at: network.now + random.span(in: .zero ... .milliseconds(200)))
        network.run(until: network.now + .seconds(30)) { client.answeredAt != nil || client.endReason != nil }
        guard let answered = client.answeredAt, let measured = client.measuredAt else { return nil }
        // What is under way settles, connection ids too.
        network.run(for: .milliseconds(200))
        return answered - measured
    }

    private func plan(to address: NetworkAddress) -> MigrationPlan {
        MigrationPlan(default: MoveRun.order(strategy, to: address))
    }
}
