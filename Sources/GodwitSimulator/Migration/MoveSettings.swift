public import GodwitMigration
public import GodwitWire

/// A server that moves once, and what its clients do meanwhile: what a ``MoveRun`` runs.
///
/// By default the topology is that of Casu's thesis: an old path of 122 ms and 13 Mbit/s, a new one of 18 ms and
/// 100 Mbit/s.
public struct MoveSettings: Hashable, Sendable {
    /// What a client does all the while, besides its measured request.
    public enum Workload: UInt8, Hashable, Sendable, CaseIterable {
        /// Nothing.
        case idle
        /// A small request every 20 ms; see ``MoveSettings/catchesUp``.
        case requests
        /// Data in both directions, as fast as it goes.
        case bulk
        /// Data from the server as fast as it goes, and no measured request.
        case download
        /// Data to the server as fast as it goes, and no measured request.
        case upload
        /// Nothing but a sign of life every five seconds, and no measured request.
        case keepAlive

        /// Whether the client sends a measured request; else what counts is when it goes on after the thaw.
        var isMeasured: Bool { self == .idle || self == .requests || self == .bulk }
    }

    /// What comes between the operator and the move.
    public enum Detour: UInt8, Hashable, Sendable, CaseIterable {
        /// Nothing.
        case none
        /// A plan to go elsewhere is called off.
        case cancelled
        /// A plan to go elsewhere is replaced by the one that is carried out.
        case retargeted
    }

    /// A process at the address that the server has left, with all of its keys.
    public enum SecondProcess: UInt8, Hashable, Sendable, CaseIterable {
        /// There is none.
        case none
        /// It leaves alone what may be somebody else's.
        case careful
        /// It answers all that it does not know with stateless resets, as if there had been nobody before it.
        case careless
    }

    /// When a client sends its measured request.
    public enum FirstRequest: UInt8, Hashable, Sendable, CaseIterable {
        /// At a random moment in the half second after the thaw.
        case afterThaw
        /// 100 ms before the freeze; what it took counts from the thaw.
        case beforeFreeze
    }

    /// The way between the clients and the server.
    public struct Line: Hashable, Sendable {
        /// There and back.
        public var roundTrip: TimeSpan
        /// In each direction, for all clients together.
        public var rate: BitRate

        /// A line.
        public init(roundTrip: TimeSpan, rate: BitRate) {
            self.roundTrip = roundTrip
            self.rate = rate
        }
    }

    /// What all chance follows from.
    public var seed: UInt64
    /// How the server moves; nil for a server that stays, on the new line from the beginning, to compare with.
    public var strategy: MigrationStrategy?
    /// Whether both ends know the extension. Without it a server is silent after the thaw in Explicit and Pool of
    /// Addresses.
    public var isExtended = true
    /// Whom the clients behave like.
    public var clientPolicy = MigrationPolicy.godwit
    /// Whom the server behaves like.
    public var serverPolicy = MigrationPolicy.godwit
    /// Whether clients look for the server by themselves when they send the measured request.
    public var isProactive = false
    /// How many addresses the pool has; the server goes to one of them.
    public var poolSize = 1
    /// What each client does; as many clients as entries.
    public var workloads: [Workload] = [.idle, .requests, .bulk]
    /// Whether small requests that the freeze holds up are made after it, as many at a time as there are streams;
    /// else at most 60 are under way, and beyond that none is made.
    public var catchesUp = true
    /// When the measured requests go out.
    public var firstRequest = FirstRequest.afterThaw
    /// The probability that a datagram is lost or its answer, half of it in each direction, from the first packet to
    /// the last.
    public var loss = 0.0
    /// How long before the freeze the plan is made.
    public var notice: ClosedRange<TimeSpan> = .zero ... .seconds(2)
    /// How long the server is frozen.
    public var freeze: ClosedRange<TimeSpan> = .milliseconds(100) ... .seconds(5)
    /// Whether the server is told of the freeze right before it, so that it has a last word.
    public var holds = true
    /// Whether nothing that the server says from where it has gone arrives until a client has found it there.
    public var mutesServer = false
    /// The line before the move.
    public var oldLine = Line(roundTrip: .milliseconds(122), rate: .megabitsPerSecond(13))
    /// The line after the move.
    public var newLine = Line(roundTrip: .milliseconds(18), rate: .megabitsPerSecond(100))
    /// How each client's address translator behaves; nil for none.
    public var translator: TranslatorParameters?
    /// How long a client waits for the answer to its measured request before it counts as lost.
    public var patience = TimeSpan.seconds(30)

    /// How long each end keeps a connection on which nothing is heard.
    public var idleTimeout = TimeSpan.seconds(30)
    /// How many clients, the last ones, are gone for good right before the plan.
    public var deadClients = 0
    /// How long the operator waits for clients to be ready; nil for as long as it takes.
    public var deadline: TimeSpan?
    /// What comes before the move.
    public var detour = Detour.none
    /// Who is at the old address once the server has gone on elsewhere.
    public var secondProcess = SecondProcess.none
    /// Whether every client changes its own address while the server is frozen.
    public var movesClients = false
    /// What an attacker does that listens on all links of the server; nil for none.
    public var attacker: AttackerParameters?

    /// A move by a strategy.
    public init(seed: UInt64, _ strategy: MigrationStrategy?) {
        self.seed = seed
        self.strategy = strategy
    }

    /// What both ends agree on.
    var suite: MigrationSuite {
        guard let strategy else { return .all }
        return isExtended ? .all : strategy.suite
    }
}
