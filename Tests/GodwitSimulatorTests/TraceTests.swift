import GodwitSimulator
import GodwitWire
import Testing

@Suite("Same seed, same trace")
struct TraceTests {
    private static let everything = LinkParameters(
        delay: .milliseconds(20), jitter: .milliseconds(5), rate: .megabitsPerSecond(5),
        queue: QueueLimit(packets: 30, markingThreshold: 5000), loss: 0.05,
        burstLoss: BurstLoss(goodToBad: 0.01, badToGood: 0.3),
        reordering: Reordering(probability: 0.05, delay: .milliseconds(8)), duplication: 0.03,
        corruption: 0.03)

    private func network(seed: UInt64, tracing: TraceDetail = [], fill: UInt8 = 0) -> SimulatedNetwork {
        let network = SimulatedNetwork(seed: seed, tracing: tracing)
        let up = network.addLink(Self.everything, named: "up")
        let down = network.addLink(Self.everything, named: "down")
        let translator = network.addTranslator(
            "translator", .symmetric, at: [IPAddress(v4: 0xcb00_7101)], egress: up, ingress: down)
        let client = Postbox(100, size: 600, to: address(1), every: .microseconds(500), ecn: .ect0)
        for index in client.letters.indices { client.letters[index].bytes[5] = fill }
        network.addHost("server", at: address(1), running: Echo())
        network.addHost("client", at: privateAddress(2), behind: translator, running: client)
        return network
    }

    @Test("Two runs of a seed have the same hash and the same events; another seed has others")
    func repeats() {
        let runs = ([7, 7, 8] as [UInt64]).map { seed in
            let network = network(seed: seed, tracing: .events)
            network.run(for: .seconds(3))
            return network
        }
        #expect(runs[0].trace.hash == runs[1].trace.hash)
        #expect(runs[0].trace.events == runs[1].trace.events)
        #expect(runs[0].trace.hash != runs[2].trace.hash)
        #expect(runs[0].trace.counts[.dropped] > 0 && runs[0].trace.counts[.marked] > 0)
        #expect(runs[0].trace.counts[.duplicated] > 0 && runs[0].trace.counts[.corrupted] > 0)
    }

    @Test("How a run is cut into pieces makes no difference")
    func runsInPieces() {
        let (whole, pieces) = (network(seed: 7), network(seed: 7))
        whole.run(for: .seconds(3))
        for _ in 0..<300 { pieces.run(for: .milliseconds(10)) }
        #expect(whole.trace.hash == pieces.trace.hash)
    }

    @Test("A further node leaves the chance of the others as it was")
    func addingANodeChangesNothing() {
        let (alone, together) = (network(seed: 7, tracing: .events), network(seed: 7, tracing: .events))
        let other = together.addLink(Self.everything, named: "other")
        let sender = Postbox(100, size: 600, to: address(50), every: .milliseconds(1))
        together.addHost("bystander", at: address(51), egress: other, running: sender)
        together.addHost("other bystander", at: address(50), running: Postbox())
        for network in [alone, together] { network.run(for: .seconds(3)) }
        let involved = together.trace.events.filter { event in
            ![event.source, event.destination].contains { $0.ip == address(50).ip || $0.ip == address(51).ip }
        }
        // Only the numbers of the datagrams differ, which are counted over all hosts.
        #expect(involved.map(\.time) == alone.trace.events.map(\.time))
        #expect(involved.map(\.kind) == alone.trace.events.map(\.kind))
        #expect(involved.map(\.source) == alone.trace.events.map(\.source))
    }

    @Test("Payloads are part of the hash only on request")
    func hashesPayloads() {
        func hash(_ tracing: TraceDetail, _ fill: UInt8) -> UInt64 {
            let network = network(seed: 7, tracing: tracing, fill: fill)
            network.run(for: .seconds(3))
            return network.trace.hash
        }
        #expect(hash([], 1) == hash([], 2))
        #expect(hash(.payloads, 1) != hash(.payloads, 2))
        #expect(hash(.payloads, 1) == hash(.payloads, 1))
    }

    @Test("A word that a program adds changes the hash")
    func notes() {
        final class Noter: SimulatedProgram {
            let word: UInt64
            init(_ word: UInt64) { self.word = word }
            var nextDeadline: Instant? { nil }
            func start(on host: SimulatedHost, now: Instant) { host.trace(word) }
            func receive(
                _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
                to local: NetworkAddress, ecn: ECNCodepoint, now: Instant
            ) {}
            func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission?
            { nil }
            func handleDeadline(now: Instant) {}
        }
        let hashes = ([1, 1, 2] as [UInt64]).map { word in
            let network = SimulatedNetwork(seed: 1)
            network.addHost("host", at: address(1), running: Noter(word))
            network.run(for: .seconds(1))
            return network.trace.hash
        }
        #expect(hashes[0] == hashes[1])
        #expect(hashes[0] != hashes[2])
    }

    @Test("The log says in words what happened to each datagram")
    func logs() {
        let network = SimulatedNetwork(seed: 1, tracing: .events)
        let up = network.addLink(LinkParameters(delay: .milliseconds(20), mtu: 1280), named: "up")
        let sender = Postbox(1, to: address(2), ecn: .ect0)
        sender.letters.append(
            .init(time: .milliseconds(1), remote: address(2), bytes: [UInt8](repeating: 0, count: 1400)))
        let receiver = network.addHost("receiver", at: address(2), running: Postbox())
        network.addHost("sender", at: address(1), egress: up, running: sender)
        network.schedule(at: .zero + .milliseconds(30)) { $0.freeze(receiver) }
        network.run(for: .seconds(1))
        let lines = network.log.split(separator: "\n").map { line in
            line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            lines == [
                "0.000000 s sent #0 100 B 192.0.2.1:443 → 192.0.2.2:443 ect0 at sender",
                "0.001000 s sent #1 1400 B 192.0.2.1:443 → 192.0.2.2:443 at sender",
                "0.001000 s dropped (exceedsMTU) #1 1400 B 192.0.2.1:443 → 192.0.2.2:443 at up",
                "0.020000 s delivered #0 100 B 192.0.2.1:443 → 192.0.2.2:443 ect0 at receiver",
                "0.030000 s frozen at receiver",
            ])
        #expect(network.trace.counts.description == "sent 2, delivered 1, dropped 1, frozen 1 (exceedsMTU 1)")
    }
}
