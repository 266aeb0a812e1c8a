import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The version that the thesis's client opens with (Specs/server-migration.md 9.1.1)")
struct PrivateVersionTests {
    private static let destination = MigrationDestination(MovingPair.there)!

    private func moving(_ suite: MigrationSuite = .basic, retryPolicy: RetryPolicy = .never) -> MovingPair {
        MovingPair(
            client: ClientMigrationSettings(ClientMigrationNegotiation(suite: suite)),
            server: ServerMigrationSettings(ServerMigrationNegotiation(suite: suite)),
            retryPolicy: retryPolicy
        ) {
            $0.versions = [.v1, .v2, .mvfst]
            $0.initialVersion = .mvfst
        }
    }

    @Test(
        "A connection in it moves like any other",
        arguments: [
            MigrationOrder.explicit(destination: destination), .symmetric, .synchronizedSymmetric,
        ])
    func move(_ order: MigrationOrder) throws {
        let moving = moving()
        try moving.establish()
        #expect(moving.client.version == .mvfst && moving.server.version == .mvfst)
        try moving.expectMove(order)
    }

    @Test("Neither side has the parameters that came later")
    func parameters() throws {
        let moving = moving()
        try moving.establish()
        for connection in [moving.client, moving.server] {
            let parameters = connection.peerParameters
            #expect(parameters.versionInformation == nil)
            #expect(parameters.initialSourceConnectionID == nil)
            #expect(parameters.originalDestinationConnectionID == nil)
            #expect(parameters.activeConnectionIDLimit > 2)
        }
    }

    @Test("It is off by default: its client gets Version Negotiation that does not name it")
    func offByDefault() throws {
        #expect(!TransportConfiguration().versions.contains(.mvfst))
        var transport = TransportConfiguration()
        transport.versions = [.mvfst]
        let pair = EndpointPair(client: transport)
        let client = try pair.connect()
        pair.run(for: .seconds(5)) { client.closed != nil }
        guard case .versionNegotiationFailed(let offered) = client.closed else {
            Issue.record("closed otherwise: \(String(describing: client.closed))")
            return
        }
        #expect(offered.contains(QUICVersion.v1.rawValue) && !offered.contains(QUICVersion.mvfst.rawValue))
        #expect(pair.accepted.isEmpty)
    }

    @Test(
        "It knows no Retry of today's form, so none is sent, and others have to prove their address as ever")
    func retry() throws {
        let moving = moving(retryPolicy: .always)
        try moving.establish()
        #expect(moving.client.version == .mvfst && moving.pair.server.statistics.retriesSent == 0)
        let other = try moving.pair.connect {
            $0.transport = TransportConfiguration()
            $0.local = NetworkAddress("192.0.2.1:50001")!
        }
        moving.run(for: .seconds(2)) { other.isConfirmed }
        // One for each datagram of its first flight.
        #expect(other.version == .v1 && moving.pair.server.statistics.retriesSent > 0)
    }

    @Test("Who opens in a version of the RFCs is never led to it")
    func notPreferred() throws {
        var transport = TransportConfiguration()
        transport.versions = [.mvfst, .v1]
        var clientSide = transport
        clientSide.initialVersion = .v1
        let (client, server) = try EndpointPair(client: clientSide, server: transport).establish()
        #expect(client.version == .v1 && server.version == .v1)
    }
}
