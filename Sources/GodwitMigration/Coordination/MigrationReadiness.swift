public import GodwitWire

/// How far the connections of a server are with a plan.
public struct MigrationReadiness: Hashable, Sendable, Codable {
    /// The plan.
    public var epoch: MigrationEpoch
    /// Whether there is nothing more to wait for, be it that the deadline has come.
    public var isFinal: Bool
    /// By the connection id that the client chose first.
    public var outcomes: [ConnectionID: MigrationOutcome]

    /// The state of a plan.
    public init(
        epoch: MigrationEpoch, isFinal: Bool, outcomes: [ConnectionID: MigrationOutcome]
    ) {
        self.epoch = epoch
        self.isFinal = isFinal
        self.outcomes = outcomes
    }

    /// How many connections the plan knows of.
    public var total: Int { outcomes.count }
    /// How many will follow.
    public var ready: Int { outcomes.values.reduce(0) { $0 + ($1.isReady ? 1 : 0) } }

    /// Those that can't follow, and are to be told before the server is frozen (Specs/server-migration.md 7.6).
    ///
    /// One that is merely not ready yet is not among them: the last word and what is said after the thaw may
    /// reach it.
    public var leftBehind: [ConnectionID] {
        outcomes.filter(\.value.isLeftBehind).keys
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

extension MigrationReadiness: CustomStringConvertible {
    /// A line such as `990 ready, 8 without the extension, 2 timed out`.
    public var description: String {
        if outcomes.isEmpty { return "no connections" }
        var counts: [Phrase: Int] = [:]
        for outcome in outcomes.values { counts[Phrase(outcome), default: 0] += 1 }
        return counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.text)" }.joined(separator: ", ")
    }

    /// What an outcome is counted under, the good ones first.
    private struct Phrase: Hashable, Comparable {
        let rank: Int
        let text: String

        init(_ outcome: MigrationOutcome) {
            switch outcome {
            case .ready: (rank, text) = (0, "ready")
            case .late: (rank, text) = (1, "ready after the deadline")
            case .pending, .preparing: (rank, text) = (2, "not ready yet")
            case .clientMoving: (rank, text) = (3, "on their way to another address")
            case .obstructed(let obstacle): (rank, text) = (4 + Int(obstacle.rawValue), obstacle.description)
            case .timedOut: (rank, text) = (100, "timed out")
            case .closed: (rank, text) = (101, "closed")
            }
        }

        static func < (lhs: Phrase, rhs: Phrase) -> Bool { lhs.rank < rhs.rank }
    }
}
