package import Godwit

/// How the application's connections behave, which both ends and both policies share but for what is said here.
package enum ApplicationTransport {
    /// How long a connection may be silent.
    package static let idleTime = Duration.seconds(120)

    /// - Parameters:
    ///   - transport: is changed.
    ///   - policy: whom to behave like.
    ///   - timing: the constants of an endpoint of the thesis's.
    ///   - keepsAlive: whether to speak up before silence ends a connection, which is the clients' part.
    package static func configure(
        _ transport: inout TransportConfiguration, _ policy: MigrationPolicy,
        timing: ThesisTiming = ThesisTiming(),
        keepsAlive: Bool = true
    ) {
        transport.idleTimeout = idleTime
        transport.keepAliveInterval = keepsAlive ? .seconds(90) : nil
        transport.congestionControl = .cubic
        transport.activeConnectionIDLimit = 30
        guard policy == .thesis else { return }
        transport.initialRTT = .milliseconds(timing.initialRoundTrip)
        transport.timerGranularity = .milliseconds(timing.probeMargin)
    }

    /// What a client offers and how it follows.
    package static func client(
        _ suite: MigrationSuite, _ policy: MigrationPolicy, seeds: SeedSequence
    ) -> ClientMigrationSettings {
        guard !suite.isEmpty else { return ClientMigrationSettings() }
        var behaviour = ClientMigrationConfiguration()
        behaviour.policy = policy
        behaviour.scheduler = .applicationOrder(seed: seeds.scheduler)
        return ClientMigrationSettings(ClientMigrationNegotiation(suite: suite), behaviour: behaviour)
    }

    /// What a server agrees to and how it moves. Its operator is the thesis's, who knows of no holding.
    package static func server(
        _ suite: MigrationSuite, _ policy: MigrationPolicy, pool: AddressPool
    ) -> ServerMigrationSettings {
        guard !suite.isEmpty else { return ServerMigrationSettings() }
        var settings = ServerMigrationSettings(
            ServerMigrationNegotiation(suite: suite, hasPool: !pool.isEmpty), policy: policy, pool: pool)
        settings.requiresHold = false
        return settings
    }
}

/// The constants by which an endpoint of the thesis's differs from one of ours, in milliseconds.
///
/// They give the times that were measured: a first probe timeout of 267 ms on a path of 122 ms, and from then on
/// 100 ms, doubled for each timeout there was.
package struct ThesisTiming: Hashable, Sendable, Codable {
    /// The round trip that is assumed where none was measured. Three of it and the delay of acknowledgements, 25 ms,
    /// are a probe timeout.
    package var initialRoundTrip: Double
    /// What is at least added to the round trip in a probe timeout where one was measured.
    package var probeMargin: Double

    package init(initialRoundTrip: Double = 25, probeMargin: Double = 108) {
        (self.initialRoundTrip, self.probeMargin) = (initialRoundTrip, probeMargin)
    }

    private static let range = 0.001...60_000.0

    /// As a configuration has it; the thesis's have none, and mean what was measured.
    init(_ reader: inout ConfigurationReader) throws(Failure) {
        self.init()
        initialRoundTrip = try reader.number("initialRoundTrip", in: Self.range, default: initialRoundTrip)
        probeMargin = try reader.number("probeMargin", in: Self.range, default: probeMargin)
    }
}
