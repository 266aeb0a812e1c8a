import GodwitCore
import GodwitMigration
import GodwitTestSupport
import GodwitWire
import NIOCore
import NIOPosix
import Testing

@testable import Godwit

/// Servers of which there is more than one, because an image is not the process itself (Specs/server-migration.md
/// 6.6): each has sockets of its own, and the client has its one connection.
@Suite("Copies of a listener", .timeLimit(.minutes(15)))
struct CopyTests {
    private actor Arbiter: MigrationArbiter {
        private var arbiter = EpochArbiter()

        func grants(
            _ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, to copy: EpochArbiter.Copy
        ) -> Bool { arbiter.grant(resolution, of: epoch, to: copy) }
    }

    private static func withPair(
        isHeld: Bool = true, accepted: Report<QUICConnection> = Report(),
        _ body: @Sendable (LoopbackPair) async throws -> Void
    ) async throws {
        try await LoopbackPair.run(
            server: {
                $0.migration = ServerMigrationSettings(ServerMigrationNegotiation(hasPool: false))
                $0.migration.requiresHold = isHeld
                if isHeld { $0.migrationArbiter = Arbiter() }
            },
            client: { $0.migration = ClientMigrationSettings(ClientMigrationNegotiation()) },
            serve: {
                accepted.send($0)
                await echo($0)
            }, body)
    }

    private static func prepare(_ pair: LoopbackPair, to address: NetworkAddress) async throws
        -> MigrationEpoch
    {
        let plan = MigrationPlan(default: .combined(destination: MigrationDestination(address)!))
        let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(600))
        #expect(readiness.ready == 1)
        return readiness.epoch
    }

    // Holds: W15
    @Test("A source that is resumed after its image was restored stays held, and sends nothing (6.6.4)")
    func resumedSource() async throws {
        try await Self.withPair { pair in
            let there = NetworkAddress("127.0.0.2:\(pair.port)")!
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let epoch = try await Self.prepare(pair, to: there)
            try await pair.listener.hold(epoch)
            let image = try await ListenerImage(of: pair.listener)
            let sent = await pair.listener.datagramsSent
            try await image.restore { copy in
                try await copy.networkSwitched(to: there, epoch: epoch)
                try await expectEcho(connection)
                #expect(await connection.remoteAddress == there)
                await #expect(throws: MigrationError.anotherCopyGoesOn(epoch)) {
                    try await pair.listener.networkSwitched(to: nil, epoch: epoch)
                }
                await #expect(throws: MigrationError.anotherCopyGoesOn(epoch)) {
                    try await pair.listener.cancelMigration(epoch)
                }
                try await expectEcho(connection)
                #expect(await connection.remoteAddress == there)
                #expect(await pair.listener.datagramsSent == sent)
            }
        }
    }

    // Holds: W15
    @Test("Of two restores one goes on, and the other sends nothing (6.6.4)")
    func twoRestores() async throws {
        try await Self.withPair { pair in
            let there = NetworkAddress("127.0.0.2:\(pair.port)")!
            let elsewhere = NetworkAddress("127.0.0.3:\(pair.port)")!
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let epoch = try await Self.prepare(pair, to: there)
            try await pair.listener.hold(epoch, releasesAddress: true)
            let image = try await ListenerImage(of: pair.listener)
            try await image.restore { first in
                try await image.restore { second in
                    try await first.networkSwitched(to: there, epoch: epoch)
                    await #expect(throws: MigrationError.anotherCopyGoesOn(epoch)) {
                        try await second.networkSwitched(to: elsewhere, epoch: epoch)
                    }
                    try await expectEcho(connection)
                    #expect(await connection.remoteAddress == there)
                    #expect(await second.datagramsSent == 0)
                }
            }
        }
    }

    // Holds: W15
    @Test("A copy that is older than what the client has seen ends the connection, and says why (6.6.6)")
    func staleImage() async throws {
        let accepted = Report<QUICConnection>()
        try await Self.withPair(isHeld: false, accepted: accepted) { pair in
            let there = NetworkAddress("127.0.0.2:\(pair.port)")!
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let epoch = try await Self.prepare(pair, to: there)
            let image = try await ListenerImage(of: pair.listener)
            // Nobody held it. It says something more, of whose arrival it never hears, and is lost.
            let client = connection.driver.loop
            await client.driver.run { client.hold() }
            let sent = await pair.listener.datagramsSent
            let server = try #require(await accepted.next())
            try await server.openUnidirectionalStream().write(ByteBuffer(string: "word"))
            while await pair.listener.datagramsSent == sent { await Task.yield() }
            try await pair.listener.hold(epoch, releasesAddress: true)
            await client.driver.run { client.resume(at: nil) }
            try await image.restore { copy in
                try await copy.networkSwitched(to: there, epoch: epoch)
                // That acknowledges the word as well, of which the copy knows nothing.
                try? await connection.openStream().write(ByteBuffer(string: "ping"), finish: true)
                guard case .transport(let code, _, let reason, let byPeer) = try await connection.closed,
                    // The client is first when a connection id of the copy's contradicts one of the source's.
                    byPeer ? reason.hasPrefix("stale") : code == .protocolViolation
                else {
                    Issue.record("unexpected: \(try await connection.closed)")
                    return
                }
            }
        }
    }
}

/// What a checkpoint of a listener's process would have of it.
private struct ListenerImage: @unchecked Sendable {
    // Plain values; nobody has declared them to be `Sendable`.

    private let endpoint: EndpointImage
    private let clock: LoopClock
    private let ledger: EpochLedger
    private let configuration: QUICServerConfiguration

    /// The listener has one event loop.
    init(of listener: QUICListener) async throws {
        let loop = listener.loops[0]
        self = try await loop.driver.run {
            try ListenerImage(
                endpoint: EndpointImage(of: loop.endpoint), clock: loop.clock,
                ledger: listener.coordinator.ledger,
                configuration: listener.configuration)
        }
    }

    private init(
        endpoint: EndpointImage, clock: LoopClock, ledger: EpochLedger, configuration: QUICServerConfiguration
    ) {
        (self.endpoint, self.clock, self.ledger, self.configuration) = (
            endpoint, clock, ledger, configuration
        )
    }

    /// A copy that stands still as the image does, on an event loop and with sockets of its own.
    func restore(_ body: @Sendable (QUICListener) async throws -> Void) async throws {
        try await withEventLoops(1) { group in
            let copy = try await QUICListener.bind(
                to: NetworkAddress("127.0.0.1:0")!, configuration: configuration, eventLoopGroup: group)
            let connections = try await fill(copy)
            async let serving: Void = serve(connections)
            do {
                try await body(copy)
                await copy.shutdown(gracePeriod: .zero)
            } catch {
                await copy.shutdown(gracePeriod: .zero)
                throw error
            }
            await serving
        }
    }

    private func fill(_ copy: QUICListener) async throws -> [QUICConnection] {
        let loop = copy.loops[0]
        return try await loop.driver.run {
            loop.hold()
            loop.clock = clock
            try endpoint.restore(to: loop.endpoint, now: clock.latest)
            copy.coordinator.ledger = ledger
            return loop.endpoint.connectionHandles.compactMap { handle in
                guard let core = loop.endpoint.connection(handle) else { return nil }
                let driver = ConnectionDriver(core, on: loop, isAnnounced: true)
                loop.connections[handle] = driver
                return QUICConnection(driver)
            }
        }
    }

    private func serve(_ connections: [QUICConnection]) async {
        await withDiscardingTaskGroup { group in
            for connection in connections { group.addTask { await echo(connection) } }
        }
    }
}

extension QUICListener {
    fileprivate var datagramsSent: UInt64 {
        get async {
            let loop = loops[0]
            return await loop.driver.run { loop.traffic.datagramsSent }
        }
    }
}
