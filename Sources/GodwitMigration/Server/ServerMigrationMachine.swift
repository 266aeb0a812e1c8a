public import GodwitWire

/// The part of a server's connection that moves it (Specs/server-migration.md 4, 6).
///
/// ```
///                     prepare                     networkSwitched                the client follows
///   idle ─────────────────────► preparing, ready ─────────────────► arrived ─────────────────────────► idle
///    │   ▲                            │   ▲
///    │   └────────── cancel ──────────┘   │ handshake confirmed
///    └────── prepare, too early ───────► waiting
/// ```
///
/// It neither reads nor writes packets and knows no path. The connection reports with
/// ``handle(_:in:now:actions:)``, does what the actions say, writes the frames that ``frameToSend`` offers,
/// and comes back at ``deadline``.
public struct ServerMigrationMachine: Hashable, Sendable, Codable {
    /// What the two ends agreed on.
    public let agreement: MigrationAgreement
    /// Whether to behave as the thesis's program where it can be improved without the client's help.
    public let policy: MigrationPolicy

    /// When to report ``ServerMigrationInput/deadline``; nil for never.
    public private(set) var deadline: Instant?

    var stage = Stage.idle
    var outbox = MigrationOutbox()
    var ledger = AlternativeAddressLedger()
    var pool: PoolServer
    /// What a client without the extension can't be made to forget.
    var commitment = Commitment.none
    var random: SeededRandom
    var isConfirmed = false
    /// Whether the server could address the client by another id where it goes (Specs/server-migration.md 7.2.5).
    var hasSpareID = true
    /// By what this copy of the connection went on after a freeze, if it did: a move, or nothing that a client
    /// could follow.
    var lastThaw: Thaw?
    var revision: UInt32 = 0

    enum Stage: Hashable, Sendable, Codable {
        case idle
        /// A plan waits for the handshake.
        case waiting([MigrationOrder], MigrationEpoch)
        case preparing(ServerMove)
        case arrived(ServerMove, ServerArrival)
    }

    enum Thaw: Hashable, Sendable, Codable {
        case moved(by: MigrationStrategy)
        case untold
    }

    enum Commitment: Hashable, Sendable, Codable {
        case none
        case explicit(MigrationDestination)
        case synchronizedSymmetric
    }

    /// The machine of a connection whose parameters were exchanged.
    ///
    /// - Parameters:
    ///   - pool: where the server may move without further notice; told when both know the strategy.
    ///   - seed: fresh randomness, for jitter.
    public init(
        agreement: MigrationAgreement, policy: MigrationPolicy = .godwit, pool: AddressPool = AddressPool(),
        seed: UInt64
    ) {
        self.agreement = agreement
        self.policy = policy
        self.pool = PoolServer(pool)
        self.random = SeededRandom(seed: seed)
    }

    // MARK: Frames

    /// The next frame to write, to be followed by ``onFrameSent(_:)`` when it was.
    public var frameToSend: OutgoingMigrationFrame? { outbox.next() }

    /// The next frame for a packet that has one already.
    public func frameToSend(after id: MigrationFrameID) -> OutgoingMigrationFrame? { outbox.next(after: id) }

    /// Whether to leave a packet number out before the packet with the next frame, which has any peer
    /// acknowledge at once (RFC 9000 section 13.2.1, Specs/server-migration.md 3.5.4).
    public var wantsImmediateAcknowledgement: Bool { outbox.wantsImmediateAcknowledgement }

    /// The frame was written into a packet.
    public mutating func onFrameSent(_ id: MigrationFrameID) { outbox.onSent(id) }

    /// Refuses a migration frame of the client, which must not send any (Specs/server-migration.md 3.6.1).
    public static func refusal(of frame: MigrationFrame) -> TransportError {
        TransportError(.protocolViolation, "a client sent a server's frame", frameType: frame.type)
    }

    // MARK: Queries

    /// Whether the connection may challenge its path after ``ServerMigrationInput/networkSwitched(_:_:)`` of
    /// its own accord. A client of the thesis's would not know what to make of it (Specs/server-migration.md
    /// 6.2.2).
    public var mayProbe: Bool { agreement.allowsServerProbing }

    /// Whether the client is yet to be heard of where the server is now, so that
    /// ``ServerMigrationInput/clientPacket(isNonProbing:)`` is worth reporting.
    public var awaitsClient: Bool {
        if case .arrived = stage { return true }
        return false
    }

    /// How far the connection is with the plan under way; nil without one.
    public var outcome: MigrationOutcome? {
        switch stage {
        case .idle: nil
        case .waiting: .obstructed(.handshakeUnfinished)
        case .preparing(let move): outcome(of: move)
        case .arrived(let move, _): .ready(move.order.strategy)
        }
    }

    /// Carries the machine over a freeze, whether of a move or not.
    public mutating func resume(shiftedBy span: TimeSpan) {
        switch stage {
        case .idle, .waiting: return
        case .preparing(var move):
            move.repetition?.shift(by: span)
            stage = .preparing(move)
        case .arrived(let move, var arrival):
            arrival.shift(by: span)
            stage = .arrived(move, arrival)
        }
        updateDeadline()
    }

    mutating func updateDeadline() {
        switch stage {
        case .idle, .waiting: deadline = nil
        case .preparing(let move): deadline = move.repetition?.next
        case .arrived(_, let arrival): deadline = arrival.deadline
        }
    }
}

/// Whom an endpoint behaves like.
public enum MigrationPolicy: UInt8, Hashable, Sendable, Codable {
    /// As the specification wants it.
    case godwit
    /// As the thesis's program does, weaknesses included: for experiments, and as a peer in tests.
    case thesis
}

/// A move of one connection.
struct ServerMove: Hashable, Sendable, Codable {
    var order: MigrationOrder
    var epoch: MigrationEpoch
    var strategy: ServerStrategy
    /// Whether the client is on its way to another address of its own.
    var isClientMoving = false
    /// The outcome that was reported last.
    var reported: MigrationOutcome?
    /// When to say again what was not acknowledged; nil when it was said often enough.
    var repetition: AnnouncementRepetition?
}

extension ServerMigrationMachine {
    /// How far a move is that is being prepared.
    func outcome(of move: ServerMove) -> MigrationOutcome {
        guard move.strategy.isReady(pool), hasSpareID || !agreement.isExtended else {
            return .preparing(move.order.strategy)
        }
        return move.isClientMoving ? .clientMoving(move.order.strategy) : .ready(move.order.strategy)
    }
}
