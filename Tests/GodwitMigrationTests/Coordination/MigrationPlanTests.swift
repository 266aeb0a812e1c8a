import GodwitMigration
import GodwitWire
import Testing

@Suite("What an operator plans")
struct MigrationPlanTests {
    private let one = ConnectionID([1])!
    private let other = ConnectionID([2])!

    @Test("Connections may move in different ways, to different places (Specs/server-migration.md 7.1.1)")
    func exceptions() throws {
        let plan = MigrationPlan(
            default: .explicit(destination: .new),
            exceptions: [one: .symmetric, other: .explicit(destination: .newer)])
        #expect(plan.orders(for: one) == [.symmetric])
        #expect(plan.orders(for: other) == [.explicit(destination: .newer)])
        #expect(plan.orders(for: ConnectionID([3])!) == [.explicit(destination: .new)])
        #expect(plan.destinations == [.new, .newer])
    }

    @Test("A plan may name some connections only (Specs/server-migration.md 7.1.3)")
    func onlyNamed() throws {
        let plan = MigrationPlan(default: nil, exceptions: [one: .symmetric])
        #expect(plan.input(for: one, .first) == .prepare(.symmetric, .first))
        #expect(plan.input(for: other, .first) == .leaveOut(.first))
    }

    @Test("The best that each client knows (Specs/server-migration.md 7.1.2)")
    func best() throws {
        let input = MigrationPlan.best(to: .new).input(for: one, .first)
        let cases: [(MigrationSuite, Bool, MigrationStrategy)] = [
            (.all, false, .combined), ([], true, .combined), (.basic, false, .explicit),
            ([.poolOfAddresses, .symmetric], false, .symmetric),
            ([.symmetric, .synchronizedSymmetric], false, .synchronizedSymmetric),
            (.poolOfAddresses, false, .poolOfAddresses),
        ]
        for (suite, draft, strategy) in cases {
            var server = try ScriptedServer(
                suite, pool: suite == .poolOfAddresses ? [.new] : [], draft: draft)
            #expect(server.handle(input).events.first == .started(strategy))
        }
        // A pool leaves room for nothing else, so it is the best there is.
        var withPool = try ScriptedServer(.basic, pool: [.new])
        #expect(withPool.handle(input).events.first == .started(.poolOfAddresses))
        // Also for a connection that joins later.
        var late = try ScriptedServer(.basic, pool: [.new], isConfirmed: false)
        late.handle(input)
        #expect(late.handle(.handshakeConfirmed).events.first == .started(.poolOfAddresses))
        var none = try ScriptedServer([])
        #expect(none.handle(input).outcomes == [.obstructed(.notNegotiated)])
    }

    @Test("Orders and outcomes read as the operator sees them")
    func text() {
        #expect(MigrationOrder.explicit(destination: .new).description == "explicit to 198.51.100.7:4433")
        #expect(MigrationOrder.poolOfAddresses.description == "pool of addresses")
        let id = { (number: Int) in ConnectionID([UInt8(number)])! }
        let readiness = MigrationReadiness(
            epoch: .first, isFinal: true,
            outcomes: [
                id(0): .ready(.explicit), id(1): .ready(.symmetric), id(2): .late(.explicit),
                id(3): .preparing(.explicit),
                id(4): .clientMoving(.explicit), id(5): .obstructed(.notNegotiated),
                id(6): .obstructed(.emptyPool),
                id(7): .timedOut, id(8): .closed, id(9): .obstructed(.moveUnderWay),
            ])
        #expect(
            readiness.description == "2 ready, 1 ready after the deadline, 1 not ready yet, "
                + "1 on their way to another address, 1 without the extension, 1 still moving, 1 without a pool, "
                + "1 timed out, 1 closed"
        )
        #expect(readiness.ready == 3 && readiness.total == 10)
        // Only those that can't follow: the others may, ready or not (Specs/server-migration.md 7.6).
        #expect(readiness.leftBehind == [5, 6].map(id))
    }
}
