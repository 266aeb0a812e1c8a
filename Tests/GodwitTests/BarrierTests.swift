import GodwitCore
import GodwitMigration
import NIOCore
import Testing

@testable import Godwit

/// Many clients of one listener over real sockets (Specs/server-migration.md 7).
@Suite("A listener's clients get ready together", .timeLimit(.minutes(15)))
struct BarrierTests {
    private static let clients = 50

    @Test("Fifty clients on four event loops are ready by Explicit, and follow")
    func fifty() async throws {
        try await LoopbackPair.run(
            loops: 4,
            server: { $0.migration = ServerMigrationSettings(ServerMigrationNegotiation(hasPool: false)) },
            client: { $0.migration = ClientMigrationSettings(ClientMigrationNegotiation()) },
            serve: echo
        ) { pair in
            let connections = try await Self.connect(pair)
            let to = NetworkAddress("127.0.0.2:\(pair.port)")!
            let plan = MigrationPlan(default: .explicit(destination: MigrationDestination(to)!))
            // How long that takes is for scripts/barrier.sh to say: here the machine may be busy.
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(600))
            #expect(readiness.isFinal && readiness.ready == 50 && readiness.total == 50)
            #expect(readiness.outcomes.values.allSatisfy { $0 == .ready(.explicit) })
            let epoch = readiness.epoch
            try await pair.listener.hold(epoch, releasesAddress: true)
            try await pair.listener.networkSwitched(to: to, epoch: epoch)
            for connection in connections {
                try await expectEcho(connection)
                #expect(await connection.remoteAddress == to)
            }
        }
    }

    private static func connect(_ pair: LoopbackPair) async throws -> [QUICConnection] {
        try await withThrowingTaskGroup(of: QUICConnection.self) { tasks in
            for _ in 0..<clients {
                tasks.addTask {
                    let connection = try await pair.connect()
                    try await expectEcho(connection)
                    return connection
                }
            }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
    }
}
