import Dispatch
import GodwitMigration
import NIOCore
import Testing

@testable import Godwit
@testable import GodwitCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Moves of a listener with its clients, over real sockets.
@Suite("A listener that moves with its clients", .timeLimit(.minutes(15)))
struct MigrationTests {
    /// Everything on at both ends, and a pool of the place where tests go.
    private static func withPair(
        loops: Int = 2, offers suite: MigrationSuite = .all, pool: AddressPool = AddressPool(),
        configure: @Sendable (inout QUICServerConfiguration) -> Void = { _ in },
        _ body: @Sendable (LoopbackPair) async throws -> Void
    ) async throws {
        try await LoopbackPair.run(
            loops: loops,
            server: {
                $0.migration = ServerMigrationSettings(
                    ServerMigrationNegotiation(hasPool: !pool.isEmpty), pool: pool)
                configure(&$0)
            },
            client: { $0.migration = ClientMigrationSettings(ClientMigrationNegotiation(suite: suite)) },
            serve: echo, body)
    }

    /// A pool of one address that nobody has.
    private static func pool() throws -> AddressPool {
        let socket = try SocketDescriptor(bindingTo: NetworkAddress("127.0.0.2:0")!, sharing: .never)
        defer { socket.close() }
        return AddressPool([socket.localAddress])!
    }

    private static func elsewhere(_ pair: LoopbackPair) -> NetworkAddress {
        NetworkAddress("127.0.0.2:\(pair.port)")!
    }

    @Test(
        "Clients follow, by every strategy, and nobody answers at the old address",
        arguments: MigrationStrategy.allCases, [true, false])
    func moves(strategy: MigrationStrategy, releasesAddress: Bool) async throws {
        let pool = strategy == .poolOfAddresses ? try Self.pool() : AddressPool()
        try await Self.withPair(pool: pool) { pair in
            let to = pool.addresses.first ?? Self.elsewhere(pair)
            let from = pair.listener.localAddress
            var events = pair.listener.migrationEvents.makeAsyncIterator()
            let connection = try await pair.connect()
            // The server's handshake is complete by then, too.
            try await expectEcho(connection)
            let stream = try await connection.openStream()
            try await stream.write(ByteBuffer(string: "before "))
            let plan = MigrationPlan(default: MigrationOrder(strategy, to: MigrationDestination(to)!))
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            #expect(readiness.isFinal && readiness.ready == 1 && readiness.total == 1)
            try await pair.listener.hold(readiness.epoch, releasesAddress: releasesAddress)
            if releasesAddress {
                let other = try await patiently { try SocketDescriptor(bindingTo: from, sharing: .never) }
                other.close()
            }
            try await stream.write(ByteBuffer(string: "during "))
            try await pair.listener.networkSwitched(to: to, epoch: readiness.epoch)
            #expect(pair.listener.localAddress == to)
            try await stream.write(ByteBuffer(string: "after"), finish: true)
            #expect(String(buffer: try await stream.collect(upTo: 100)) == "before during after")
            var changes: [ServerMigrationEvent] = []
            while let event = await events.next() {
                changes.append(event.change)
                if case .completed = event.change {
                    #expect(event.movedFrom == from && event.local == to)
                    #expect(await connection.originalDestinationID == event.connectionID)
                    break
                }
            }
            #expect(changes == [.started(strategy), .ready(strategy), .completed(strategy)])
            #expect(await connection.remoteAddress == to)
        }
    }

    @Test("A client learns what happens, and looks for its server when its application says so")
    func client() async throws {
        try await Self.withPair { pair in
            let to = Self.elsewhere(pair)
            let connection = try await pair.connect()
            try await expectEcho(connection)
            var events = connection.migrationEvents.makeAsyncIterator()
            let plan = MigrationPlan(default: .explicit(destination: MigrationDestination(to)!))
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            await connection.lookForServer()
            try await pair.listener.hold(readiness.epoch)
            try await pair.listener.networkSwitched(to: to, epoch: readiness.epoch)
            try await expectEcho(connection)
            // The search may have begun for silence before the application asked for it, and the two frames
            // come in any order.
            var heard: [ClientMigrationEvent] = []
            while let event = await events.next() {
                heard.append(event)
                if case .moved(_, let address) = event {
                    #expect(address == to)
                    break
                }
            }
            #expect(heard.contains(.announced) && heard.contains(.told(to)))
            #expect(heard.contains(.searching(.application)) || heard.contains(.searching(.silence)))
            await connection.close()
            #expect(await events.next() == nil)
        }
    }

    @Test("Whoever has an iterator misses nothing, however busy the connection's event loop is")
    func eventsFromNowOn() async throws {
        try await Self.withPair(loops: 1) { pair in
            let connection = try await pair.connect()
            let mayGoOn = DispatchSemaphore(value: 0)
            connection.driver.driver.eventLoop.execute { mayGoOn.wait() }
            var events = connection.migrationEvents.makeAsyncIterator()
            connection.driver.migrationAudience?.tell(.announced)
            mayGoOn.signal()
            #expect(await events.next() == .announced)
        }
    }

    @Test("No time passes for connections while their listener is held (Specs/server-migration.md 6.6.2)")
    func standstill() async throws {
        try await Self.withPair(loops: 1) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan(default: .symmetric)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch)
            let loop = pair.listener.loops[0]
            let held = await loop.driver.run { loop.clock.latest }
            try await loop.driver.eventLoop.scheduleTask(in: .milliseconds(2)) {
                // An alarm that was set before the hold.
                loop.handleScheduledCallback(eventLoop: loop.driver.eventLoop)
            }.futureResult.get()
            #expect(await loop.driver.run { loop.now() } == held)
            try await pair.listener.networkSwitched(to: nil, epoch: epoch)
            try await expectEcho(connection)
            #expect(await loop.driver.run { loop.now() } > held)
        }
    }

    @Test("A move that is called off leaves everything as it was", arguments: [0, 1, 2])
    func cancelled(step: Int) async throws {
        try await Self.withPair { pair in
            let (from, to) = (pair.listener.localAddress, Self.elsewhere(pair))
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan.best(to: MigrationDestination(to)!)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            if step > 0 { try await pair.listener.hold(epoch, releasesAddress: step == 2) }
            try await pair.listener.cancelMigration(epoch)
            #expect(pair.listener.localAddress == from)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == from)
            // Of the two ends a copy takes one (Specs/server-migration.md 6.6.2).
            await #expect(throws: MigrationError.refused(.resolved(.cancelled))) {
                try await pair.listener.networkSwitched(to: to, epoch: epoch)
            }
            try await pair.listener.cancelMigration(epoch)
        }
    }

    @Test("An address that was let go of is not shared with whoever has taken it")
    func takenAddress() async throws {
        try await Self.withPair { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan.best(to: MigrationDestination(Self.elsewhere(pair))!)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch, releasesAddress: true)
            let other = try await patiently {
                try SocketDescriptor(bindingTo: pair.listener.localAddress, sharing: .afterwards)
            }
            await #expect(throws: QUICError.self) { try await pair.listener.cancelMigration(epoch) }
            other.close()
            try await pair.listener.cancelMigration(epoch)
            try await expectEcho(connection)
        }
    }

    @Test("Commands may be repeated, and those of other plans are refused (Specs/server-migration.md 6.6)")
    func commands() async throws {
        try await Self.withPair { pair in
            let listener = pair.listener
            #expect(await listener.migrationReadiness == nil)
            await #expect(throws: MigrationError.refused(.stale(current: .none))) {
                try await listener.hold(MigrationEpoch(rawValue: 1))
            }
            let plan = MigrationPlan.best(to: MigrationDestination(Self.elsewhere(pair))!)
            let epoch = MigrationEpoch(rawValue: 5)
            for _ in 0..<2 {
                let readiness = try await listener.prepareMigration(
                    plan, deadline: .seconds(30), epoch: epoch)
                #expect(readiness == MigrationReadiness(epoch: epoch, isFinal: true, outcomes: [:]))
            }
            await #expect(throws: MigrationError.refused(.stale(current: epoch))) {
                try await listener.prepareMigration(
                    plan, deadline: .zero, epoch: MigrationEpoch(rawValue: 4))
            }
            await #expect(throws: MigrationError.refused(.notHeld)) {
                try await listener.networkSwitched(to: nil, epoch: epoch)
            }
            for _ in 0..<2 { try await listener.hold(epoch) }
            #expect(await listener.migrationState.isHeld)
            await #expect(throws: MigrationError.refused(.held)) {
                try await listener.prepareMigration(plan, deadline: .zero)
            }
            for _ in 0..<2 { try await listener.networkSwitched(to: nil, epoch: epoch) }
            #expect(await !listener.migrationState.isOpen)
            try await expectEcho(try await pair.connect())
        }
    }

    @Test(
        "A client that is not ready when the server is held is not closed, and follows (Specs/server-migration.md 7.6)",
        arguments: MigrationStrategy.allCases)
    func heldEarly(strategy: MigrationStrategy) async throws {
        let pool = strategy == .poolOfAddresses ? try Self.pool() : AddressPool()
        try await Self.withPair(pool: pool) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let client = connection.driver.loop
            await client.driver.run { client.hold() }
            let to = pool.addresses.first ?? Self.elsewhere(pair)
            let plan = MigrationPlan(default: MigrationOrder(strategy, to: MigrationDestination(to)!))
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .milliseconds(50))
            // What says nothing before the move is ready without being heard.
            let isSilent = strategy == .symmetric || strategy == .poolOfAddresses
            #expect(isSilent || readiness.ready == 0)
            try await pair.listener.hold(readiness.epoch, releasesAddress: true)
            try await pair.listener.networkSwitched(to: to, epoch: readiness.epoch)
            await client.driver.run { client.resume(at: nil) }
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == to)
        }
    }

    // Holds: W22
    @Test(
        "Clients without the extension are served until the hold, and told then (Specs/server-migration.md 7.6)"
    )
    func leftBehind() async throws {
        try await Self.withPair(offers: []) { pair in
            let connection = try await pair.connect()
            let plan = MigrationPlan.best(to: MigrationDestination(Self.elsewhere(pair))!)
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            #expect(readiness.description == "1 without the extension")
            try await expectEcho(connection)
            try await pair.listener.hold(readiness.epoch)
            guard case .application(0, let reason, byPeer: true) = try await connection.closed else {
                Issue.record("unexpected: \(try await connection.closed)")
                return
            }
            #expect(reason == "the server moves")
            try await pair.listener.networkSwitched(to: nil, epoch: readiness.epoch)
        }
    }

    // Holds: W20
    @Test(
        "Nobody waits for a client that says nothing longer than the deadline (Specs/server-migration.md 7.2.3)"
    )
    func deadline() async throws {
        try await Self.withPair { pair in
            let (dead, alive) = (try await pair.connect(), try await pair.connect())
            for connection in [dead, alive] { try await expectEcho(connection) }
            let loop = dead.driver.loop
            await loop.driver.run { loop.hold() }
            let plan = MigrationPlan.best(to: MigrationDestination(Self.elsewhere(pair))!)
            var events = pair.listener.migrationEvents.makeAsyncIterator()
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .milliseconds(200))
            #expect(readiness.isFinal && readiness.total == 2)
            #expect(readiness.outcomes[await dead.originalDestinationID] == .timedOut)
            // On a busy machine it may be late.
            let id = await alive.originalDestinationID
            while let event = await events.next(),
                event.connectionID != id || event.change != .ready(.combined)
            {}
            #expect(await pair.listener.migrationReadiness?.outcomes[id]?.isReady == true)
            await loop.driver.run { loop.resume(at: nil) }
        }
    }

    // Holds: W21
    @Test("A client that connects while a plan is open joins it (Specs/server-migration.md 7.4.2)")
    func joining() async throws {
        try await Self.withPair { pair in
            let to = Self.elsewhere(pair)
            let plan = MigrationPlan.best(to: MigrationDestination(to)!)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            var events = pair.listener.migrationEvents.makeAsyncIterator()
            let connection = try await pair.connect()
            while let event = await events.next(), event.change != .ready(.combined) {}
            #expect(await pair.listener.migrationReadiness?.description == "1 ready")
            try await pair.listener.hold(epoch)
            try await pair.listener.networkSwitched(to: to, epoch: epoch)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == to)
        }
    }

    @Test("A listener that can't have the new address stays held, and goes to another")
    func failedArrival() async throws {
        try await Self.withPair { pair in
            let to = Self.elsewhere(pair)
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan.best(to: MigrationDestination(to)!)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch)
            await #expect(throws: QUICError.self) {
                // Nobody's address.
                try await pair.listener.networkSwitched(to: NetworkAddress("192.0.2.77:4433")!, epoch: epoch)
            }
            #expect(await pair.listener.migrationState.isHeld)
            try await pair.listener.networkSwitched(to: to, epoch: epoch)
            try await expectEcho(connection)
        }
    }

    @Test("A listener at the wildcard address is where clients were told that it is")
    func wildcard() async throws {
        try await Self.withPair { pair in
            let to = try Self.pool().addresses[0]
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan.best(to: MigrationDestination(to)!)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch, releasesAddress: true)
            let anywhere = NetworkAddress("0.0.0.0:\(to.port)")!
            try await pair.listener.networkSwitched(to: anywhere, epoch: epoch)
            #expect(pair.listener.localAddress == anywhere)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == to)
        }
    }

    @Test("A listener with several addresses has all of them again when it stays", arguments: [true, false])
    func severalAddresses(isCancelled: Bool) async throws {
        try await Self.withPair { pair in
            let (first, second) = (pair.listener.localAddress, Self.elsewhere(pair))
            try await pair.listener.listen(alsoAt: second)
            let plan = MigrationPlan(default: .symmetric)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch, releasesAddress: true)
            if isCancelled {
                try await pair.listener.cancelMigration(epoch)
            } else {
                try await pair.listener.networkSwitched(to: [], epoch: epoch)
            }
            for address in [first, second] {
                let connection = try await QUICConnection.connect(
                    to: "\(address.ip)", port: address.port, configuration: try pair.anyName)
                try await expectEcho(connection)
            }
        }
    }

    // Holds: W24
    @Test("Plans lead to allowed destinations only (Specs/server-migration.md 7.7)")
    func destinations() async throws {
        let allowed = AllowedDestinations([AddressPrefix("192.0.2.0/24")!])
        try await Self.withPair(configure: { $0.allowedDestinations = allowed }) { pair in
            let to = Self.elsewhere(pair)
            await #expect(throws: MigrationError.forbiddenDestination(to)) {
                try await pair.listener.prepareMigration(
                    .best(to: MigrationDestination(to)!), deadline: .seconds(30))
            }
            #expect(await !pair.listener.migrationState.isOpen)
        }
    }

    // Holds: W5
    @Test("A pool changes while clients are there, and the server moves to what is new in it (6.5.3)")
    func poolChanges() async throws {
        let (old, new) = (try Self.pool(), try Self.pool())
        let allowed = AllowedDestinations([AddressPrefix("127.0.0.0/8")!])
        try await Self.withPair(pool: old, configure: { $0.allowedDestinations = allowed }) { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            var events = connection.migrationEvents.makeAsyncIterator()
            #expect(await pair.listener.migrationPool == old)
            for _ in 0..<2 { try await pair.listener.changeMigrationPool(new) }
            #expect(await pair.listener.migrationPool == new)
            var awaited: Set = [ClientMigrationEvent.told(new.addresses[0]), .withdrawn(old.addresses[0])]
            while !awaited.isEmpty, let event = await events.next() { awaited.remove(event) }
            let forbidden = AddressPool([NetworkAddress("192.0.2.1:4433")!])!
            await #expect(throws: MigrationError.forbiddenDestination(forbidden.addresses[0])) {
                try await pair.listener.changeMigrationPool(forbidden)
            }
            #expect(await pair.listener.migrationPool == new)
            let plan = MigrationPlan(default: .poolOfAddresses)
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            #expect(readiness.ready == 1)
            try await pair.listener.hold(readiness.epoch, releasesAddress: true)
            await #expect(throws: MigrationError.refused(.held)) {
                try await pair.listener.changeMigrationPool(old)
            }
            try await pair.listener.networkSwitched(to: new.addresses[0], epoch: readiness.epoch)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == new.addresses[0])
        }
    }

    // Holds: W24
    @Test("A listener with a pool that is not allowed is none (Specs/server-migration.md 7.7)")
    func forbiddenPool() async throws {
        let pool = try Self.pool()
        await #expect(throws: MigrationError.forbiddenDestination(pool.addresses[0])) {
            try await Self.withPair(
                pool: pool,
                configure: { $0.allowedDestinations = AllowedDestinations([AddressPrefix("192.0.2.0/24")!]) }
            ) { _ in }
        }
    }

    @Test(
        "That its host has no way to the server has a client look for it, and ends nothing (Specs/server-migration.md 5.3.1)"
    )
    func unreachable() async throws {
        try await Self.withPair { pair in
            let to = Self.elsewhere(pair)
            let connection = try await pair.connect()
            try await expectEcho(connection)
            var events = connection.migrationEvents.makeAsyncIterator()
            let plan = MigrationPlan(default: .explicit(destination: MigrationDestination(to)!))
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            let (loop, from) = (connection.driver.loop, pair.listener.localAddress)
            func refuse(_ problem: CInt, _ remote: NetworkAddress) async {
                await loop.driver.run {
                    let transmission = Transmission(
                        count: 1200, segmentSize: 1200, remote: remote, local: .anywhere, ecn: .notECT)
                    loop.settle(.refused(problem), transmission, loop.sockets[0], now: loop.now())
                    loop.markBusy()
                }
            }
            // Neither another trouble nor another address says anything about the server.
            await refuse(EPERM, from)
            await refuse(EHOSTUNREACH, NetworkAddress("192.0.2.1:4433")!)
            for problem in [ENETUNREACH, EHOSTUNREACH, ECONNREFUSED] { await refuse(problem, from) }
            var heard: [ClientMigrationEvent] = []
            while heard.last != .stayed, let event = await events.next() { heard.append(event) }
            #expect(heard.contains(.searching(.silence)))
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == from)
            try await pair.listener.cancelMigration(epoch)
        }
    }

    // Holds: W15
    @Test("A copy that the arbiter does not grant stays held (Specs/server-migration.md 6.6.4)")
    func arbiter() async throws {
        let arbiter = OneCopyArbiter()
        try await Self.withPair(configure: { $0.migrationArbiter = arbiter }) { pair in
            let to = Self.elsewhere(pair)
            let plan = MigrationPlan.best(to: MigrationDestination(to)!)
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(30)).epoch
            try await pair.listener.hold(epoch)
            #expect(await arbiter.grants(.switched, of: epoch, to: .init(rawValue: 1)))
            await #expect(throws: MigrationError.anotherCopyGoesOn(epoch)) {
                try await pair.listener.networkSwitched(to: to, epoch: epoch)
            }
            await #expect(throws: MigrationError.anotherCopyGoesOn(epoch)) {
                try await pair.listener.cancelMigration(epoch)
            }
            #expect(await pair.listener.migrationState.isHeld)
        }
    }

    @Test(
        "A client that moves while its server is on its way finds it (Specs/server-migration.md 4.5.4, 5.3.7)",
        arguments: [true, false])
    func bothMove(knowsOfIt: Bool) async throws {
        try await Self.withPair(loops: 1) { pair in
            let to = Self.elsewhere(pair)
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let plan = MigrationPlan(default: .combined(destination: MigrationDestination(to)!))
            let epoch = try await pair.listener.prepareMigration(plan, deadline: .seconds(600)).epoch
            try await pair.listener.hold(epoch, releasesAddress: true)
            let port = await connection.localAddress.port
            if knowsOfIt {
                try await connection.migrate(toLocal: NetworkAddress("127.0.0.5:0")!)
            } else {
                try await connection.rebind()
                #expect(await connection.localAddress.port != port)
            }
            try await pair.listener.networkSwitched(to: to, epoch: epoch)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == to)
        }
    }

    @Test("A server moves to the other address family (Specs/server-migration.md 6.3.5)")
    func families() async throws {
        try await Self.withPair { pair in
            let connection = try await pair.connect()
            try await expectEcho(connection)
            let to = NetworkAddress("[::1]:\(pair.port)")!
            let plan = MigrationPlan.best(to: MigrationDestination(to)!)
            let readiness = try await pair.listener.prepareMigration(plan, deadline: .seconds(30))
            #expect(readiness.ready == 1)
            try await pair.listener.hold(readiness.epoch, releasesAddress: true)
            try await pair.listener.networkSwitched(to: to, epoch: readiness.epoch)
            try await expectEcho(connection)
            #expect(await connection.remoteAddress == to)
        }
    }
}

extension LoopbackPair {
    /// For addresses that the certificate does not name.
    fileprivate var anyName: QUICClientConfiguration {
        get throws {
            var configuration = try QUICClientConfiguration(
                applicationProtocols: [Self.applicationProtocol], trust: .insecureNoVerification)
            configuration.transport.outlastsSlowMachines()
            return configuration
        }
    }
}

/// What would live outside of all copies.
private actor OneCopyArbiter: MigrationArbiter {
    private var arbiter = EpochArbiter()

    func grants(
        _ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, to copy: EpochArbiter.Copy
    ) -> Bool { arbiter.grant(resolution, of: epoch, to: copy) }
}
