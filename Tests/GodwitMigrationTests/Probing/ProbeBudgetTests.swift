import GodwitWire
import Testing

@testable import GodwitMigration

@Suite("What challenges may cost somebody else")
struct ProbeBudgetTests {
    /// Sends whenever it may, to each address in turn, and returns when.
    private func spendAll(on addresses: [NetworkAddress], until end: Instant) -> [(Instant, NetworkAddress)] {
        var (budget, now, sent) = (ProbeBudget(), Instant.zero, [(Instant, NetworkAddress)]())
        while now < end {
            for address in addresses where budget.opensAt(for: address) <= now {
                budget.spend(on: address, at: now)
                sent.append((now, address))
            }
            let next = addresses.map { budget.opensAt(for: $0) }.min() ?? end
            now = max(now + .milliseconds(1), next)
        }
        return sent
    }

    private func most(_ times: [Instant], in window: TimeSpan) -> Int {
        times.indices.map { first in times[first...].prefix { $0 < times[first] + window }.count }.max() ?? 0
    }

    // Holds: W2
    @Test(
        "No more than 64 unanswered challenges to an address in any minute (Specs/server-migration.md 5.5.1)")
    func perAddress() {
        let times = spendAll(on: [.new], until: .zero + .seconds(300)).map(\.0)
        #expect((60...64).contains(most(times, in: .seconds(60))))
        #expect(times.count > 200)
    }

    // Holds: W2
    @Test(
        "However many ports of it are named, a host gets no more than 64 a minute (Specs/server-migration.md 5.5.1)",
        arguments: [2, 4, 8])
    func perHost(ports: Int) {
        let addresses = (1...ports).map { NetworkAddress(ip: NetworkAddress.new.ip, port: 4430 + UInt16($0)) }
        let times = spendAll(on: addresses, until: .zero + .seconds(300)).map(\.0)
        #expect((60...64).contains(most(times, in: .seconds(60))))
        #expect(times.count > 200)
    }

    // Specs/server-migration.md 5.5.2
    // Holds: W2
    @Test(
        "No more than 256 from a connection in any minute, to however many addresses"
    )
    func perConnection() {
        let addresses = (0..<12).map { NetworkAddress.other($0) }
        let times = spendAll(on: addresses, until: .zero + .seconds(200)).map(\.0)
        #expect((250...256).contains(most(times, in: .seconds(60))))
    }

    @Test("What is left of a minute's allowance is spread over the minute (Specs/server-migration.md 5.5.3)")
    func spread() {
        let times = spendAll(on: [.new], until: .zero + .seconds(60)).map(\.0)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect((gaps.max() ?? .zero) <= .milliseconds(7600))
        #expect(times.prefix(56).last! < .zero + .milliseconds(100))
    }

    @Test("An address that answers has asked for what it got (Specs/server-migration.md 5.5.4)")
    func answered() {
        var budget = ProbeBudget()
        for index in 0..<64 {
            budget.spend(on: .new, at: .zero + .milliseconds(Int64(index)))
            budget.spend(on: .newer, at: .zero + .milliseconds(Int64(index)))
        }
        #expect(budget.opensAt(for: .new) > .zero + .seconds(50))
        budget.onAnswer(from: .new)
        #expect(budget.opensAt(for: .new) <= .zero)
        #expect(budget.opensAt(for: .newer) > .zero + .seconds(50))
    }

    @Test("A port that answers does not speak for the others of its host (Specs/server-migration.md 5.5.4)")
    func otherPortAnswered() {
        let (first, second) = (NetworkAddress.new, NetworkAddress(ip: NetworkAddress.new.ip, port: 9))
        var budget = ProbeBudget()
        for _ in 0..<64 { budget.spend(on: second, at: .zero) }
        budget.onAnswer(from: first)
        #expect(budget.opensAt(for: first) == .zero + .seconds(60))
        budget.onAnswer(from: second)
        #expect(budget.opensAt(for: first) <= .zero)
    }

    @Test("A freeze forgives nothing")
    func freeze() {
        var budget = ProbeBudget()
        for _ in 0..<64 { budget.spend(on: .new, at: .zero) }
        budget.shift(by: .seconds(1000))
        #expect(budget.opensAt(for: .new) == .zero + .seconds(1060))
        budget.expire(at: .zero + .seconds(1059))
        #expect(budget.count == 64)
        budget.expire(at: .zero + .seconds(1060))
        #expect(budget.count == 0)
    }
}
