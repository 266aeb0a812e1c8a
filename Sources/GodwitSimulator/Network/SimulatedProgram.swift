public import GodwitWire

/// What runs on a simulated host: any protocol that is driven by datagrams and deadlines and does no I/O
/// itself.
///
/// After each call of ``receive(_:segmentSize:from:to:ecn:now:)``, ``handleDeadline(now:)``,
/// ``resume(now:localAddress:random:)`` and ``start(on:now:)`` the network calls ``transmit(into:now:)``
/// until it returns nil and then asks for ``nextDeadline``. All of this happens on the thread that runs the
/// network, and `now` is always the time of the host's own clock.
public protocol SimulatedProgram: AnyObject {
    /// The host is there. By default nothing happens.
    ///
    /// - Parameters:
    ///   - host: the program's side of the network, to report what checkers ask for; keep it if you need it.
    ///   - now: the time on the host's clock.
    func start(on host: SimulatedHost, now: Instant)

    /// Datagrams came in: one, or several of one sender back to back where the host collects them.
    ///
    /// - Parameters:
    ///   - train: the datagrams; the program may change the bytes, which are gone when it returns.
    ///   - segmentSize: the size of each datagram but the last, which may be shorter; at least 1.
    ///   - remote: where they seem to come from.
    ///   - local: which of the host's addresses they were sent to.
    ///   - ecn: the ECN field of every one.
    ///   - now: the time on the host's clock.
    func receive(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
        to local: NetworkAddress, ecn: ECNCodepoint, now: Instant)

    /// Writes the next datagrams to one destination back to back into `buffer`, which holds 65,536 bytes.
    ///
    /// - Returns: what was written, or nil when there is nothing to send for now.
    func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> SimulatedTransmission?

    /// When ``handleDeadline(now:)`` is to be called next, on the host's clock; nil for never.
    var nextDeadline: Instant? { get }

    /// The deadline has come.
    func handleDeadline(now: Instant)

    /// The host was thawed after a freeze, or has a new address. By default nothing happens.
    ///
    /// - Parameters:
    ///   - now: the time on the host's clock, which may be far from where it was before, either way.
    ///   - localAddress: the host's new (first) address if it has one.
    ///   - random: where fresh randomness comes from; another copy may have drawn what was drawn before.
    func resume(now: Instant, localAddress: NetworkAddress?, random: inout DeterministicRandom)
}

extension SimulatedProgram {
    /// Does nothing.
    public func start(on host: SimulatedHost, now: Instant) {}
    /// Does nothing.
    public func resume(now: Instant, localAddress: NetworkAddress?, random: inout DeterministicRandom) {}
}

/// Datagrams that a program wrote back to back, all for one destination.
public struct SimulatedTransmission: Hashable, Sendable {
    /// The bytes written in all.
    public var count: Int
    /// The size of each datagram but the last, which may be shorter.
    public var segmentSize: Int
    /// Where the datagrams go.
    public var remote: NetworkAddress
    /// Which of the host's addresses they come from. An unspecified IP address stands for the host's first
    /// one of the remote's family, with the port given here, or with that address's own port if the port is
    /// 0.
    public var local: NetworkAddress
    /// The ECN field of each.
    public var ecn: ECNCodepoint

    /// Datagrams from `local` to `remote`; without a segment size they are one.
    public init(
        count: Int, segmentSize: Int? = nil, remote: NetworkAddress, local: NetworkAddress,
        ecn: ECNCodepoint = .notECT
    ) {
        self.count = count
        self.segmentSize = segmentSize ?? count
        self.remote = remote
        self.local = local
        self.ecn = ecn
    }
}

/// A program's side of the network that it runs in.
///
/// It doesn't keep the network alive and must not be used once that is gone.
public struct SimulatedHost {
    private unowned let network: SimulatedNetwork
    /// The host that the program runs on.
    public let id: HostID

    init(network: SimulatedNetwork, id: HostID) {
        self.network = network
        self.id = id
    }

    /// The time on the host's clock.
    public var now: Instant { network.localTime(of: id) }
    /// The time on the network's clock, which no freeze and no jump touches: what a wall clock that is kept right
    /// shows, and not what ``now`` counts.
    public var networkTime: Instant { network.now }
    /// How often the host has started a program, this one included: a program that is there again after a
    /// crash must not draw what the one before it drew.
    public var startCount: Int { network.startCount(of: id) }
    /// The host's addresses, in the order of its interfaces.
    public var addresses: [NetworkAddress] { network.addresses(of: id) }

    /// Sends what the program has to send after something other than a call of the network's.
    func serve() { network.serve(id.index) }

    /// Tells the checkers of the network what the program did or saw.
    public func report(_ observation: Observation) { network.report(observation, from: id) }

    /// Adds a violation that the program itself found.
    public func complain(_ message: String) { network.complain(network.name(of: id), message) }

    /// Makes `word` part of the trace: of its hash, and an event of its own.
    ///
    /// What a datagram held after decryption, or how a connection ended, tells two runs apart that sent
    /// datagrams of the same sizes at the same times.
    public func trace(_ word: UInt64) { network.note(word, from: id) }

    /// A generator for the program's own draws, the same in every run of the same seed and host name.
    public func random(_ label: String) -> DeterministicRandom { network.random(of: id).forked(label) }
}
