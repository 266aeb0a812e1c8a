/// What an operator may tell a server about its plans, and in which order (Specs/server-migration.md 6.6).
///
/// ```
///             prepare(n)            hold(n)              networkSwitched(n)
///   closed ─────────────► open(n) ─────────► held(n) ──────────────────────► closed, n was switched
///      ▲                    │  │                │
///      │      cancel(n)     │  │ networkSwitched(n), unless hold is required
///      └────────────────────┘  │                └── cancel(n) ──► closed, n was cancelled
///      └───────────────────────┘
/// ```
///
/// Of `networkSwitched` and `cancel` a copy of the server accepts one for each epoch, never both. A command
/// that was accepted before is accepted again and changes nothing, so that an operator whose answer got lost
/// may ask once more.
public struct EpochLedger: Hashable, Sendable, Codable {
    /// What became of a plan.
    public enum Resolution: UInt8, Hashable, Sendable, Codable {
        /// The server went on elsewhere.
        case switched
        /// It stayed.
        case cancelled
    }

    private enum State: Hashable, Sendable, Codable {
        case closed
        case open
        case held
    }

    /// Whether to do what a command says.
    public enum Verdict: Hashable, Sendable {
        /// Do it.
        case accepted
        /// It was done before.
        case repeated
    }

    /// Why a command is refused.
    public enum Refusal: Error, Hashable, Sendable {
        /// The epoch is that of an older plan, or of none.
        case stale(current: MigrationEpoch)
        /// Another plan is open.
        case planOpen(MigrationEpoch)
        /// The plan came to another end.
        case resolved(Resolution)
        /// The server was not held, which this operator's interface requires.
        case notHeld
        /// The server is held: only `networkSwitched` and `cancel` end that.
        case held
    }

    /// The plan under way, or the last one.
    public private(set) var current = MigrationEpoch.none
    private var state = State.closed
    private var resolution: Resolution?
    /// Whether `networkSwitched` must be preceded by `hold`.
    public let requiresHold: Bool

    /// A ledger without a plan.
    public init(requiresHold: Bool = true) { self.requiresHold = requiresHold }

    /// Whether a plan is open, held or not.
    public var isOpen: Bool { state != .closed }
    /// Whether nothing may be read or sent.
    public var isHeld: Bool { state == .held }
    /// The number for the next plan.
    public var next: MigrationEpoch { current.next }

    /// Begins a plan.
    public mutating func prepare(_ epoch: MigrationEpoch) throws(Refusal) -> Verdict {
        if state == .held { throw .held }
        if epoch == current, state == .open { return .repeated }
        guard epoch > current else { throw refusal(of: epoch) }
        // A newer plan takes the place of one that is open: that is how a server is re-targeted.
        (current, state, resolution) = (epoch, .open, nil)
        return .accepted
    }

    /// The last command before a checkpoint.
    public mutating func hold(_ epoch: MigrationEpoch) throws(Refusal) -> Verdict {
        guard epoch == current, state != .closed else { throw refusal(of: epoch) }
        if state == .held { return .repeated }
        state = .held
        return .accepted
    }

    /// The server goes on elsewhere.
    public mutating func networkSwitched(_ epoch: MigrationEpoch) throws(Refusal) -> Verdict {
        if epoch == current, state == .open, requiresHold { throw .notHeld }
        return try resolve(epoch, .switched)
    }

    /// The server stays.
    public mutating func cancel(_ epoch: MigrationEpoch) throws(Refusal) -> Verdict {
        try resolve(epoch, .cancelled)
    }

    private mutating func resolve(_ epoch: MigrationEpoch, _ wanted: Resolution) throws(Refusal) -> Verdict {
        guard epoch == current, epoch != .none else { throw refusal(of: epoch) }
        if state == .closed {
            guard resolution == wanted else { throw refusal(of: epoch) }
            return .repeated
        }
        (state, resolution) = (.closed, wanted)
        return .accepted
    }

    private func refusal(of epoch: MigrationEpoch) -> Refusal {
        if epoch == current, let resolution { return .resolved(resolution) }
        return epoch > current && isOpen ? .planOpen(current) : .stale(current: current)
    }
}

extension EpochLedger.Refusal: CustomStringConvertible {
    /// A sentence for the operator.
    public var description: String {
        switch self {
        case .stale(let current): "that plan is not known; the last one is \(current)"
        case .planOpen(let epoch): "plan \(epoch) is open"
        case .resolved(.switched): "the server has gone on elsewhere under that plan"
        case .resolved(.cancelled): "that plan was called off"
        case .notHeld: "the server was not held"
        case .held: "the server is held"
        }
    }
}
