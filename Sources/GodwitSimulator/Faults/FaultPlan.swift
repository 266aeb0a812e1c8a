public import GodwitWire

/// A whole scenario, drawn from a seed: who is there, how they are connected, what they do and what goes
/// wrong.
///
/// It is plain data: print it to read it, write it to a file to keep it, change it to narrow a failure down.
/// Whatever is drawn, the work can be done: faults end, loss stays below its bound, and ``timeLimit`` leaves
/// a protocol with sane timeouts several times what it needs. One thing is asked of clients: while they wait
/// for their server they send something every few seconds (RFC 9000 section 10.1.2), since after a rebinding
/// the server no longer knows where they are.
///
/// ```swift
/// let plan = FaultPlan(seed: 42)
/// let network = SimulatedNetwork(seed: plan.seed)
/// plan.install(in: network, server: server) { index in client(plan.clients[index].workload) }
/// network.run(until: .zero + plan.timeLimit) { allIsDone }
/// ```
public struct FaultPlan: Hashable, Sendable, Codable {
    /// What the plan was drawn from, and what the network it runs in should be seeded with.
    public var seed: UInt64
    /// The server.
    public var server: ServerPlan
    /// The clients, each with its own access to the internet.
    public var clients: [ClientPlan]
    /// What goes wrong, in the order in which it does.
    public var faults: [TimedFault]
    /// When the work must be done at the latest, from the start of the run.
    public var timeLimit: TimeSpan

    /// A plan from its parts.
    public init(
        seed: UInt64, server: ServerPlan, clients: [ClientPlan], faults: [TimedFault], timeLimit: TimeSpan
    ) {
        self.seed = seed
        self.server = server
        self.clients = clients
        self.faults = faults
        self.timeLimit = timeLimit
    }
}

/// The server of a ``FaultPlan``.
public struct ServerPlan: Hashable, Sendable, Codable {
    /// Its address, in the internet.
    public var address: NetworkAddress
    /// What its clock shows beyond the network's.
    public var clockOffset: TimeSpan
    /// How long it collects datagrams into trains.
    public var collecting: TimeSpan

    /// A server at an address of the internet.
    public init(address: NetworkAddress, clockOffset: TimeSpan = .zero, collecting: TimeSpan = .zero) {
        self.address = address
        self.clockOffset = clockOffset
        self.collecting = collecting
    }
}

/// A client of a ``FaultPlan``.
public struct ClientPlan: Hashable, Sendable, Codable {
    /// Its address, private where it is behind a translator.
    public var address: NetworkAddress
    /// The translator that it is behind.
    public var translator: TranslatorPlan?
    /// What its access does to what it sends.
    public var egress: LinkParameters
    /// What its access does to what it is sent.
    public var ingress: LinkParameters
    /// When it appears.
    public var start: TimeSpan
    /// What its clock shows beyond the network's.
    public var clockOffset: TimeSpan
    /// How long it collects datagrams into trains.
    public var collecting: TimeSpan
    /// What it does, one after the other.
    public var workload: [WorkloadStep]

    /// A client that does the work given; by default it is there at once, on a link without limits and faults.
    public init(
        address: NetworkAddress, translator: TranslatorPlan? = nil, egress: LinkParameters = LinkParameters(),
        ingress: LinkParameters = LinkParameters(), start: TimeSpan = .zero, clockOffset: TimeSpan = .zero,
        collecting: TimeSpan = .zero, workload: [WorkloadStep]
    ) {
        self.address = address
        self.translator = translator
        self.egress = egress
        self.ingress = ingress
        self.start = start
        self.clockOffset = clockOffset
        self.collecting = collecting
        self.workload = workload
    }
}

/// An address translator of a ``FaultPlan``.
public struct TranslatorPlan: Hashable, Sendable, Codable {
    /// How it behaves.
    public var parameters: TranslatorParameters
    /// The address that the internet sees.
    public var outside: IPAddress

    /// A translator that the internet sees at an address.
    public init(_ parameters: TranslatorParameters, outside: IPAddress) {
        self.parameters = parameters
        self.outside = outside
    }
}

/// Something that a client does.
public enum WorkloadStep: Hashable, Sendable, Codable {
    /// Sends so many bytes on one stream.
    case upload(bytes: Int)
    /// Has the server send so many bytes on one stream.
    case download(bytes: Int)
    /// Sends requests, each when the response to the one before is complete and the pause is over.
    case requests(count: Int, requestBytes: Int, responseBytes: Int, pause: TimeSpan)
    /// Does nothing.
    case idle(TimeSpan)

    /// The bytes that go either way.
    public var byteCount: Int {
        switch self {
        case .upload(let bytes), .download(let bytes): bytes
        case .requests(let count, let requestBytes, let responseBytes, _):
            count * (requestBytes + responseBytes)
        case .idle: 0
        }
    }

    /// The time in which it does nothing.
    public var pauses: TimeSpan {
        switch self {
        case .upload, .download: .zero
        case .requests(let count, _, _, let pause): pause * Int64(count)
        case .idle(let span): span
        }
    }
}

/// A fault and when it comes.
public struct TimedFault: Hashable, Sendable, Codable {
    /// When, from the start of the run.
    public var time: TimeSpan
    /// What.
    public var fault: Fault

    /// A fault at a time.
    public init(at time: TimeSpan, _ fault: Fault) {
        self.time = time
        self.fault = fault
    }
}

/// Something that goes wrong. Clients are named by their index in the plan.
public enum Fault: Hashable, Sendable, Codable {
    /// Someone in a plan.
    public enum Participant: Hashable, Sendable, Codable {
        case server
        case client(Int)
    }

    /// The translator of a client forgets its bindings, and has another outside address if one is given.
    case rebinding(client: Int, to: IPAddress?)
    /// A host freezes for a while; as it goes on, its clock has jumped, and perhaps it is at another address.
    case freeze(Participant, lasting: TimeSpan, clockJump: TimeSpan, movingTo: NetworkAddress?)
    /// The server's process ends, and after a while another one is there that knows nothing of its
    /// connections.
    case restart(lasting: TimeSpan)
    /// A client changes its address; it keeps its access, but without the translator in it.
    case move(client: Int, to: NetworkAddress)
    /// A client's access carries nothing for a while, either way.
    case outage(client: Int, lasting: TimeSpan)
    /// A client's access changes for good.
    case change(client: Int, egress: LinkParameters, ingress: LinkParameters)
    /// An attacker listens on a client's way out from here on.
    case attack(client: Int, AttackerParameters, from: NetworkAddress)
}

/// How far a drawn ``FaultPlan`` goes.
public struct FaultPlanLimits: Hashable, Sendable, Codable {
    /// How many clients there are, at most 250.
    public var clients: ClosedRange<Int>
    /// How many faults there are, at most 250.
    public var faults: ClosedRange<Int>
    /// The most loss in each direction, corruption included.
    public var loss: Double
    /// The most bytes that a client moves; with much loss it is a fraction of that.
    public var bytes: Int
    /// The furthest that a clock jumps, either way.
    public var clockJump: TimeSpan
    /// The longest freeze.
    public var freeze: TimeSpan
    /// The longest outage.
    public var outage: TimeSpan
    /// Whether clients change their addresses.
    public var clientsMove: Bool
    /// Whether a server that was frozen goes on at another address, which only protocols with server
    /// migration survive.
    public var serverMoves: Bool
    /// Whether the server is started again, once at most, and loses its connections.
    public var serverRestarts: Bool
    /// Whether there are attackers.
    public var attackers: Bool

    /// The limits that a QUIC endpoint has to live with.
    public init(
        clients: ClosedRange<Int> = 1...3, faults: ClosedRange<Int> = 0...5, loss: Double = 0.2,
        bytes: Int = 1 << 20, clockJump: TimeSpan = .seconds(3 * 86_400), freeze: TimeSpan = .seconds(8),
        outage: TimeSpan = .seconds(4), clientsMove: Bool = true, serverMoves: Bool = false,
        serverRestarts: Bool = true, attackers: Bool = true
    ) {
        self.clients = clients
        self.faults = faults
        self.loss = loss
        self.bytes = bytes
        self.clockJump = clockJump
        self.freeze = freeze
        self.outage = outage
        self.clientsMove = clientsMove
        self.serverMoves = serverMoves
        self.serverRestarts = serverRestarts
        self.attackers = attackers
    }
}
