import GodwitCore
import GodwitMigration
import GodwitTestSupport
import NIOCore
import Testing

@testable import Godwit

/// Moves of a server of ours with a client of the thesis's, and the other way round, over real sockets.
@Suite("A peer that behaves as the thesis's program", .timeLimit(.minutes(15)))
struct ThesisPeerTests {
    enum Strategy: CaseIterable, Sendable {
        case reactiveExplicit, proactiveExplicit, poolOfAddresses, symmetric, synchronizedSymmetric

        func order(to address: NetworkAddress) -> MigrationOrder {
            switch self {
            case .reactiveExplicit, .proactiveExplicit:
                .explicit(destination: MigrationDestination(address)!)
            case .poolOfAddresses: .poolOfAddresses
            case .symmetric: .symmetric
            case .synchronizedSymmetric: .synchronizedSymmetric
            }
        }
    }

    enum Role: CaseIterable, Sendable { case server, client }

    /// All that the thesis's program knows.
    private static let suite: MigrationSuite = [
        .explicit, .poolOfAddresses, .symmetric, .synchronizedSymmetric,
    ]

    private static func withPair(
        thesis role: Role, pool: AddressPool, _ body: @Sendable (LoopbackPair) async throws -> Void
    ) async throws {
        try await LoopbackPair.run(
            server: {
                let negotiation = ServerMigrationNegotiation(
                    suite: role == .server ? suite : .all, hasPool: !pool.isEmpty)
                $0.migration = ServerMigrationSettings(
                    negotiation, policy: role == .server ? .thesis : .godwit, pool: pool)
                // Its client ids are spent on challenges (Specs/server-migration.md 9.1.3).
                $0.transport.activeConnectionIDLimit = 30
            },
            client: {
                let negotiation = ClientMigrationNegotiation(suite: role == .client ? suite : .all)
                var behaviour = ClientMigrationConfiguration()
                behaviour.policy = role == .client ? .thesis : .godwit
                $0.migration = ClientMigrationSettings(negotiation, behaviour: behaviour)
                $0.transport.activeConnectionIDLimit = 30
            },
            serve: echo, body)
    }

    @Test(
        "A request is answered after a freeze and a move, by every strategy of the thesis's, in both roles (9.4)",
        arguments: Strategy.allCases, Role.allCases)
    func moves(strategy: Strategy, role: Role) async throws {
        let pool = strategy == .poolOfAddresses ? AddressPool([try Self.freeAddress()])! : AddressPool()
        try await Self.withPair(thesis: role, pool: pool) { pair in
            let from = pair.listener.localAddress
            let to = pool.addresses.first ?? NetworkAddress("127.0.0.2:\(pair.port)")!
            var events = pair.listener.migrationEvents.makeAsyncIterator()
            let connection = try await pair.connect()
            try await expectEcho(connection)
            #expect(await connection.migrationAgreement.isExtended == false)
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "before "))
            let order = strategy.order(to: to)
            let readiness = try await pair.listener.prepareMigration(
                MigrationPlan(default: order), deadline: .seconds(600))
            #expect(readiness.isFinal && readiness.ready == 1 && readiness.total == 1)
            let losses = Report<Void>()
            let there = try await AbandonedPlace(at: to, losses)
            try await pair.listener.hold(readiness.epoch, releasesAddress: true)
            let left = try await AbandonedPlace(at: from, losses)
            // Who has the application's word does not have to miss the server first.
            if strategy != .proactiveExplicit {
                try await stream.write(ByteBuffer(string: "during "))
                // At either place: the thesis's client turns to the new one at its first timeout.
                for _ in 0..<2 { _ = await losses.next() }
            }
            try await there.leave()
            try await pair.listener.networkSwitched(to: to, epoch: readiness.epoch)
            if strategy == .proactiveExplicit { await connection.lookForServer() }
            try await stream.write(ByteBuffer(string: "after"), finish: true)
            let answer = strategy == .proactiveExplicit ? "before after" : "before during after"
            #expect(String(buffer: try await stream.collect(upTo: 100)) == answer)
            while let event = await events.next(), event.change != .completed(order.strategy) {}
            #expect(await connection.remoteAddress == to)
            try await expectEcho(connection)
            try await left.leave()
        }
    }

    private static func freeAddress() throws -> NetworkAddress {
        let socket = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.2:0")!, sharing: .never)
        defer { socket.close() }
        return socket.localAddress
    }
}
