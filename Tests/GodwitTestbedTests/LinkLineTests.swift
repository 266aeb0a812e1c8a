import GodwitSimulator
import Testing

@testable import GodwitTestbed

@Suite struct LinkLineTests {
    private static let millisecond: UInt64 = 1_000_000

    private func line(
        delay: Double = 0, jitter: Double = 0, rate: UInt64? = nil, queue: Int = 1000, loss: Double = 0
    ) -> LinkLine {
        LinkLine(
            PlanLink(delay: delay, jitter: jitter, rate: rate, queue: queue), loss: loss,
            DeterministicRandom(seed: 1))
    }

    @Test("Without a rate a datagram arrives after the delay, and before it is over with the jitter")
    func delay() {
        var line = line(delay: 122, jitter: 0.4)
        for index in 0..<100 {
            let now = UInt64(index) * 10 * Self.millisecond
            let arrival = line.admit(size: 1200, now: now) ?? 0
            #expect((122 * Self.millisecond...122_400_000).contains(arrival - now))
        }
    }

    @Test("A link's own loss takes the place of the series' half, each way by itself")
    func ownLoss() throws {
        var network = try #require(try PlanLibrary.plan(0, isQuick: true).networks["wan"])
        (network.source.toServer.loss, network.source.toClient.loss) = (0.5, 0)
        var lines = LinkLines(network, loss: 0.6, DeterministicRandom(seed: 1))
        var arrived = (there: 0, back: 0, elsewhere: 0)
        for index in 0..<2000 {
            let now = UInt64(index) * Self.millisecond
            func count(_ arrival: UInt64?) -> Int { arrival == nil ? 0 : 1 }
            arrived.there += count(lines.admit(toServerAt: 0, isSwapped: false, size: 100, now: now))
            arrived.back += count(lines.admit(toClientFrom: 0, size: 100, now: now))
            arrived.elsewhere += count(lines.admit(toServerAt: 1, isSwapped: false, size: 100, now: now))
        }
        #expect((900...1100).contains(arrived.there))
        #expect(arrived.back == 2000)
        #expect((1300...1500).contains(arrived.elsewhere))
    }

    @Test("Chance adds time, but lets no datagram overtake another")
    func order() {
        var line = line(delay: 10, jitter: 5)
        let arrivals = (0..<200).compactMap { line.admit(size: 100, now: $0 * 1000) }
        #expect(arrivals.count == 200)
        #expect(arrivals == arrivals.sorted())
        #expect(Set(arrivals).count > 5)
    }

    @Test("A line of some rate takes its time for each datagram and its headers, one after the other")
    func rate() {
        // 1222 bytes and 28 of headers are 10,000 bits: a millisecond at 10 Mbit/s.
        var line = line(delay: 5, rate: 10)
        let arrivals = (0..<3).map { _ in line.admit(size: 1222, now: 0) }
        #expect(arrivals == [6, 7, 8].map { $0 * Self.millisecond })
        // An idle line has nothing to catch up with.
        #expect(line.admit(size: 1222, now: 100 * Self.millisecond) == 106 * Self.millisecond)
    }

    @Test(
        "A queue takes as many as it has room for besides the one on the line, and then those whose turn has come"
    )
    func queue() {
        var line = line(rate: 10, queue: 2)
        #expect(
            (0..<5).map { _ in line.admit(size: 1222, now: 0) != nil } == [true, true, true, false, false])
        #expect(line.admit(size: 1222, now: Self.millisecond) == 4 * Self.millisecond)
        #expect(line.admit(size: 1222, now: Self.millisecond) == nil)
    }

    @Test("As many are lost as the plan says, half of a round trip's in each direction")
    func loss() {
        let path = PlanPath(
            toServer: PlanLink(delay: 1, jitter: 0, rate: nil, queue: 10),
            toClient: PlanLink(delay: 0, jitter: 0, rate: nil, queue: 10))
        var lines = LinkLines(
            PlanNetwork(source: path, destination: path, symmetric: false), loss: 0.2,
            DeterministicRandom(seed: 3))
        let out = (0..<10_000).filter {
            lines.admit(toServerAt: 0, isSwapped: false, size: 100, now: $0) == nil
        }
        let back = (0..<10_000).filter { lines.admit(toClientFrom: 1, size: 100, now: $0) == nil }
        #expect((900...1100).contains(out.count))
        #expect((900...1100).contains(back.count))
        #expect(out != back)
    }

    @Test("What is larger than networks carry never arrives, so that nobody finds larger packets on loopback")
    func largest() {
        var line = line()
        #expect(line.admit(size: 1472, now: 0) != nil)
        #expect(line.admit(size: 1473, now: 0) == nil)
    }

    @Test("In the client's other network near is far")
    func swapped() {
        func path(_ delay: Double) -> PlanPath {
            PlanPath(
                toServer: PlanLink(delay: delay, jitter: 0, rate: nil, queue: 10),
                toClient: PlanLink(delay: 0, jitter: 0, rate: nil, queue: 10))
        }
        var lines = LinkLines(
            PlanNetwork(source: path(15), destination: path(119), symmetric: false), loss: 0,
            DeterministicRandom(seed: 1))
        let arrivals = [false, true].flatMap { isSwapped in
            (0..<2).map { lines.admit(toServerAt: $0, isSwapped: isSwapped, size: 1, now: 0) }
        }
        #expect(arrivals == [15, 119, 119, 15].map { $0 * Self.millisecond })
    }
}
