import GodwitWire
import Testing

@testable import GodwitSimulator

@Suite("Address translators (RFC 4787)")
struct TranslatorTests {
    private static let outside = IPAddress(v4: 0xcb00_7101)
    private let inside = privateAddress(2)

    /// A host behind a translator, and remotes: A at port 1 and 2, B at port 1.
    private struct Scene {
        let network = SimulatedNetwork(seed: 1)
        let client: Postbox
        let a1 = Postbox(), a2 = Postbox(), b1 = Postbox()
        let translator: TranslatorID

        init(_ parameters: TranslatorParameters, _ letters: [Postbox.Letter]) {
            translator = network.addTranslator("translator", parameters, at: [TranslatorTests.outside])
            client = Postbox(letters)
            network.addHost("a1", at: address(1, port: 1), running: a1)
            network.addHost("a2", at: address(1, port: 2), running: a2)
            network.addHost("b1", at: address(2, port: 1), running: b1)
            network.addHost("client", at: privateAddress(2), behind: translator, running: client)
        }
    }

    private static func letter(_ byte: UInt8, to remote: NetworkAddress, at time: TimeSpan = .zero)
        -> Postbox.Letter
    {
        Postbox.Letter(time: time, remote: remote, bytes: [byte])
    }

    private static let remotes = [address(1, port: 1), address(1, port: 2), address(2, port: 1)]

    @Test(
        "The mapping decides which remotes see the same outside port (section 4.1)",
        arguments: [
            (EndpointDependence.endpointIndependent, true, true), (.addressDependent, true, false),
            (.addressAndPortDependent, false, false),
        ])
    func maps(mapping: EndpointDependence, sameForOtherPort: Bool, sameForOtherAddress: Bool) throws {
        let letters = Self.remotes.map { Self.letter(1, to: $0) }
        let scene = Scene(TranslatorParameters(mapping: mapping), letters)
        scene.network.run(for: .seconds(1))
        let seen = try [scene.a1, scene.a2, scene.b1].map { try #require($0.arrivals.first).remote }
        #expect(seen.allSatisfy { $0.ip == Self.outside })
        #expect((seen[0] == seen[1]) == sameForOtherPort)
        #expect((seen[0] == seen[2]) == sameForOtherAddress)
    }

    @Test(
        "The filter decides who is let in, whatever the mapping (section 5)",
        arguments: EndpointDependence.allCases, EndpointDependence.allCases)
    func filters(mapping: EndpointDependence, filtering: EndpointDependence) throws {
        let parameters = TranslatorParameters(mapping: mapping, filtering: filtering)
        let scene = Scene(parameters, [Self.letter(0, to: Self.remotes[0])])
        scene.network.run(for: .milliseconds(1))
        let binding = try #require(scene.a1.arrivals.first).remote
        for (number, remote) in [scene.a1, scene.a2, scene.b1].enumerated() {
            remote.letters = [Self.letter(UInt8(number), to: binding)]
        }
        for index in 0..<3 { scene.network.wake(HostID(index: UInt32(index))) }
        scene.network.run(for: .seconds(1))

        let letIn: [UInt8] =
            switch filtering {
            case .endpointIndependent: [0, 1, 2]
            case .addressDependent: [0, 1]
            case .addressAndPortDependent: [0]
            }
        #expect(scene.client.numbers == letIn)
        #expect(scene.client.arrivals.allSatisfy { $0.local == inside })
        #expect(scene.network.trace.counts[.filtered] == UInt64(3 - letIn.count))
    }

    @Test("A binding dies when nothing refreshes it, and the next datagram gets another port (section 4.3)")
    func expires() throws {
        let parameters = TranslatorParameters(bindingLifetime: .seconds(30))
        let times: [TimeSpan] = [.zero, .seconds(29), .seconds(58), .seconds(88)]
        let scene = Scene(parameters, times.map { Self.letter(1, to: Self.remotes[0], at: $0) })
        scene.network.run(for: .seconds(100))
        let ports = scene.a1.arrivals.map(\.remote.port)
        #expect(ports[0] == ports[1] && ports[1] == ports[2])
        #expect(ports[3] != ports[0])
    }

    @Test("What comes to a dead binding is dropped", arguments: [false, true])
    func inboundRefresh(refreshes: Bool) throws {
        let parameters = TranslatorParameters(bindingLifetime: .seconds(30), inboundRefreshes: refreshes)
        let scene = Scene(parameters, [Self.letter(0, to: Self.remotes[0])])
        scene.network.run(for: .milliseconds(1))
        let binding = try #require(scene.a1.arrivals.first).remote
        scene.a1.letters = [
            Self.letter(1, to: binding, at: .seconds(20)), Self.letter(2, to: binding, at: .seconds(40)),
        ]
        scene.network.wake(HostID(index: 0))
        scene.network.run(for: .seconds(60))
        // RFC 4787 REQ-6 leaves to the translator whether datagrams from outside keep a binding alive.
        #expect(scene.client.numbers == (refreshes ? [1, 2] : [1]))
        #expect(scene.network.trace.counts[.noBinding] == (refreshes ? 0 : 1))
    }

    @Test(
        "A forced rebinding gives another port, even where ports are preserved",
        arguments: PortAssignment.allCases)
    func rebinds(ports: PortAssignment) throws {
        let times = milliseconds(0, 10, 20, 30)
        let letters = times.map { Self.letter(1, to: Self.remotes[0], at: $0) }
        let scene = Scene(TranslatorParameters(ports: ports), letters)
        let translator = scene.translator
        scene.network.schedule(at: .zero + .milliseconds(15)) { $0.rebind(translator) }
        scene.network.run(for: .seconds(1))
        let seen = scene.a1.arrivals.map(\.remote)
        #expect(seen[0] == seen[1] && seen[2] == seen[3])
        #expect(seen[2].ip == seen[0].ip && seen[2].port != seen[0].port)
        #expect(scene.network.trace.counts[.rebound] == 1)
    }

    @Test("A rebinding to another address leaves nobody at the old one")
    func rebindsToAnotherAddress() throws {
        let other = IPAddress(v4: 0xcb00_7102)
        let scene = Scene(
            .fullCone, milliseconds(0, 20).map { Self.letter(1, to: Self.remotes[0], at: $0) })
        let translator = scene.translator
        scene.network.schedule(at: .zero + .milliseconds(15)) { $0.rebind(translator, to: [other]) }
        scene.network.run(for: .milliseconds(30))
        let seen = scene.a1.arrivals.map(\.remote)
        #expect(seen.map(\.ip) == [Self.outside, other])
        scene.a1.letters = [Self.letter(7, to: seen[0]), Self.letter(8, to: seen[1])]
        scene.network.wake(HostID(index: 0))
        scene.network.run(for: .seconds(1))
        #expect(scene.client.numbers == [8])
        #expect(scene.network.trace.counts[.noRoute] == 1)
    }

    @Test("A preserving translator keeps the port if it can; the second host with it gets another")
    func preservesPorts() throws {
        let scene = Scene(TranslatorParameters(ports: .preserving), [Self.letter(1, to: Self.remotes[0])])
        let second = Postbox([Self.letter(2, to: Self.remotes[0])])
        let same = privateAddress(3)
        scene.network.addHost("second", at: same, behind: scene.translator, running: second)
        scene.network.run(for: .seconds(1))
        let ports = scene.a1.arrivals.map(\.remote.port)
        #expect(ports[0] == inside.port)
        #expect(ports[1] != inside.port)
    }

    @Test(
        "Two hosts inside reach each other by their outside addresses, if the translator hairpins (section 6)"
    )
    func hairpins() throws {
        for hairpinning in [true, false] {
            let scene = Scene(
                TranslatorParameters(ports: .preserving, hairpinning: hairpinning),
                [Self.letter(1, to: Self.remotes[0])])
            let target = NetworkAddress(ip: Self.outside, port: inside.port)
            let second = Postbox([Self.letter(2, to: target, at: .milliseconds(10))])
            scene.network.addHost(
                "second", at: privateAddress(3, port: 6000), behind: scene.translator, running: second)
            scene.network.run(for: .seconds(1))
            // REQ-9: the source that the other host sees is the outside one.
            let expected = NetworkAddress(ip: Self.outside, port: 6000)
            #expect(scene.client.arrivals.map(\.remote) == (hairpinning ? [expected] : []))
        }
    }

    @Test("Hosts inside reach each other directly by their inside addresses")
    func staysInside() throws {
        let scene = Scene(.symmetric, [Self.letter(1, to: privateAddress(3))])
        let second = Postbox()
        scene.network.addHost("second", at: privateAddress(3), behind: scene.translator, running: second)
        scene.network.run(for: .seconds(1))
        #expect(second.arrivals.map(\.remote) == [inside])
    }

    @Test("A translator behind a translator: an echo finds its way back through both")
    func nests() throws {
        let network = SimulatedNetwork(seed: 3)
        let echo = Echo()
        let carrier = network.addTranslator("carrier", .symmetric, at: [Self.outside])
        let home = network.addTranslator(
            "home", .portRestrictedCone, at: [IPAddress(v4: 0x6440_0001)], behind: carrier)
        let client = Postbox([Self.letter(5, to: address(1))])
        network.addHost("echo", at: address(1), running: echo)
        network.addHost("client", at: inside, behind: home, running: client)
        network.run(for: .seconds(1))
        #expect(echo.remotes.map(\.ip) == [Self.outside])
        #expect(client.numbers == [5])
        #expect(client.arrivals[0].remote == address(1))
    }

    @Test("An address that nobody has inside any more is a dead end, not a loop")
    func forgetsRemovedHosts() throws {
        let scene = Scene(.fullCone, [Self.letter(0, to: Self.remotes[0])])
        scene.network.run(for: .milliseconds(1))
        let binding = try #require(scene.a1.arrivals.first).remote
        scene.network.remove(HostID(index: 3))
        scene.a1.letters = [Self.letter(1, to: binding)]
        scene.network.wake(HostID(index: 0))
        scene.network.run(for: .seconds(1))
        #expect(scene.network.trace.counts[.noRoute] == 1)
    }

    @Test("A translator without an address of the family drops")
    func needsAnAddressOfTheFamily() {
        let network = SimulatedNetwork(seed: 1)
        let translator = network.addTranslator("translator", .fullCone, at: [Self.outside])
        let v6 = NetworkAddress(ip: IPAddress(high: 0xfd00_0000_0000_0000, low: 2), port: 1)
        let remote = NetworkAddress(ip: IPAddress(high: 0x2001_0db8_0000_0000, low: 1), port: 1)
        let client = Postbox(1, to: remote, local: v6)
        network.addHost("client", at: v6, behind: translator, running: client)
        network.run(for: .seconds(1))
        #expect(network.trace.counts[.translatorExhausted] == 1)
    }

    @Test("Ports in sequence start over behind the last, and there is none when all are taken")
    func runsOutOfPorts() {
        var allocator = PortAllocator(.sequential, random: DeterministicRandom(seed: 1))
        var used: Set<UInt16> = []
        for _ in 0..<3 {
            let port = allocator.allocate(preferred: 1) { !used.contains($0) }
            used.insert(port ?? 0)
        }
        #expect(used == [1024, 1025, 1026])
        let full = allocator.allocate(preferred: 1) { _ in false }
        #expect(full == nil)
        let last = allocator.allocate(preferred: 1) { $0 == .max }
        #expect(last == .max)
        let wrapped = allocator.allocate(preferred: 1) { !used.contains($0) }
        #expect(wrapped == 1027)
    }
}
