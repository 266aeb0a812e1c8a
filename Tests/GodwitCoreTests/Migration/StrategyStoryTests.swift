import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("A server that moves, and a client that follows (Specs/server-migration.md 4)")
struct StrategyStoryTests {
    static let destination = MigrationDestination(MovingPair.there)!
    static let orders: [MigrationOrder] = [
        .explicit(destination: destination), .poolOfAddresses, .symmetric, .synchronizedSymmetric,
        .combined(destination: destination),
    ]

    private func pair(_ order: MigrationOrder, extended: Bool, policy: MigrationPolicy = .godwit)
        -> MovingPair
    {
        let suite: MigrationSuite = extended ? .all : order.strategy.suite
        let pool = order == .poolOfAddresses ? [MovingPair.elsewhere, MovingPair.there] : []
        return MovingPair(suite, pool: pool, policy: policy)
    }

    @Test("With the extension: the client finds it, and requests go on", arguments: orders)
    func extended(_ order: MigrationOrder) throws {
        let moving = pair(order, extended: true)
        try moving.establish()
        #expect(try moving.request() != nil)
        #expect(try moving.prepare(order) == .ready(order.strategy))
        try moving.move()
        let latency = try #require(try moving.request())
        #expect(latency < .milliseconds(120))
        #expect(moving.client.remoteAddress == MovingPair.there)
        #expect(moving.serverEvents.last == .completed(order.strategy))
    }

    @Test(
        "Without it: the thesis's strategies on the wire, our client behind them", arguments: orders.prefix(4)
    )
    func basic(_ order: MigrationOrder) throws {
        let moving = pair(order, extended: false)
        try moving.establish()
        try moving.expectMove(order)
    }

    @Test("Both as the thesis's program does", arguments: orders.prefix(4))
    func thesis(_ order: MigrationOrder) throws {
        let moving = pair(order, extended: false, policy: .thesis)
        try moving.establish()
        try moving.expectMove(order, answerWithin: .seconds(20))
    }
}
