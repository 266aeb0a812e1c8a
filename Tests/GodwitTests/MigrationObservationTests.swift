import GodwitCore
import GodwitMigration
import GodwitTestSupport
import Logging
import NIOCore
import Testing

@testable import Godwit

@Suite("What is told of a listener's moves to those who watch", .timeLimit(.minutes(15)))
struct MigrationObservationTests {
    private let recorder = MetricsRecorder()
    private let log = LogRecorder()

    private func withPair(
        offers suite: MigrationSuite = .all, _ body: @Sendable (LoopbackPair) async throws -> Void
    ) async throws {
        try await LoopbackPair.run(
            loops: 2,
            server: { [recorder, log] in
                $0.migration = ServerMigrationSettings(ServerMigrationNegotiation(hasPool: false))
                $0.metrics = QUICMetrics(role: .server, factory: recorder)
                $0.logger = Logger(label: "test") { _ in log }
            },
            client: { $0.migration = ClientMigrationSettings(ClientMigrationNegotiation(suite: suite)) },
            serve: echo, body)
    }

    private func lines(_ start: String) -> [String] { log.lines.filter { $0.hasPrefix(start) } }

    @Test(
        "A move is counted under its strategy at each of its steps, and timed",
        arguments: [MigrationStrategy.explicit, .symmetric, .synchronizedSymmetric, .combined])
    func moved(_ strategy: MigrationStrategy) async throws {
        try await withPair { pair in
            let (from, to) = (pair.listener.localAddress, NetworkAddress("127.0.0.2:\(pair.port)")!)
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let id = await connection.originalDestinationID
            let client = await connection.localAddress
            var events = pair.listener.migrationEvents.makeAsyncIterator()
            let plan = MigrationPlan(default: MigrationOrder(strategy, to: MigrationDestination(to)!))
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch)
            try await pair.listener.networkSwitched(to: to, epoch: epoch)
            try await expectEcho(connection)
            while let event = await events.next(), event.change != .completed(strategy) {}
            for step in ["started", "ready", "completed"] {
                #expect(recorder["godwit_migrations_\(step) strategy=\(strategy.label)"] == 1)
            }
            for span in ["readiness", "freeze", "stall"] {
                #expect(recorder["godwit_migration_\(span)_duration"] > 0)
            }
            // With connection id, strategy, and the server's old and new address.
            let line = try #require(lines("info connection has moved").first)
            #expect(line.contains("\(id)") && line.contains("\(strategy)"))
            #expect(line.contains("\(from) → \(to)") && line.contains(":\(client.port)"))
            #expect(lines("info connection prepares to move").count == 1)
            #expect(lines("info connection ready to move").count == 1)
            #expect(lines("info moved").count == 1 && lines("info held").count == 1)
            #expect(lines("info ready to move").first?.contains("1 ready") == true)
        }
    }

    // Holds: W15
    @Test(
        "Whoever is held without an arbiter is warned of copies, once (Specs/server-migration.md 6.6.4)",
        arguments: [true, false])
    func copies(hasArbiter: Bool) async throws {
        let log = log
        try await LoopbackPair.run(
            server: {
                $0.migration = ServerMigrationSettings(ServerMigrationNegotiation(hasPool: false))
                $0.logger = Logger(label: "test") { _ in log }
                if hasArbiter { $0.migrationArbiter = AnyCopyArbiter() }
            },
            serve: echo
        ) { pair in
            for _ in 0..<2 {
                let plan = MigrationPlan(default: .symmetric)
                let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
                try await pair.listener.hold(epoch)
                try await pair.listener.networkSwitched(to: nil, epoch: epoch)
            }
            #expect(lines("warning held without an arbiter").count == (hasArbiter ? 0 : 1))
        }
    }

    @Test("A connection that can't take part counts as failed, with the reason")
    func obstructed() async throws {
        try await withPair(offers: .explicit) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan(default: .symmetric)
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            #expect(readiness.ready == 0 && readiness.isFinal)
            try await pair.listener.cancelMigration(readiness.epoch)
            #expect(
                recorder["godwit_migrations_failed strategy=symmetric reason=strategy_not_negotiated"] == 1)
            let line = try #require(lines("warning connection has not moved").first)
            #expect(line.contains("without the strategy"))
        }
        try await withPair(offers: []) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan(default: .symmetric)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.cancelMigration(epoch)
            #expect(recorder["godwit_migrations_failed strategy=symmetric reason=not_negotiated"] == 1)
        }
    }

    @Test("A move that is called off, and a connection that ends before it followed, are counted")
    func cancelledAndClosed() async throws {
        try await withPair { pair in
            let to = NetworkAddress("127.0.0.2:\(pair.port)")!
            let connection = try await pair.connect()
            try await expectEcho(connection)
            var events = pair.listener.migrationEvents.makeAsyncIterator()
            let plan = MigrationPlan(default: MigrationOrder(.combined, to: MigrationDestination(to)!))
            let first = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.cancelMigration(first)
            while let event = await events.next(), event.change != .cancelled(.combined) {}
            #expect(recorder["godwit_migrations_cancelled strategy=combined"] == 1)
            #expect(lines("info connection stays").count == 1)
            _ = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            await connection.close()
            while let event = await events.next(), event.change != .failed(.combined, .closed) {}
            #expect(recorder["godwit_migrations_failed strategy=combined reason=closed"] == 1)
            #expect(lines("warning connection has not moved").count == 1)
        }
    }
}

private struct AnyCopyArbiter: MigrationArbiter {
    func grants(
        _ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, to copy: EpochArbiter.Copy
    ) async throws -> Bool { true }
}
