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
        let agreement = try MigrationAgreement.of(.basic)
        #expect(plan.order(for: one, agreement) == .symmetric)
        #expect(plan.order(for: other, agreement) == .explicit(destination: .newer))
        #expect(plan.order(for: ConnectionID([3])!, agreement) == .explicit(destination: .new))
        #expect(plan.destinations == [.new, .newer])
    }

    @Test("A plan may name some connections only (Specs/server-migration.md 7.1.3)")
    func onlyNamed() throws {
        let plan = MigrationPlan(default: nil, exceptions: [one: .symmetric])
        #expect(plan.order(for: one, try .of(.basic)) == .symmetric)
        #expect(plan.order(for: other, try .of(.basic)) == nil)
    }

    @Test("The best that each client knows (Specs/server-migration.md 7.1.2)")
    func best() throws {
        let plan = MigrationPlan.best(to: .new)
        let cases: [(MigrationSuite, Bool, MigrationStrategy)] = [
            (.all, false, .combined), ([], true, .combined), (.basic, false, .explicit),
            ([.poolOfAddresses, .symmetric], false, .symmetric),
            ([.symmetric, .synchronizedSymmetric], false, .synchronizedSymmetric),
            (.poolOfAddresses, false, .poolOfAddresses),
        ]
        for (suite, draft, strategy) in cases {
            #expect(plan.order(for: one, try .of(suite, draft: draft))?.strategy == strategy)
        }
        // A client that knows none is still told by the first, so that the obstacle is named.
        #expect(plan.order(for: one, .none)?.strategy == .combined)
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
                id(7): .timedOut, id(8): .closed,
            ])
        #expect(
            readiness.description == "2 ready, 1 ready after the deadline, 1 not ready yet, "
                + "1 on their way to another address, 1 without the extension, 1 without a pool, "
                + "1 timed out, 1 closed"
        )
        #expect(readiness.ready == 3 && readiness.total == 9)
        #expect(readiness.leftBehind == [3, 4, 5, 6, 7].map(id))
    }
}
