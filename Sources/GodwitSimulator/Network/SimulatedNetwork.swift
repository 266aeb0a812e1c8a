public import GodwitWire

/// A network in virtual time: hosts that run your programs, links with every fault, address translators,
/// attackers.
///
/// All that happens follows from the seed and from what you add: the same calls give the same run.
///
/// ```swift
/// let network = SimulatedNetwork(seed: 7)
/// let slow = network.addLink(LinkParameters(delay: .milliseconds(60), loss: 0.02))
/// network.addHost("server", at: serverAddress, running: server)
/// network.addHost("client", at: clientAddress, egress: slow, running: client)
/// network.run(for: .seconds(10))
/// print(network.trace.counts, network.violations)
/// ```
///
/// A network is used from one thread at a time. Runs of different seeds are independent networks.
public final class SimulatedNetwork {
    /// What all chance in the network follows from.
    public let seed: UInt64
    /// The network's clock, which starts at 0.
    @exclusivity(unchecked)
    public internal(set) var now = Instant.zero
    /// What happened so far.
    @exclusivity(unchecked)
    public internal(set) var trace: Trace
    /// What the checkers found, the first hundred at most.
    public internal(set) var violations: [Violation] = []
    /// Whether a run ends with the first violation; by default it goes on.
    public var stopsAtViolation = false

    // What every datagram touches several times goes without the run-time checks for overlapping accesses, a
    // third of a run's time: no access to it spans a call to a program, an observer or a checker, and the
    // rest is seen here.
    @exclusivity(unchecked) var events = EventQueue()
    @exclusivity(unchecked) var pool = DatagramPool()
    @exclusivity(unchecked) var hosts: ContiguousArray<HostState> = []
    @exclusivity(unchecked) var links: ContiguousArray<Link> = []
    @exclusivity(unchecked) var realms: ContiguousArray<Realm> = [Realm()]
    var translators: ContiguousArray<TranslatorState> = []
    var attackers: ContiguousArray<Attacker> = []
    var addressOutages: [IPAddress: [Outage]] = [:]
    var actions: ContiguousArray<((SimulatedNetwork) -> Void)?> = []
    var freeActions: ContiguousArray<UInt32> = []
    var observers: ContiguousArray<any SimulationObserver> = []
    var checkers: ContiguousArray<any Checker> = []
    var nextSerial: UInt64 = 0
    /// What a host has collected, as it is handed over.
    var collected: ContiguousArray<UInt32> = []
    let outbox: UnsafeMutableRawBufferPointer
    private let random: DeterministicRandom
    private var names: Set<String> = []

    /// The size of the buffer that programs write into, and of the largest train they are given.
    static var trainCapacity: Int { 65_536 }

    /// An empty network.
    ///
    /// - Parameters:
    ///   - seed: what all chance follows from.
    ///   - tracing: what to trace besides a hash and figures.
    public init(seed: UInt64, tracing: TraceDetail = []) {
        self.seed = seed
        self.trace = Trace(tracing)
        self.random = DeterministicRandom(seed: seed)
        self.outbox = .allocate(byteCount: Self.trainCapacity, alignment: 64)
    }

    deinit { outbox.deallocate() }

    /// A generator for a purpose of yours; it depends on the network's seed and the label alone.
    public func random(_ label: String) -> DeterministicRandom { random.forked(label) }

    /// Everything draws from a generator that its name seeds, so that a further node leaves the others' draws
    /// alone.
    private func claim(_ name: String) -> DeterministicRandom {
        precondition(names.insert(name).inserted, "the name \(name) is taken")
        return random.forked(name)
    }
}

// MARK: - Building

extension SimulatedNetwork {
    /// Adds one direction of a link. Interfaces, translators and routes name it; several may share it.
    ///
    /// - Parameters:
    ///   - parameters: what the link does to datagrams.
    ///   - name: seeds the link's chance and appears in logs, unique in the network; by default a number.
    public func addLink(_ parameters: LinkParameters, named name: String? = nil) -> LinkID {
        let name = name ?? "link \(links.count)"
        links.append(Link(name: name, parameters: parameters, random: claim(name)))
        return LinkID(index: UInt32(links.count - 1))
    }

    /// Adds an address translator (NAT). Interfaces and further translators can be put behind it.
    ///
    /// - Parameters:
    ///   - name: seeds the translator's chance and appears in logs. Unique in the network.
    ///   - parameters: how it behaves.
    ///   - addresses: what the outside sees; one of each family that hosts inside use.
    ///   - outer: the translator that this one is behind; nil for the internet.
    ///   - egress: the link that carries what the translator sends outside.
    ///   - ingress: the link that carries what is sent to the translator from outside.
    public func addTranslator(
        _ name: String, _ parameters: TranslatorParameters, at addresses: [IPAddress],
        behind outer: TranslatorID? = nil, egress: LinkID? = nil, ingress: LinkID? = nil
    ) -> TranslatorID {
        let translator = AddressTranslator(
            name: name, parameters: parameters, outsideAddresses: addresses, random: claim(name))
        let index = UInt32(translators.count)
        translators.append(
            TranslatorState(translator: translator, behind: outer, egress: egress, ingress: ingress))
        realms.append(Realm())
        for address in addresses { realms[Realm.inside(outer)].register(translator: index, at: address) }
        return TranslatorID(index: index)
    }

    /// Adds a host. Its program starts when the network runs.
    ///
    /// - Parameters:
    ///   - name: seeds the host's chance and appears in logs. Unique in the network.
    ///   - interfaces: the host's addresses and how each is connected.
    ///   - program: what the host runs.
    ///   - clockOffset: what the host's clock shows beyond the network's.
    ///   - collecting: how long the host collects datagrams before it gives the program those of one sender
    ///     back to back, as the receive offload of a kernel does; zero to give it each at once.
    ///   - start: when the host appears; by default at once. What is sent to it before is lost.
    @discardableResult
    public func addHost(
        _ name: String, interfaces: [Interface], running program: any SimulatedProgram,
        clockOffset: TimeSpan = .zero, collecting: TimeSpan = .zero, startingAt start: Instant? = nil
    ) -> HostID {
        let host = HostState(
            name: name, program: program, interfaces: interfaces, clockOffset: clockOffset,
            collecting: collecting, random: claim(name))
        let id = HostID(index: UInt32(hosts.count))
        hosts.append(host)
        register(id)
        // Even a host that is there at once starts as an event, so that checkers that name it can still be
        // added.
        schedule(at: start ?? now) { $0.start(id) }
        return id
    }

    /// Adds a host with one address. Its program starts when the network runs.
    @discardableResult
    public func addHost(
        _ name: String, at address: NetworkAddress, behind translator: TranslatorID? = nil,
        egress: LinkID? = nil, ingress: LinkID? = nil, running program: any SimulatedProgram
    ) -> HostID {
        let interface = Interface(address, behind: translator, egress: egress, ingress: ingress)
        return addHost(name, interfaces: [interface], running: program)
    }

    /// Adds an attacker that listens on links.
    ///
    /// - Parameters:
    ///   - name: seeds the attacker's chance and appears in logs. Unique in the network.
    ///   - address: its own address, in the internet.
    ///   - links: where it listens. It sends into the internet, so links inside translators are little use.
    ///   - parameters: what it does.
    @discardableResult
    public func addAttacker(
        _ name: String, at address: NetworkAddress, listeningOn links: [LinkID],
        _ parameters: AttackerParameters
    ) -> AttackerID {
        let index = UInt32(attackers.count)
        attackers.append(
            Attacker(name: name, address: address, parameters: parameters, random: claim(name)))
        realms[Realm.internet].register(address, owner: .attacker(index))
        for link in links { self.links[Int(link.index)].taps.append(index) }
        return AttackerID(index: index)
    }

    /// Adds someone who looks on.
    public func addObserver(_ observer: any SimulationObserver) { observers.append(observer) }

    /// Adds a judge.
    public func addChecker(_ checker: any Checker) { checkers.append(checker) }
}

// MARK: - Asking

extension SimulatedNetwork {
    /// The name that a host was added with.
    public func name(of host: HostID) -> String { hosts[Int(host.index)].name }
    /// The name that a link was added with.
    public func name(of link: LinkID) -> String { links[Int(link.index)].name }
    /// The name that a translator was added with.
    public func name(of translator: TranslatorID) -> String {
        translators[Int(translator.index)].translator.name
    }
    /// The name that an attacker was added with.
    public func name(of attacker: AttackerID) -> String { attackers[Int(attacker.index)].name }

    /// The addresses of a host, in the order of its interfaces.
    public func addresses(of host: HostID) -> [NetworkAddress] {
        hosts[Int(host.index)].interfaces.map(\.address)
    }

    /// The time on a host's clock.
    public func localTime(of host: HostID) -> Instant { now + hosts[Int(host.index)].clockOffset }

    /// How often a host has started a program.
    func startCount(of host: HostID) -> Int { hosts[Int(host.index)].starts }

    /// Whether a host is frozen.
    public func isFrozen(_ host: HostID) -> Bool { hosts[Int(host.index)].condition == .frozen }

    /// What a link does to datagrams now.
    public func parameters(of link: LinkID) -> LinkParameters { links[Int(link.index)].parameters }
    /// What went through a link so far.
    public func statistics(of link: LinkID) -> LinkStatistics { links[Int(link.index)].statistics }

    /// How many copies an attacker has made.
    public func copyCount(of attacker: AttackerID) -> Int { attackers[Int(attacker.index)].copyCount }

    /// How many datagrams are on their way, those that wait in queues or at attackers included.
    public var datagramsUnderWay: Int { pool.countInUse }

    /// Fresh randomness of a host's own, apart from what it draws when it is resumed.
    func random(of host: HostID) -> DeterministicRandom { random.forked(hosts[Int(host.index)].name) }
}
