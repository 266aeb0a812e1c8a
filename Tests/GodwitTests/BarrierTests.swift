import Foundation
import GodwitCore
import GodwitMigration
import NIOCore
import Testing

@testable import Godwit

/// Many clients of one listener over real sockets (Specs/server-migration.md 7).
@Suite("A listener's clients get ready together", .timeLimit(.minutes(15)))
struct BarrierTests {
    private static let clients = 50

    /// How much longer than a round trip it may take at the median, in milliseconds; `scripts/barrier.sh` asks
    /// for it. A test says nothing of times: the machine may be busy.
    private static let limit = ProcessInfo.processInfo.environment["GODWIT_BARRIER_LIMIT"].flatMap(
        Double.init)

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
            var spans: [Duration] = []
            for round in 0..<(Self.limit == nil ? 1 : 21) {
                if round > 0 {
                    try await pair.listener.cancelMigration(MigrationEpoch(rawValue: UInt64(round)))
                }
                let start = ContinuousClock.now
                let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(600))
                spans.append(ContinuousClock.now - start)
                #expect(readiness.isFinal && readiness.ready == 50 && readiness.total == 50)
                #expect(readiness.outcomes.values.allSatisfy { $0 == .ready(.explicit) })
            }
            try await Self.judge(spans, connections)
            let epoch = await pair.listener.migrationState.epoch
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

    private static func judge(_ spans: [Duration], _ connections: [QUICConnection]) async throws {
        var roundTrips: [Duration] = []
        for connection in connections { roundTrips.append(await connection.statistics.smoothedRTT) }
        let (ready, roundTrip) = (spans.sorted()[spans.count / 2], roundTrips.sorted()[clients / 2])
        print(
            "\(clients) clients ready after \(ready / .milliseconds(1)) ms; a round trip takes",
            "\(roundTrip / .milliseconds(1)) ms (medians)")
        guard let limit else { return }
        #expect(ready / .milliseconds(1) <= roundTrip / .milliseconds(1) + limit)
    }
}
