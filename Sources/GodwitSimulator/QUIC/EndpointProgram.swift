public import GodwitCore
import GodwitCrypto
import GodwitMigration
public import GodwitWire

/// A QUIC endpoint on a simulated host: the same core that runs behind sockets, driven by the network's
/// clock.
///
/// What it does with its connections is up to an ``EndpointApplication``, whose methods are called one after
/// the other on the thread that runs the network.
///
/// ```swift
/// let network = SimulatedNetwork(seed: 7)
/// let handshake = SimulatedHandshake(applicationProtocols: ["echo"])
/// let server = EndpointProgram(EndpointSettings(handshake), serving: EchoServer())
/// let client = EndpointProgram(EndpointSettings(handshake), running: EchoClient(serverAddress))
/// network.addHost("server", at: serverAddress, running: server)
/// network.addHost("client", at: clientAddress, running: client)
/// network.run(for: .seconds(10))
/// ```
///
/// It reports every packet to the network's checkers, so that a ``PacketNumberChecker``, an
/// ``AmplificationChecker`` and a ``BoundsChecker`` need nothing else, and makes the decrypted frames part of
/// the trace.
public final class EndpointProgram: SimulatedProgram {
    /// What the endpoint was made with.
    public let settings: EndpointSettings
    /// What the program does with its connections.
    public let application: any EndpointApplication
    /// The program's side of the network, once it has started.
    public private(set) var host: SimulatedHost!
    /// The time on the endpoint's clock, which starts at 0 and goes on after a freeze as if there had been
    /// none.
    public private(set) var now = Instant.zero

    /// How likely it is, after each call, that every confirmed connection is written to bytes and read back.
    var rewriteProbability = 0.0
    private var rewriting = DeterministicRandom(seed: 0)
    private let isServer: Bool
    private(set) var endpoint: Endpoint!
    private var clock = EndpointClock()
    /// The wall clock's time at the endpoint's instant 0, in seconds.
    private var unixTimeAtEpoch: Int64 = 0
    private var monitor: PacketMonitor!
    /// Who was here before and left nothing but its clock.
    private var predecessor: EndpointProgram?
    /// What the program is restored from when it starts.
    private var image: ServerImage?
    /// Another server whose keys this one has.
    private var keyHolder: EndpointProgram?
    /// Who has to be asked before the server goes on after a hold.
    var arbiter: CopyArbiter?

    private init(_ settings: EndpointSettings, _ application: any EndpointApplication, isServer: Bool) {
        self.settings = settings
        self.application = application
        self.isServer = isServer
    }

    /// A server.
    public convenience init(_ settings: EndpointSettings, serving application: any EndpointApplication) {
        self.init(settings, application, isServer: true)
    }

    /// A client; its application connects when it starts.
    public convenience init(_ settings: EndpointSettings, running application: any EndpointApplication) {
        self.init(settings, application, isServer: false)
    }

    /// Takes the place of another server on its host: all connections of that one are gone, and nothing shows
    /// that there was a time before. Without this a server that is started knows that clients may hold
    /// connections to one that was there before it, which may live on elsewhere, and leaves those alone (RFC
    /// 9000 section 21.11).
    func forgetConnections(of other: EndpointProgram) { predecessor = other }

    /// A copy of a server that starts from the image of its process, and goes on with its plan where it is started.
    convenience init(restoring image: ServerImage, serving application: any EndpointApplication) {
        self.init(image.settings, serving: application)
        self.image = image
    }

    /// The image of the process.
    func takeImage() throws -> ServerImage {
        ServerImage(
            settings: settings, endpoint: try EndpointImage(of: endpoint), clock: clock,
            unixTimeAtEpoch: unixTimeAtEpoch, keys: host.random("keys"))
    }

    /// Has all keys of another server, that of stateless resets too.
    func shareKeys(of other: EndpointProgram) { keyHolder = other }

    // MARK: Connections

    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - remote: the server's address.
    ///   - local: the address to connect from; nil leaves it to the host, which then may change it unnoticed.
    ///   - serverName: the name that the server's certificate has to be for.
    ///   - resumption: what an earlier connection left behind.
    ///   - offersEarlyData: whether to send data with the first flight if the ticket allows it.
    ///   - token: what an earlier connection was given to prove this client's address with.
    public func connect(
        to remote: NetworkAddress, from local: NetworkAddress? = nil, serverName: String = "simulated.test",
        resumption: ResumptionTicket? = nil, offersEarlyData: Bool = false, token: [UInt8] = []
    ) throws -> SimulatedConnection {
        let family = remote.isIPv4 ? IPAddress.anyIPv4 : IPAddress.anyIPv6
        let unspecified = NetworkAddress(ip: family, port: host.addresses.first?.port ?? 0)
        var request = ConnectRequest(
            remote: remote, local: local ?? unspecified, serverName: serverName,
            handshake: try settings.handshake.makeClient())
        request.resumption = resumption
        request.offersEarlyData = offersEarlyData
        request.token = token
        return connection(try endpoint.connect(request, now: now))
    }

    /// All connections there are.
    public var connections: [SimulatedConnection] { endpoint.connectionHandles.map { connection($0) } }

    /// How many connections there are.
    public var connectionCount: Int { endpoint?.connectionCount ?? 0 }

    /// How the endpoint as a whole has fared.
    public var statistics: EndpointStatistics { endpoint.statistics }

    private func connection(_ handle: ConnectionHandle) -> SimulatedConnection {
        SimulatedConnection(program: self, handle: handle)
    }

    /// Writes every confirmed connection as bytes and goes on with what those make of it, as after a move to
    /// another process. Nothing can be told from it by anyone.
    public func rewriteConnections() throws {
        for handle in endpoint.connectionHandles where endpoint.connection(handle)?.isConfirmed == true {
            try endpoint.rewrite(handle, now: now)
        }
    }

    private func rewriteAtRandom() {
        guard rewriting.chance(rewriteProbability) else { return }
        do { try rewriteConnections() } catch {
            complain("a connection was not written and read back: \(error)")
        }
    }

    /// Reports something that must not happen, as a checker does.
    public func complain(_ message: String) { host.complain(message) }

    // MARK: The network's calls

    /// Makes the endpoint and starts the application.
    public func start(on host: SimulatedHost, now local: Instant) {
        self.host = host
        startClock(local)
        // The keys are those of the host; all else differs from what a program before this one drew.
        var random = host.random(host.startCount == 1 ? "entropy" : "entropy \(host.startCount)")
        do {
            let configuration = try settings.configuration(
                isServer: isServer, isRestarted: host.startCount > 1, unixTime: unixTimeAtEpoch,
                keys: image?.keys ?? (keyHolder?.host ?? host).random("keys"))
            endpoint = Endpoint(configuration: configuration, entropy: Entropy(seed: random.bytes(32)))
        } catch {
            preconditionFailure("the settings of a simulated endpoint don't work: \(error)")
        }
        monitor = PacketMonitor(program: self, endpoint: endpoint)
        endpoint.observer = monitor
        rewriting = host.random("rewriting")
        application.start(self)
        tellApplication()
        if let image { restore(image, local) }
    }

    private func restore(_ image: ServerImage, _ local: Instant) {
        do { try image.endpoint.restore(to: endpoint, now: now) } catch {
            complain("an image was not restored: \(error)")
        }
        var random = host.random("thaw")
        resume(now: local, localAddress: host.addresses.first, random: &random)
    }

    private func startClock(_ local: Instant) {
        if let image {
            (clock, unixTimeAtEpoch) = (image.clock, image.unixTimeAtEpoch)
            clock.resume(local: local)
        } else if let predecessor {
            (clock, unixTimeAtEpoch) = (predecessor.clock, predecessor.unixTimeAtEpoch)
            clock.resume(local: local)
        } else {
            clock.start(local: local)
            unixTimeAtEpoch = unixTime
        }
        predecessor = nil
        tick(local)
    }

    /// Takes datagrams.
    public func receive(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, from remote: NetworkAddress,
        to local: NetworkAddress, ecn: ECNCodepoint, now hostTime: Instant
    ) {
        tick(hostTime)
        endpoint.receive(train, segmentSize: segmentSize, from: remote, to: local, ecn: ecn, now: now)
        tellApplication()
        rewriteAtRandom()
    }

    /// Hands over the next datagrams.
    public func transmit(
        into buffer: UnsafeMutableRawBufferPointer, now local: Instant
    ) -> SimulatedTransmission? {
        tick(local)
        repeat {
            if let sent = endpoint.transmit(into: buffer, now: now) {
                return SimulatedTransmission(
                    count: sent.count, segmentSize: sent.segmentSize, remote: sent.remote, local: sent.local,
                    ecn: sent.ecn)
            }
        } while tellApplication()
        return nil
    }

    /// When something has to be done next.
    public var nextDeadline: Instant? {
        let next = min(
            endpoint?.nextDeadline ?? .distantFuture, application.nextDeadline ?? .distantFuture)
        return next == .distantFuture ? nil : clock.local(of: next)
    }

    /// Does what has become due.
    public func handleDeadline(now local: Instant) {
        tick(local)
        if let deadline = endpoint.nextDeadline, deadline <= now { endpoint.handleDeadline(now: now) }
        tellApplication()
        if let deadline = application.nextDeadline, deadline <= now { application.handleDeadline(self) }
        monitor.onDeadline()
        tellApplication()
        rewriteAtRandom()
    }

    /// Goes on after a freeze, or at another address: the endpoint's clock goes on from where it was.
    public func resume(now local: Instant, localAddress: NetworkAddress?, random: inout DeterministicRandom) {
        clock.resume(local: local)
        tick(local)
        if let epoch = endpoint.migrationUnderWay, let arbiter {
            // A copy that is not granted stays held.
            guard arbiter.grantsSwitch(of: epoch, to: random.next()) else { return }
        }
        let entropy = Entropy(seed: random.bytes(32))
        // A server with a plan goes on where the plan wanted it; without one it only has another address.
        if !goOnWithPlan(EndpointThaw(now: now, unixTime: unixTime, entropy: entropy), localAddress) {
            endpoint.resume(
                now: now, frozen: .zero, unixTime: unixTime, localAddress: localAddress, entropy: entropy)
        }
        application.resume(self)
        tellApplication()
    }

    /// Does something to the endpoint that is no call of the network's. The network has to serve the host
    /// then.
    func operate<Result>(_ body: (Endpoint) throws -> Result) rethrows -> Result {
        tick(host.now)
        defer { tellApplication() }
        return try body(endpoint)
    }

    /// How long nothing has come that belongs to a connection.
    func silence(of connection: SimulatedConnection) -> TimeSpan { monitor.silence(of: connection.handle) }

    private func tick(_ local: Instant) { now = clock.read(local) }

    /// The wall clock: it is right whatever befell the machine's other clock.
    var unixTime: Int64 { 1_800_000_000 + host.networkTime.nanoseconds / 1_000_000_000 }

    /// Whether there was anything to tell.
    @discardableResult
    private func tellApplication() -> Bool {
        var hasTold = false
        while let event = endpoint.nextEvent() {
            hasTold = true
            switch event {
            case .accepted(let handle): application.accepted(connection(handle), self)
            case .connection(let handle, let event): application.happened(event, on: connection(handle), self)
            }
        }
        return hasTold
    }
}
