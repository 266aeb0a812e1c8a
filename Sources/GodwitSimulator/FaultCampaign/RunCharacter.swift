import GodwitCore
import GodwitCrypto
import GodwitWire

/// What a run of a fault campaign has of its own besides its ``FaultPlan``: how the endpoints are set up and
/// what their applications do, drawn from the same seed.
struct RunCharacter {
    let usesTLS: Bool
    let rewrites: Bool
    let server: EndpointSettings
    let client: EndpointSettings
    let serverKeyUpdateInterval: TimeSpan?
    let habits: ClientHabits
    /// When a client that is free to takes to another of its addresses; nil for never.
    let migration: TimeSpan?

    init(seed: UInt64) {
        var random = DeterministicRandom(seed: seed).forked("run")
        usesTLS = seed % 10 == 3
        rewrites = seed % 10 == 7
        let handshake = usesTLS ? Self.tls : SimulatedHandshake(applicationProtocols: ["godwit-simulation"])
        var client = EndpointSettings(handshake, transport: .drawn(&random))
        var server = EndpointSettings(handshake, transport: .drawn(&random))
        (client.transport.versions, server.transport.versions) = Self.drawVersions(&random)
        server.retryPolicy = random.chance(0.25) ? .always : .never
        (self.client, self.server) = (client, server)
        serverKeyUpdateInterval =
            random.chance(0.2) ? random.plannedSpan(.milliseconds(100), .seconds(5)) : nil
        habits = ClientHabits(
            heartbeatInterval: random.plannedSpan(.milliseconds(500), .seconds(3)),
            keyUpdateInterval: random.chance(0.2) ? random.plannedSpan(.milliseconds(100), .seconds(5)) : nil,
            namesItsAddress: random.chance(0.7), closeCode: UInt64(random.integer(in: 0...1000)))
        migration = random.chance(0.2) ? random.plannedSpan(.milliseconds(500), .seconds(6)) : nil
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

    private static func drawVersions(_ random: inout DeterministicRandom) -> ([QUICVersion], [QUICVersion]) {
        switch random.integer(in: 0...9) {
        case 0...1: ([.v2, .v1], [.v2, .v1])
        case 2...3: ([.v1, .v2], [.v2, .v1])
        // Version negotiation.
        case 4: ([.v2, .v1], [.v1])
        case 5: ([.v1, .v2], [.v1, .v2])
        default: ([.v1], [.v1, .v2])
        }
    }
}

extension TransportConfiguration {
    /// Faults may keep a client and its server apart for the better part of a minute, so the timeouts are
    /// long.
    fileprivate static func drawn(_ random: inout DeterministicRandom) -> TransportConfiguration {
        var configuration = TransportConfiguration()
        configuration.idleTimeout = .seconds(180)
        configuration.congestionControl = random.chance(0.5) ? .cubic : .newReno
        configuration.usesECN = random.chance(0.7)
        if random.chance(0.4) {
            configuration.initialStreamWindow = random.integer(in: 2000...100_000)
            configuration.initialConnectionWindow = random.integer(in: 2000...150_000)
            configuration.streamSendBuffer = random.integer(in: 2000...200_000)
        }
        if random.chance(0.3) { configuration.maxIncomingBidirectionalStreams = random.integer(in: 1...3) }
        if random.chance(0.2) { configuration.packetsPerKeyPhase = UInt64(random.integer(in: 20...400)) }
        if random.chance(0.3) {
            configuration.keepAliveInterval = .seconds(Int64(random.integer(in: 1...10)))
        }
        if random.chance(0.3) { configuration.maxUDPPayloadSize = random.integer(in: 1200...1472) }
        return configuration
    }
}
