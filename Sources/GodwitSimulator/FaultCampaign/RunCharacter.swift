import GodwitCore
import GodwitCrypto
import GodwitWire

/// What a run of a fault campaign has of its own besides its ``FaultPlan``: how the endpoints are set up and
/// what their applications do, drawn from the same seed.
struct RunCharacter {
    let usesTLS: Bool
    let rewrites: Bool
    let server: EndpointSettings
    /// What the server is like once it was started again.
    let restartedServer: EndpointSettings
    /// Whether the server that is started again takes the connections of the one before for its own, and says
    /// that they are lost.
    let lossIsTold: Bool
    let client: EndpointSettings
    let idleTimeout: TimeSpan
    let serverKeyUpdateInterval: TimeSpan?
    /// The address that the server prefers, and whether it can be reached.
    let preferred: (address: NetworkAddress, isReachable: Bool)?
    let habits: [ClientHabits]
    /// What each client does.
    let sessions: [[SessionPlan]]
    /// When clients that are free to take to other addresses of theirs.
    let migrations: [TimeSpan]

    init(_ plan: FaultPlan) {
        let root = DeterministicRandom(seed: plan.seed).forked("run")
        usesTLS = plan.seed % 10 == 3
        rewrites = plan.seed % 10 == 7
        var random = root.forked("endpoints")
        let handshake = usesTLS ? Self.tls : SimulatedHandshake(applicationProtocols: ["godwit-simulation"])
        let life = ConnectionLife(&random, plan)
        idleTimeout = life.idleTimeout
        var client = EndpointSettings(handshake, transport: .drawn(&random, plan, life, .client))
        var server = EndpointSettings(handshake, transport: .drawn(&random, plan, life, .server))
        (client.transport.versions, server.transport.versions) = Self.drawVersions(&random)
        server.retryPolicy = random.element(of: [.never, .never, .always, .whenHandshakesExceed(1)])
        server.earlyData = random.element(of: [.accepted, .accepted, .accepted, .refused, .unsupported])
        preferred = Self.drawPreferredAddress(&random, plan)
        server.prefer(preferred?.address)
        server.transport.disablesActiveMigration = !plan.hasMoves && random.chance(0.1)
        var restarted = server
        if random.chance(0.5) {
            restarted.transport = .drawn(&random, plan, life, .server)
            restarted.transport.versions = random.element(of: [
                server.transport.versions, [.v1], [.v1, .v2], [.v2, .v1],
            ])
            restarted.transport.disablesActiveMigration = server.transport.disablesActiveMigration
        }
        (self.client, self.server, restartedServer) = (client, server, restarted)
        lossIsTold = random.chance(0.5)
        serverKeyUpdateInterval =
            random.chance(0.2) ? random.plannedSpan(.milliseconds(100), .seconds(5)) : nil
        migrations = Self.drawMigrations(&random)
        let habits = Self.drawHabits(&random, plan, server, life, preferred?.address)
        self.habits = habits
        sessions = plan.clients.indices.map { index in
            var random = root.forked("client \(index)")
            return Self.drawSessions(&random, plan, index, life, habits[index])
        }
    }

    /// One key for all runs: making one costs more than a handshake.
    private static let tls: SimulatedHandshake = {
        do {
            let certificate = try SelfSignedCertificate.make(names: ["simulated.test"], keyType: .ed25519)
            return SimulatedHandshake(
                applicationProtocols: ["godwit-simulation"], identity: try certificate.identity(),
                trust: .certificates([certificate.certificate]))
        } catch {
            preconditionFailure("no certificate: \(error)")
        }
    }()

    // MARK: Drawing

    private static func drawVersions(_ random: inout DeterministicRandom) -> ([QUICVersion], [QUICVersion]) {
        switch random.integer(in: 0...9) {
        case 0...1: ([.v2, .v1], [.v2, .v1])
        case 2...3: ([.v1, .v2], [.v2, .v1])
        // Version negotiation.
        case 4: ([.v2, .v1], [.v1])
        case 5: ([.v1, .v2], [.v1, .v2])
        case 6: ([.v1, .v2], [.v2])
        default: ([.v1], [.v1, .v2])
        }
    }

    private static func drawPreferredAddress(
        _ random: inout DeterministicRandom, _ plan: FaultPlan
    ) -> (address: NetworkAddress, isReachable: Bool)? {
        guard random.chance(0.25) else { return nil }
        let isIPv4 = plan.server.address.isIPv4
        let address = PlannedAddresses.server(isIPv4, move: PlannedAddresses.capacity + 1)
        return (address, random.chance(0.8))
    }

    private static func drawMigrations(_ random: inout DeterministicRandom) -> [TimeSpan] {
        guard random.chance(0.3) else { return [] }
        return (0..<random.integer(in: 1...2)).map { _ in
            random.plannedSpan(.milliseconds(300), .seconds(6))
        }.sorted()
    }

    private static func drawHabits(
        _ random: inout DeterministicRandom, _ plan: FaultPlan, _ server: EndpointSettings,
        _ life: ConnectionLife, _ preferred: NetworkAddress?
    ) -> [ClientHabits] {
        plan.clients.indices.map { index in
            let hasHeartbeat = life.clientKeepAlive == nil || random.chance(0.5)
            let updatesKeys = random.chance(0.2)
            return ClientHabits(
                heartbeatInterval: hasHeartbeat ? random.plannedSpan(.milliseconds(500), .seconds(3)) : nil,
                keyUpdateInterval: updatesKeys ? random.plannedSpan(.milliseconds(100), .seconds(5)) : nil,
                namesItsAddress: random.chance(0.7),
                forbiddenRemote: server.transport.disablesActiveMigration ? plan.server.address : nil,
                serverVersions: server.transport.versions,
                hasOutdatedTickets: server.earlyData == .refused && random.chance(0.5),
                preferredRemote: preferred,
                isFlawless: plan.isFlawless(index))
        }
    }

    private static func drawSessions(
        _ random: inout DeterministicRandom, _ plan: FaultPlan, _ index: Int, _ life: ConnectionLife,
        _ habits: ClientHabits
    ) -> [SessionPlan] {
        let bytes = plan.clients[index].workload.reduce(0) { $0 + $1.byteCount }
        let staysAwake = habits.heartbeatInterval == nil && random.chance(0.5)
        let limits = SessionLimits(
            bytes: max(200, bytes / 8),
            longIdle: staysAwake ? life.idleTimeout + life.idleTimeout / 4 : nil,
            allowsSilence: life.clientKeepAlive == nil && life.serverKeepAlive == nil,
            allowsOversleep: life.clientKeepAlive == nil && !plan.hasRestart)
        return SessionPlan.draw(&random, work: plan.clients[index].workload, limits)
    }
}

extension EndpointSettings {
    fileprivate mutating func prefer(_ address: NetworkAddress?) {
        guard let address else { return }
        if address.isIPv4 { preferredIPv4Address = address } else { preferredIPv6Address = address }
    }
}

extension FaultPlan {
    fileprivate var hasMoves: Bool {
        faults.contains { if case .move = $0.fault { true } else { false } }
    }

    fileprivate var hasRestart: Bool {
        faults.contains { if case .restart = $0.fault { true } else { false } }
    }

    /// Whether nothing that a client sends or is sent gets lost, not even for want of room in a queue.
    fileprivate func isFlawless(_ client: Int) -> Bool {
        let bytes = clients[client].workload.reduce(0) { $0 + $1.byteCount }
        let links = [clients[client].egress, clients[client].ingress]
        return faults.isEmpty
            && links.allSatisfy { link in
                link.totalLoss == 0 && (link.rate == nil || bytes < 250 * link.queue.packets)
            }
    }
}
