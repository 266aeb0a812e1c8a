public import GodwitWire

/// What an event loop says to the ``MigrationBarrier``.
public enum BarrierMessage: Hashable, Sendable, Codable {
    /// The connections that the loop had when it learnt of the plan.
    case census(loop: Int, connections: [ConnectionID])
    /// A connection that came later. Nobody waits for it.
    case joined(ConnectionID)
    /// What a connection says about itself.
    case report(ConnectionID, MigrationReport)
}

/// When a server may be frozen (Specs/server-migration.md 7).
///
/// ```
///            every census is in, and every connection of one is ready or never will be
///   open ────────────────────────────────────────────────────────────────────────────────► final
///     └──────────────────────────────── the deadline ─────────────────────────────────────────▲
/// ```
///
/// Connections live on several event loops, which report by message and never wait. Messages may come in any
/// order: what the barrier makes of a set of them does not depend on it, because a connection numbers its
/// reports and dates its readiness.
public struct MigrationBarrier: Hashable, Sendable, Codable {
    private struct Entry: Hashable, Sendable, Codable {
        /// Whether readiness waits for it.
        var isAwaited = false
        var report: MigrationReport?
    }

    /// The plan.
    public let epoch: MigrationEpoch
    /// When not to wait any longer.
    public let latest: Instant
    private let loops: Int
    private var reportedLoops: Set<Int> = []
    private var entries: [ConnectionID: Entry] = [:]
    private var hasTimedOut = false

    /// A barrier for a plan.
    ///
    /// - Parameters:
    ///   - loops: how many event loops are going to send a census.
    ///   - latest: when not to wait any longer.
    public init(epoch: MigrationEpoch, loops: Int, latest: Instant) {
        self.epoch = epoch
        self.loops = loops
        self.latest = latest
    }

    /// Takes a message of an event loop. What belongs to another plan is ignored.
    public mutating func receive(_ message: BarrierMessage) {
        switch message {
        case .census(let loop, let connections):
            reportedLoops.insert(loop)
            for id in connections { entries[id, default: Entry()].isAwaited = true }
        case .joined(let id): if entries[id] == nil { entries[id] = Entry() }
        case .report(let id, let report):
            guard report.epoch == epoch else { return }
            let known = entries[id]?.report?.revision ?? 0
            if report.revision > known { entries[id, default: Entry()].report = report }
        }
    }

    /// When to call ``handleDeadline(now:)``; nil once it makes no difference any more.
    public var deadline: Instant? { isFinal ? nil : latest }

    /// Stops waiting when the time has come.
    public mutating func handleDeadline(now: Instant) {
        if latest <= now { hasTimedOut = true }
    }

    /// Whether there is nothing more to wait for.
    public var isFinal: Bool { hasTimedOut || isComplete }

    private var isComplete: Bool {
        reportedLoops.count >= loops && entries.values.allSatisfy { !$0.isAwaited || isSettled($0) }
    }

    private func isSettled(_ entry: Entry) -> Bool { entry.report?.outcome.isSettled ?? false }

    /// How far the connections are now. It changes after it is final, too: connections close, clients move,
    /// and some become ready late.
    public var readiness: MigrationReadiness {
        MigrationReadiness(epoch: epoch, isFinal: isFinal, outcomes: entries.mapValues(outcome))
    }

    private func outcome(of entry: Entry) -> MigrationOutcome {
        let outcome = entry.report?.outcome ?? .pending
        switch outcome {
        case .ready(let strategy): return isLate(entry) ? .late(strategy) : outcome
        case .pending, .preparing: return hasTimedOut ? .timedOut : outcome
        case .late, .clientMoving, .obstructed, .timedOut, .closed: return outcome
        }
    }

    private func isLate(_ entry: Entry) -> Bool { entry.report.map { $0.time > latest } ?? false }
}
