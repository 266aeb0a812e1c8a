import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("What links do to datagrams")
struct LinkTests {
    /// Runs one sender against one receiver over a link; headers add 28 bytes to each payload.
    private func run(
        _ parameters: LinkParameters, _ sender: Postbox, seed: UInt64 = 1, for span: TimeSpan = .seconds(60),
        _ prepare: (SimulatedNetwork, LinkID) -> Void = { _, _ in }
    ) -> (receiver: Postbox, network: SimulatedNetwork, link: LinkID) {
        let network = SimulatedNetwork(seed: seed)
        let receiver = Postbox()
        let link = network.addLink(parameters)
        network.addHost("receiver", at: address(2), running: receiver)
        network.addHost("sender", at: address(1), egress: link, running: sender)
        prepare(network, link)
        network.run(for: span)
        return (receiver, network, link)
    }

    @Test("A delay is kept to the nanosecond")
    func delays() {
        let sender = Postbox(3, to: address(2), every: .milliseconds(10))
        let result = run(LinkParameters(delay: .milliseconds(20)), sender)
        #expect(result.receiver.times == milliseconds(20, 30, 40))
        #expect(result.receiver.arrivals[0].remote == address(1))
        #expect(result.receiver.arrivals[0].local == address(2))
    }

    @Test("A rate spaces datagrams exactly, rounding carried over a long train")
    func limitsTheRate() {
        // 1,250 bytes with headers at 1 Mbit/s take 10 ms each.
        let even = run(LinkParameters(rate: .megabitsPerSecond(1)), Postbox(3, size: 1222, to: address(2)))
        #expect(even.receiver.times == milliseconds(10, 20, 30))
        // 100 bytes at 7 Mbit/s take 114,285.714… ns each; seven take 800,000 ns.
        let odd = run(LinkParameters(rate: .megabitsPerSecond(7)), Postbox(14, size: 72, to: address(2)))
        #expect(odd.receiver.times[0] == .nanoseconds(114_285))
        #expect(odd.receiver.times[6] == .microseconds(800))
        #expect(odd.receiver.times[13] == .microseconds(1600))
    }

    @Test("A queue takes as many packets as it holds besides the one on the line, and no more")
    func limitsTheQueueInPackets() {
        let limits = LinkParameters(rate: .megabitsPerSecond(1), queue: QueueLimit(packets: 4))
        let result = run(limits, Postbox(10, size: 1222, to: address(2)))
        #expect(result.receiver.numbers == [0, 1, 2, 3, 4])
        #expect(result.network.trace.counts[.queueFull] == 5)
        #expect(result.network.statistics(of: result.link).longestQueue == 5000)
    }

    @Test("A queue takes as many bytes as it holds, and smaller datagrams where a big one doesn't fit")
    func limitsTheQueueInBytes() {
        let limits = LinkParameters(rate: .megabitsPerSecond(1), queue: QueueLimit(bytes: 2600))
        let sender = Postbox(4, size: 1222, to: address(2))
        sender.letters.append(.init(time: .zero, remote: address(2), bytes: [9]))
        #expect(run(limits, sender).receiver.numbers == [0, 1, 2, 9])
    }

    @Test("An emptied queue takes datagrams again")
    func queueDrains() {
        let limits = LinkParameters(rate: .megabitsPerSecond(1), queue: QueueLimit(packets: 1))
        let result = run(limits, Postbox(6, size: 1222, to: address(2), every: .milliseconds(5)))
        #expect(result.receiver.numbers == [0, 1, 2, 4])
        #expect(result.receiver.times == milliseconds(10, 20, 30, 40))
    }

    @Test("A long queue marks datagrams whose sender understands marks (RFC 3168 section 5)")
    func marksAboveAThreshold() {
        let limits = LinkParameters(
            rate: .megabitsPerSecond(1), queue: QueueLimit(packets: 10, markingThreshold: 2000))
        let marked = run(limits, Postbox(6, size: 1222, to: address(2), ecn: .ect0))
        let ce = ECNCodepoint.congestionExperienced
        #expect(marked.receiver.arrivals.map(\.ecn) == [.ect0, .ect0, .ect0, ce, ce, ce])
        #expect(marked.network.trace.counts[.marked] == 3)
        let unmarked = run(limits, Postbox(6, size: 1222, to: address(2)))
        #expect(unmarked.receiver.arrivals.allSatisfy { $0.ecn == .notECT })
    }

    @Test(
        "A network that mistreats the ECN field",
        arguments: [
            (ECNTreatment.kept, ECNCodepoint.ect0), (.cleared, .notECT), (.remarked, .ect1),
            (.alwaysMarked, .congestionExperienced),
        ])
    func mistreatsECN(treatment: ECNTreatment, expected: ECNCodepoint) {
        let result = run(LinkParameters(ecn: treatment), Postbox(1, to: address(2), ecn: .ect0))
        #expect(result.receiver.arrivals.map(\.ecn) == [expected])
    }

    @Test("A packet bigger than the MTU is dropped, one of its size is not; headers count")
    func limitsTheSize() {
        let sender = Postbox([
            .init(time: .zero, remote: address(2), bytes: [UInt8](repeating: 1, count: 1252)),
            .init(time: .zero, remote: address(2), bytes: [UInt8](repeating: 2, count: 1253)),
        ])
        let result = run(LinkParameters(mtu: 1280), sender)
        #expect(result.receiver.numbers == [1])
        #expect(result.network.trace.counts[.exceedsMTU] == 1)
    }

    @Test("Loss is as frequent as asked for")
    func losesByChance() {
        let result = run(LinkParameters(loss: 0.2), Postbox(2000, to: address(2)))
        #expect(340...460 ~= result.network.trace.counts[.randomLoss])
        #expect(result.receiver.arrivals.count == 2000 - Int(result.network.trace.counts[.randomLoss]))
    }

    @Test("Bursts lose what the model of Gilbert and Elliott says, in runs")
    func losesInBursts() {
        let model = BurstLoss(goodToBad: 0.02, badToGood: 0.2)
        #expect(abs(model.averageLoss - 1.0 / 11) < 1e-9)
        var random = DeterministicRandom(seed: 1)
        var state = BurstLossState()
        let losses = (0..<50_000).map { _ in state.loses(model, random: &random) }
        let lost = losses.count { $0 }
        #expect(0.08...0.1 ~= Double(lost) / 50_000)
        let bursts = zip(losses, losses.dropFirst()).count { !$0 && $1 }
        // Five in a row on average.
        #expect(4.5...5.5 ~= Double(lost) / Double(bursts))
    }

    @Test("A burst does not wait for a protocol that backs off")
    func endsBurstsInTime() {
        let model = BurstLoss(goodToBad: 0, badToGood: 0)
        var random = DeterministicRandom(seed: 1)
        var state = BurstLossState()
        _ = state.loses(BurstLoss(goodToBad: 1, badToGood: 0), random: &random)
        state.passTime(until: .zero + .milliseconds(900))
        #expect(state.loses(model, random: &random))
        state.passTime(until: .zero + .seconds(2))
        #expect(!state.loses(model, random: &random))
    }

    @Test("A link loses in bursts what its model says")
    func appliesBursts() {
        let model = BurstLoss(goodToBad: 1, badToGood: 1)
        let result = run(LinkParameters(burstLoss: model), Postbox(6, to: address(2)))
        #expect(result.receiver.numbers == [1, 3, 5])
        #expect(result.network.trace.counts[.burstLoss] == 3)
    }

    @Test("A datagram that is held back is overtaken")
    func reorders() {
        let held = Reordering(probability: 0.1, delay: .milliseconds(5))
        let parameters = LinkParameters(delay: .milliseconds(10), reordering: held)
        let result = run(parameters, Postbox(200, to: address(2), every: .milliseconds(1)))
        #expect(result.receiver.numbers.sorted() == (0..<200).map { UInt8($0) })
        let overtaken = zip(result.receiver.numbers, result.receiver.numbers.dropFirst()).count { $0 > $1 }
        #expect(8...35 ~= overtaken, "\(overtaken)")
    }

    @Test("Jitter varies the delay within its bounds and keeps the order")
    func jitters() {
        let parameters = LinkParameters(delay: .milliseconds(10), jitter: .milliseconds(30))
        let result = run(parameters, Postbox(100, to: address(2), every: .milliseconds(2)))
        #expect(result.receiver.numbers == (0..<100).map { UInt8($0) })
        let delays = result.receiver.times.enumerated().map { $1 - .milliseconds(2 * Int64($0)) }
        #expect(delays.allSatisfy { $0 >= .milliseconds(10) && $0 <= .milliseconds(40) })
        #expect(Set(delays).count > 50)
    }

    @Test("A duplicated datagram arrives twice")
    func duplicates() {
        let result = run(LinkParameters(duplication: 1), Postbox(3, to: address(2)))
        #expect(result.receiver.numbers.sorted() == [0, 0, 1, 1, 2, 2])
        #expect(result.network.datagramsUnderWay == 0)
    }

    @Test("A corrupted datagram arrives with a few bits flipped, in its payload only")
    func corrupts() {
        let result = run(LinkParameters(corruption: 1), Postbox(20, size: 500, to: address(2)))
        #expect(result.receiver.arrivals.count == 20)
        for (number, arrival) in result.receiver.arrivals.enumerated() {
            var expected = [UInt8](repeating: 0, count: 500)
            expected[0] = UInt8(number)
            let flipped = zip(arrival.bytes, expected).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            #expect(1...8 ~= flipped)
            #expect(arrival.remote == address(1))
        }
    }

    @Test("A black hole swallows for its time, once or again and again")
    func swallows() {
        let once = Outage.between(.zero + .milliseconds(20), .zero + .milliseconds(50))
        let sender = Postbox(8, to: address(2), every: .milliseconds(10))
        #expect(run(LinkParameters(outages: [once]), sender).receiver.numbers == [0, 1, 5, 6, 7])

        let repeated = Outage.repeating(
            from: .zero + .milliseconds(10), every: .milliseconds(40), lasting: .milliseconds(20))
        let again = Postbox(8, to: address(2), every: .milliseconds(10))
        let result = run(LinkParameters(outages: [repeated]), again)
        #expect(result.receiver.numbers == [0, 3, 4, 7])
        #expect(result.network.trace.counts[.blackHole] == 4)
    }

    @Test("Parameters change at the time asked for; what is on the line stays as it was")
    func changes() {
        let sender = Postbox(4, size: 1222, to: address(2))
        let before = LinkParameters(delay: .milliseconds(50), rate: .megabitsPerSecond(1))
        let after = LinkParameters(delay: .milliseconds(5), rate: .megabitsPerSecond(10))
        let result = run(before, sender) { network, link in
            network.schedule(at: .zero + .milliseconds(15)) { $0.change(link, to: after) }
        }
        // The first left at 10 ms; the second was on the line until 20 ms, the others take 1 ms each.
        #expect(result.receiver.numbers == [1, 2, 3, 0])
        #expect(result.receiver.times == milliseconds(25, 26, 27, 60))
    }

    @Test("A rate limit that is lifted lets the queue out first")
    func liftsTheRate() {
        let sender = Postbox(3, size: 1222, to: address(2))
        sender.letters.append(.init(time: .milliseconds(6), remote: address(2), bytes: [7]))
        let result = run(LinkParameters(rate: .megabitsPerSecond(1)), sender) { network, link in
            network.schedule(at: .zero + .milliseconds(5)) { $0.change(link, to: LinkParameters()) }
        }
        #expect(result.receiver.numbers == [0, 1, 2, 7])
        #expect(result.receiver.times == milliseconds(10, 10, 10, 10))
    }

    @Test("Hosts that share a link share its rate and its queue")
    func shares() {
        let network = SimulatedNetwork(seed: 1)
        let receiver = Postbox()
        let link = network.addLink(LinkParameters(rate: .megabitsPerSecond(1), queue: QueueLimit(packets: 2)))
        network.addHost("receiver", at: address(2), running: receiver)
        for number in 10..<14 as Range<UInt32> {
            let sender = Postbox(1, size: 1222, to: address(2))
            network.addHost("sender \(number)", at: address(number), egress: link, running: sender)
        }
        network.run(for: .seconds(1))
        #expect(receiver.arrivals.map(\.remote) == [address(10), address(11), address(12)])
        #expect(receiver.times == milliseconds(10, 20, 30))
    }

    @Test("A route sends what goes to one destination over a link of its own")
    func routes() {
        let network = SimulatedNetwork(seed: 1)
        let (near, far) = (Postbox(), Postbox())
        let short = network.addLink(LinkParameters(delay: .milliseconds(18)))
        let long = network.addLink(LinkParameters(delay: .milliseconds(122)))
        network.addHost("near", at: address(2), running: near)
        network.addHost("far", at: address(3), running: far)
        let sender = Postbox([
            .init(time: .zero, remote: address(2), bytes: [1]),
            .init(time: .zero, remote: address(3), bytes: [2]),
        ])
        let interface = Interface(address(1), egress: short, routes: [Route(to: address(3).ip, over: long)])
        network.addHost("sender", interfaces: [interface], running: sender)
        network.run(for: .seconds(1))
        #expect(near.times == milliseconds(18))
        #expect(far.times == milliseconds(122))
    }
}
