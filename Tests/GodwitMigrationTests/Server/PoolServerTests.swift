import GodwitMigration
import GodwitWire
import Testing

@Suite("A server with a pool of addresses")
struct PoolServerTests {
    private let pool = [NetworkAddress.new, .newer, .other(50)]

    private func told(_ addresses: [NetworkAddress]) -> [MigrationFrame] {
        addresses.map { .poolMigrationAddress(MigrationAddress($0)) }
    }

    // Specs/server-migration.md 4.2.2
    @Test(
        "It tells the pool when the handshake is confirmed, and is ready when all of it is acknowledged"
    )
    func story() throws {
        var server = try ScriptedServer(.basic, pool: pool)
        #expect(server.frames == told(pool))
        #expect(server.acknowledgeAll(server.sent).isEmpty)
        #expect(server.handle(.prepare(.poolOfAddresses, .first)).outcomes == [.ready(.poolOfAddresses)])
    }

    @Test("A plan waits for what of the pool is unacknowledged (Specs/server-migration.md 4.2.3)")
    func readiness() throws {
        var server = try ScriptedServer(.basic, pool: pool)
        let frames = server.sent
        #expect(server.handle(.prepare(.poolOfAddresses, .first)).outcomes == [.preparing(.poolOfAddresses)])
        #expect(server.frames.isEmpty)
        for frame in frames.dropLast() { #expect(server.handle(.frameAcknowledged(frame.id)).isEmpty) }
        #expect(server.handle(.frameAcknowledged(frames[2].id)).outcomes == [.ready(.poolOfAddresses)])
        #expect(server.move(to: .newer).isEmpty)
        #expect(server.frames.isEmpty && server.machine.deadline == nil)
        #expect(server.handle(.pathResponseAcknowledged).events == [.completed(.poolOfAddresses)])
        // The pool is good for the next move, without another word.
        #expect(server.handle(.prepare(.poolOfAddresses, .second)).outcomes == [.ready(.poolOfAddresses)])
    }

    @Test("A client that doesn't know pools is told none (Specs/server-migration.md 4.2.2)")
    func notNegotiated() throws {
        var server = try ScriptedServer(.explicit, pool: pool)
        #expect(server.frames.isEmpty)
        #expect(
            server.handle(.prepare(.poolOfAddresses, .first)).outcomes == [
                .obstructed(.strategyNotNegotiated)
            ])
    }

    @Test("Without addresses there is no moving by pool (Specs/server-migration.md 7.3)")
    func empty() throws {
        var server = try ScriptedServer(.basic)
        #expect(server.handle(.prepare(.poolOfAddresses, .first)).outcomes == [.obstructed(.emptyPool)])
        // An empty pool is in nobody's way.
        #expect(server.handle(.prepare(.symmetric, .first)).outcomes == [.ready(.symmetric)])
    }

    // Specs/server-migration.md 4.2.6
    // Holds: W5
    @Test(
        "Without the extension a pool leaves room for nothing else, with it for everything"
    )
    func exclusive() throws {
        let orders: [MigrationOrder] = [.explicit(destination: .new), .symmetric, .synchronizedSymmetric]
        for order in orders {
            var server = try ScriptedServer(.basic, pool: pool)
            #expect(server.handle(.prepare(order, .first)).outcomes == [.obstructed(.onlyPool)])
            #expect(server.frames.isEmpty)
            var extended = try ScriptedServer(.all, pool: pool)
            let outcomes = extended.handle(.prepare(order, .first)).outcomes
            #expect(outcomes == [order == .symmetric ? .ready(.symmetric) : .preparing(order.strategy)])
        }
    }

    // Specs/server-migration.md 6.5.3
    // Holds: W5
    @Test(
        "With the extension the pool changes, before, between and during moves"
    )
    func change() throws {
        var server = try ScriptedServer(.all, pool: pool)
        let frames = server.sent
        // Specs/server-migration.md 6.1.5: that a move is near is said by naming the pool again.
        server.handle(.prepare(.poolOfAddresses, .first))
        #expect(server.frames.count == 3)
        server.handle(.frameAcknowledged(frames[0].id))
        server.handle(.changePool(AddressPool([NetworkAddress.newer, .other(60)])!))
        #expect(
            server.frames == [
                .alternativeAddress(.init(address: .new, sequenceNumber: 3, isRetired: true)),
                .alternativeAddress(.init(address: .other(50), sequenceNumber: 4, isRetired: true)),
                .alternativeAddress(.init(address: .other(60), sequenceNumber: 5)),
            ])
        // What was told of the address that is gone is not sent again.
        server.handle(.frameLost(frames[2].id))
        let changes = server.sent
        #expect(server.frames.isEmpty && changes.isEmpty)
        #expect(server.handle(.frameAcknowledged(frames[1].id)).isEmpty)
        #expect(server.machine.outcome == .preparing(.poolOfAddresses))
    }

    // Specs/server-migration.md 6.1.5, 7.2
    @Test(
        "A plan that comes before a change of the pool is acknowledged waits for the frame that took its place"
    )
    func changeBeforePlan() throws {
        var server = try ScriptedServer(.all, pool: pool)
        for frame in server.sent { server.handle(.frameAcknowledged(frame.id)) }
        server.handle(.changePool(AddressPool([NetworkAddress.other(60)])!))
        let changes = server.sent
        let outcomes = server.handle(.prepare(.poolOfAddresses, .first)).outcomes
        #expect(outcomes == [.preparing(.poolOfAddresses)])
        let names = server.sent
        // The frame about the address was withdrawn for one that says the same.
        for frame in changes { server.handle(.frameAcknowledged(frame.id)) }
        for frame in names { server.handle(.frameAcknowledged(frame.id)) }
        #expect(server.machine.outcome == .ready(.poolOfAddresses))
    }

    @Test("Without the extension a change of the pool is not told (Specs/server-migration.md 6.5.3)")
    func noChange() throws {
        var server = try ScriptedServer(.basic, pool: pool)
        #expect(server.handle(.changePool(AddressPool([NetworkAddress.other(60)])!)).isEmpty)
        #expect(server.frames.isEmpty)
    }

    // Specs/server-migration.md 6.5.3
    @Test(
        "An address of the pool is not withdrawn when a plan that names it is called off"
    )
    func keptByPool() throws {
        var server = try ScriptedServer(.all, pool: pool)
        server.handle(.prepare(.explicit(destination: .new), .first))
        server.handle(.cancel(.first))
        #expect(server.frames.isEmpty)
    }
}
