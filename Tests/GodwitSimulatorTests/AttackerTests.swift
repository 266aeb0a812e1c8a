import GodwitSimulator
import GodwitWire
import Testing

@Suite("Attackers that copy datagrams (RFC 9000 section 21.1.1)")
struct AttackerTests {
    private struct Scene {
        let network = SimulatedNetwork(seed: 1)
        let server = Postbox()
        let client: Postbox
        let attacker: AttackerID

        /// The client's way out takes 50 ms.
        init(_ parameters: AttackerParameters, count: Int = 1) {
            let up = network.addLink(LinkParameters(delay: .milliseconds(50)))
            client = Postbox(count, to: address(1), every: .milliseconds(1))
            network.addHost("server", at: address(1), running: server)
            network.addHost("client", at: address(2), egress: up, running: client)
            attacker = network.addAttacker("attacker", at: address(66), listeningOn: [up], parameters)
        }
    }

    @Test("A replayed datagram comes again, late, from the same address")
    func replays() {
        let scene = Scene(AttackerParameters(delay: .seconds(2)))
        scene.network.run(for: .seconds(5))
        #expect(scene.server.times == milliseconds(50, 2000))
        #expect(scene.server.arrivals.map(\.remote) == [address(2), address(2)])
        #expect(scene.network.trace.counts[.forged] == 1)
    }

    @Test("A forwarded copy overtakes the original and seems to come from elsewhere (RFC 9000 section 9.3.3)")
    func forwards() {
        let scene = Scene(AttackerParameters(delay: .milliseconds(10), disguise: .own))
        scene.network.run(for: .seconds(5))
        #expect(scene.server.times == milliseconds(10, 50))
        #expect(scene.server.arrivals.map(\.remote) == [address(66), address(2)])
    }

    @Test("A copy can blame a victim who never sent anything (RFC 9000 section 9.3.1)")
    func blames() {
        let scene = Scene(AttackerParameters(disguise: .forged(address(9))))
        let victim = Postbox()
        scene.network.addHost("victim", at: address(9), running: victim)
        scene.server.letters = [.init(time: .milliseconds(1), remote: address(9), bytes: [3])]
        scene.network.run(for: .seconds(5))
        #expect(scene.server.arrivals.map(\.remote) == [address(9), address(2)])
        #expect(victim.numbers == [3])
    }

    @Test("Replies to the attacker reach the one it stands in for, or nobody", arguments: [true, false])
    func relays(relaysReplies: Bool) {
        let scene = Scene(AttackerParameters(disguise: .own, relaysReplies: relaysReplies))
        scene.server.letters = [.init(time: .milliseconds(10), remote: address(66), bytes: [3])]
        scene.network.run(for: .seconds(5))
        #expect(scene.client.numbers == (relaysReplies ? [3] : []))
        #expect(scene.client.arrivals.allSatisfy { $0.remote == address(1) })
        #expect(scene.network.trace.counts[.intercepted] == (relaysReplies ? 0 : 1))
    }

    @Test("An attacker on the path keeps the originals, up to its limit")
    func intercepts() {
        let scene = Scene(AttackerParameters(disguise: .own, interceptsOriginals: true, limit: 2), count: 4)
        scene.network.run(for: .seconds(5))
        #expect(scene.server.numbers == [0, 1, 2, 3])
        #expect(scene.server.arrivals.map(\.remote) == [address(66), address(66), address(2), address(2)])
        #expect(scene.network.trace.counts[.intercepted] == 2)
        #expect(scene.network.copyCount(of: scene.attacker) == 2)
        #expect(scene.network.datagramsUnderWay == 0)
    }
}
