import GodwitWire
import Testing

@testable import GodwitMigration

@Suite("In which order the thesis's client tries a pool")
struct PoolSchedulerTests {
    private static let pool = [3, 4, 5].map { NetworkAddress("10.99.0.\($0):6666")! }
    private static let current = NetworkAddress("10.99.0.2:6666")!

    private func last(_ address: NetworkAddress?) -> Int { Int(address?.ip.v4 ?? 0) & 0xff }

    @Test("The library begins each cycle where the server was and goes up (Specs/server-migration.md 4.2.4)")
    func libraryOrder() {
        var scheduler = PoolScheduler.libraryOrder
        #expect(scheduler.next(current: Self.current) == nil)
        for address in Self.pool.reversed() + Self.pool { scheduler.insert(address) }
        let order = (0..<9).map { _ in last(scheduler.next(current: Self.current)) }
        #expect(order == [2, 3, 4, 5, 2, 3, 4, 5, 2])
        scheduler.restart()
        #expect(last(scheduler.next(current: Self.current)) == 2)
    }

    @Test(
        "An address of the pool where the server is comes once, and first (Specs/server-migration.md 4.2.4)")
    func currentInPool() {
        var scheduler = PoolScheduler.libraryOrder
        for address in Self.pool { scheduler.insert(address) }
        let order = (0..<4).map { _ in last(scheduler.next(current: Self.pool[1])) }
        #expect(order == [4, 3, 5, 4])
    }

    @Test("What is added during a cycle counts from the next one on (Specs/server-migration.md 4.2.4)")
    func additions() {
        var scheduler = PoolScheduler.libraryOrder
        scheduler.insert(Self.pool[0])
        #expect(last(scheduler.next(current: Self.current)) == 2)
        scheduler.insert(Self.pool[1])
        let order = (0..<4).map { _ in last(scheduler.next(current: Self.current)) }
        #expect(order == [3, 2, 3, 4])
    }

    @Test("The application's shuffle gives the order of the captured run (Specs/server-migration.md 4.2.5)")
    func capturedOrder() {
        // The seed that the application's master seed 1 gives its scheduler, and the addresses that its
        // client pinged. Four times an answer from the old address ended the cycle early.
        var scheduler = PoolScheduler.applicationOrder(seed: 1_412_383_501)
        for address in Self.pool { scheduler.insert(address) }
        for cycle in [[5], [5, 4, 2], [3], [3, 5, 2], [4, 5, 3]] {
            #expect(cycle.map { _ in last(scheduler.next(current: Self.current)) } == cycle)
            scheduler.restart()
        }
    }

    @Test("The application's cycles have every address once, the present one included")
    func shuffledCycles() {
        var scheduler = PoolScheduler.applicationOrder(seed: 3)
        for address in Self.pool { scheduler.insert(address) }
        for _ in 0..<20 {
            let cycle = (0..<4).map { _ in last(scheduler.next(current: Self.current)) }
            #expect(cycle.sorted() == [2, 3, 4, 5])
        }
    }

    @Test("The generator is MT19937, and shuffles as GNU C++ does")
    func generator() {
        var generator = MersenneTwister(seed: 5489)
        // The ten thousandth number, by which the C++ standard defines the generator.
        for _ in 0..<9999 { _ = generator.next() }
        #expect(generator.next() == 4_123_659_995)
        var shuffler = MersenneTwister(seed: 658_037_489)
        var orders: [[Int]] = []
        for _ in 0..<3 {
            var order = [3, 4, 5, 2]
            shuffler.shuffle(&order)
            orders.append(order)
        }
        #expect(orders == [[3, 2, 5, 4], [5, 2, 3, 4], [4, 5, 2, 3]])
    }
}
