import GodwitCore
public import GodwitMigration
public import GodwitWire

/// A server of whose process there is more than one, because an image is not the process itself
/// (Specs/server-migration.md 6.6).
public final class CopyRun {
    /// What there is besides the server that is meant.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// The source is resumed after the image was restored elsewhere.
        case resumedSource
        /// The image is restored twice.
        case twoRestores
        /// The image is older than what the client has seen since.
        case staleImage
    }

    /// What came of a run.
    public struct Report: Hashable, Sendable {
        /// What the first request after the thaw took; nil without an answer.
        public var latency: TimeSpan?
        /// Why the client's connection ended; nil when it did not.
        public var endReason: String?
        /// How many copies were told to go on, and how many were told not to.
        public var granted: Int
        /// How many copies were refused.
        public var refused: Int
        /// How many datagrams a copy sent that was refused.
        public var sentByRefused: Int
        /// What checkers found, in words: a packet number that was used twice under a key, by whichever copies.
        public var violations: [String]
    }

    private static let there = NetworkAddress("203.0.113.5:443")!
    private static let elsewhere = NetworkAddress("203.0.113.77:443")!

    private let kind: Kind
    private let strategy: MigrationStrategy
    private let network: SimulatedNetwork
    private let server: EndpointProgram
    private let serverHost: HostID
    private let client = MovingClient(.idle, server: MoveRun.home)
    private let arbiter = CopyArbiter()
    private let senders = SenderWatch()
    private var random: DeterministicRandom
    private let epoch = MigrationEpoch(rawValue: 1)
    private let links: (egress: LinkID, ingress: LinkID)

    /// Prepares a run.
    public init(seed: UInt64, _ kind: Kind, _ strategy: MigrationStrategy, loss: Double = 0) {
        (self.kind, self.strategy) = (kind, strategy)
        network = SimulatedNetwork(seed: seed)
        random = network.random("copies")
        let line = MoveSettings(seed: seed, strategy).newLine
        let parameters = LinkParameters(delay: line.roundTrip / 2, rate: line.rate, loss: loss / 2)
        links = (network.addLink(parameters, named: "egress"), network.addLink(parameters, named: "ingress"))
        let handshake = SimulatedHandshake(applicationProtocols: ["move"])
        var settings = EndpointSettings(handshake)
        settings.migration = ServerMigrationSettings(
            ServerMigrationNegotiation(suite: .all), policy: .godwit,
            pool: strategy == .poolOfAddresses ? AddressPool([Self.there, Self.elsewhere])! : AddressPool())
        // Nobody holds a server whose image is taken while it goes on.
        settings.migration.requiresHold = kind != .staleImage
        server = EndpointProgram(settings, serving: MovingServer())
        serverHost = network.addHost(
            "server", interfaces: [Interface(MoveRun.home, egress: links.egress, ingress: links.ingress)],
            running: server)
        var own = EndpointSettings(handshake)
        own.transport.migration.negotiation = ClientMigrationNegotiation(suite: .all)
        network.addHost(
            "client", at: NetworkAddress("11.0.0.1:50000")!, running: EndpointProgram(own, running: client))
        network.addChecker(PacketNumberChecker())
        network.addChecker(senders)
        if kind != .staleImage { server.arbiter = arbiter }
    }

    /// Runs it all.
    public func run() -> Report {
        network.run(until: .zero + .seconds(10)) { client.isConfirmed }
        network.run(for: .milliseconds(500))
        do { try move() } catch { server.complain("the copies could not be made: \(error)") }
        client.measure(at: network.now + random.span(in: .zero ... .milliseconds(200)))
        network.run(until: network.now + .seconds(30)) { client.answeredAt != nil || client.endReason != nil }
        let latency = client.answeredAt.flatMap { answered in client.measuredAt.map { answered - $0 } }
        // Whoever was refused has time to do what it must not.
        network.run(for: .seconds(5))
        return Report(
            latency: latency, endReason: client.endReason, granted: arbiter.granted, refused: arbiter.refused,
            sentByRefused: sentByRefused, violations: network.violations.map { "\($0)" })
    }

    private var sentBefore = 0
    private var refusedAddress: NetworkAddress? {
        switch kind {
        case .resumedSource: MoveRun.home
        case .twoRestores: Self.elsewhere
        case .staleImage: nil
        }
    }

    private var sentByRefused: Int {
        refusedAddress.map { senders.datagrams[$0, default: 0] - ($0 == MoveRun.home ? sentBefore : 0) } ?? 0
    }

    private func move() throws {
        try server.prepareMigration(
            MigrationPlan(default: MoveRun.order(strategy, to: Self.there)), epoch: epoch)
        network.run(for: .milliseconds(300))
        if kind == .staleImage { return try moveStale() }
        try server.holdMigration(epoch)
        network.freeze(serverHost)
        let image = try server.takeImage()
        sentBefore = senders.datagrams[MoveRun.home, default: 0]
        network.run(for: random.span(in: .milliseconds(100) ... .seconds(2)))
        restore(image, at: Self.there)
        network.run(for: random.span(in: .zero ... .milliseconds(50)))
        if kind == .twoRestores { restore(image, at: Self.elsewhere) } else { network.thaw(serverHost) }
    }

    /// The server goes on for a while after its image was taken, and is lost.
    private func moveStale() throws {
        let image = try server.takeImage()
        client.measure(at: network.now)
        network.run(for: .seconds(1))
        network.remove(serverHost)
        network.run(for: random.span(in: .milliseconds(100) ... .seconds(2)))
        restore(image, at: Self.there)
    }

    private func restore(_ image: ServerImage, at address: NetworkAddress) {
        let copy = EndpointProgram(restoring: image, serving: MovingServer())
        copy.arbiter = server.arbiter
        network.addHost(
            "copy at \(address)",
            interfaces: [Interface(address, egress: links.egress, ingress: links.ingress)], running: copy)
    }
}
