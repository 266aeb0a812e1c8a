import GodwitMigration
import GodwitWire
import Testing

/// What one side of a captured run sent is fed, packet by packet, to our machine of the other role, which has
/// to do what its captured counterpart did.
@Suite("Our machines in the captured runs of the thesis's program")
struct CapturedReplayTests {
    private static let destination = NetworkAddress("10.99.0.3:6666")!
    private static let pool = AddressPool([3, 4, 5].map { NetworkAddress("10.99.0.\($0):6666")! })!

    private func agreement(_ run: CapturedRun) throws -> MigrationAgreement {
        let bytes = try #require(try CapturedParameters(PacketOpener.open(run)).bytes[.server])
        let answer = try TransportParameters.decode(
            bytes, sender: .server, keeping: MigrationTransportParameter.ids)
        return try ClientMigrationNegotiation(suite: .basic).receive(answer)
    }

    @Test(
        "Our server sends the captured server's frames, each in its packet, whatever its policy",
        arguments: CapturedRun.Name.allCases, [MigrationPolicy.godwit, .thesis])
    func server(name: CapturedRun.Name, policy: MigrationPolicy) throws {
        let run = try CapturedRun(name)
        var replay = ServerReplay(try agreement(run), policy, pool: Self.pool, run)
        try replay.play(Timeline(run, of: .server))
        #expect(replay.differences.isEmpty)
        #expect(replay.frameCount == name.frameCount)
        let strategy = name.strategy
        #expect(replay.events == [.started(strategy), .ready(strategy), .completed(strategy)])
    }

    @Test(
        "A client under the thesis's policy sends each packet and challenge where the captured one did",
        arguments: CapturedRun.Name.allCases)
    func thesisClient(name: CapturedRun.Name) throws {
        let run = try CapturedRun(name)
        var configuration = ClientMigrationConfiguration()
        configuration.policy = .thesis
        // The seed that the captured client drew for its scheduler.
        configuration.scheduler = .applicationOrder(seed: 1_412_383_501)
        var replay = ClientReplay(
            try agreement(run), configuration, isProactive: name == .proactiveExplicit, run)
        try replay.play(Timeline(run, of: .client))
        #expect(replay.differences.isEmpty)
        #expect(replay.packetCount >= 20)
        #expect(replay.events.last == .moved(from: run.datagrams[0].destination, to: Self.destination))
    }

    // Holds: W1, W2, W4
    @Test(
        "Our own client comes to the same place, and sends nothing but challenges to what has not answered",
        arguments: CapturedRun.Name.allCases)
    func godwitClient(name: CapturedRun.Name) throws {
        let run = try CapturedRun(name)
        var replay = ClientReplay(
            try agreement(run), ClientMigrationConfiguration(), isProactive: name == .proactiveExplicit, run)
        try replay.play(Timeline(run, of: .client))
        #expect(replay.active == Self.destination)
        #expect(replay.unvalidated.isEmpty)
        #expect(replay.probed.contains(Self.destination))
        #expect(replay.events.last == .moved(from: run.datagrams[0].destination, to: Self.destination))
    }
}

extension CapturedRun.Name {
    var strategy: MigrationStrategy {
        switch self {
        case .reactiveExplicit, .proactiveExplicit: .explicit
        case .poolOfAddresses: .poolOfAddresses
        case .symmetric, .mvfstVersion: .symmetric
        case .synchronizedSymmetric: .synchronizedSymmetric
        }
    }

    /// How many migration frames the server of the run has sent.
    fileprivate var frameCount: Int {
        switch self {
        case .reactiveExplicit, .proactiveExplicit, .symmetric, .mvfstVersion: 1
        // An announcement, its repetition in a probe, and SERVER_MIGRATED; three addresses.
        case .synchronizedSymmetric, .poolOfAddresses: 3
        }
    }
}
