public import GodwitWire

/// Many runs, one a seed, and what came of them.
///
/// ```swift
/// let report = Campaign(first: 1, count: 1000).run { seed in
///     let network = SimulatedNetwork(seed: seed)
///     …
///     return RunOutcome(network)
/// }
/// print(report)
/// ```
public struct Campaign: Sendable {
    /// The seed of the first run; the others follow one by one.
    public var first: UInt64
    /// How many runs there are.
    public var count: UInt64
    /// Every how many seeds a run is made twice, to see that it repeats; 0 for never.
    public var repetitionInterval: UInt64
    /// Whether the campaign ends with the first run that fails.
    public var stopsAtFailure: Bool
    /// The command that repeats the run of a seed.
    public var replayCommand: @Sendable (UInt64) -> String

    /// A campaign over the seeds `first ..< first + count`.
    public init(
        first: UInt64, count: UInt64, repetitionInterval: UInt64 = 10, stopsAtFailure: Bool = false,
        replayCommand: @escaping @Sendable (UInt64) -> String = { "make sim SEED=\($0) COUNT=1" }
    ) {
        self.first = first
        self.count = count
        self.repetitionInterval = repetitionInterval
        self.stopsAtFailure = stopsAtFailure
        self.replayCommand = replayCommand
    }

    /// Makes the runs.
    ///
    /// - Parameters:
    ///   - progress: told after every run.
    ///   - scenario: makes the run of a seed. An error it throws is a failure of that run.
    public func run(
        progress: (CampaignProgress) -> Void = { _ in }, _ scenario: (UInt64) throws -> RunOutcome
    ) -> CampaignReport {
        var report = CampaignReport()
        for index in 0..<count {
            let seed = first &+ index
            let violations = judge(seed, isRepeated: isRepeated(index), scenario, &report)
            report.runs += 1
            if !violations.isEmpty {
                report.failures.append(
                    CampaignFailure(seed: seed, violations: violations, replayCommand: replayCommand(seed)))
            }
            progress(CampaignProgress(seed: seed, completed: report.runs, total: count, report: report))
            if stopsAtFailure, !violations.isEmpty { break }
        }
        return report
    }

    private func isRepeated(_ index: UInt64) -> Bool {
        repetitionInterval > 0 && index % repetitionInterval == 0
    }

    private func judge(
        _ seed: UInt64, isRepeated: Bool, _ scenario: (UInt64) throws -> RunOutcome,
        _ report: inout CampaignReport
    ) -> [Violation] {
        do {
            let outcome = try scenario(seed)
            report.add(outcome)
            guard isRepeated else { return outcome.violations }
            let again = try scenario(seed)
            guard again.traceHash != outcome.traceHash else { return outcome.violations }
            let message = "two runs of seed \(seed) differ"
            let end = Instant.zero + outcome.duration
            return outcome.violations + [Violation(checker: "determinism", time: end, message: message)]
        } catch {
            return [Violation(checker: "scenario", time: .zero, message: "\(error)")]
        }
    }
}

/// What came of a run.
public struct RunOutcome: Sendable {
    /// Two runs of a seed have the same.
    public var traceHash: UInt64
    /// What was wrong.
    public var violations: [Violation]
    /// How long the run was on the network's clock.
    public var duration: TimeSpan
    /// How often what happened.
    public var counts: TraceCounts
    /// What the run came to have in it, by names of the scenario's own.
    public var features: Set<String> = []

    /// The outcome of a network's run that is over. Asks its checkers for their last word.
    public init(_ network: SimulatedNetwork) {
        violations = network.finish()
        traceHash = network.trace.hash
        duration = network.now - .zero
        counts = network.trace.counts
    }
}

/// How far a ``Campaign`` is.
public struct CampaignProgress: Sendable {
    /// The seed of the run that is over.
    public var seed: UInt64
    /// How many runs are over.
    public var completed: UInt64
    /// How many there will be.
    public var total: UInt64
    /// What has come of them.
    public var report: CampaignReport
}

/// A run that failed.
public struct CampaignFailure: Hashable, Sendable {
    /// Its seed.
    public var seed: UInt64
    /// What was wrong.
    public var violations: [Violation]
    /// The command that repeats it.
    public var replayCommand: String
}

/// What came of a ``Campaign``.
public struct CampaignReport: Sendable {
    /// How many runs there were, repetitions not counted.
    public internal(set) var runs: UInt64 = 0
    /// The runs that failed.
    public internal(set) var failures: [CampaignFailure] = []
    /// The time of all runs on their networks' clocks.
    public internal(set) var virtualTime = TimeSpan.zero
    /// The datagrams that programs sent in all runs.
    public internal(set) var datagrams: UInt64 = 0
    /// How many runs had what in them; see ``RunOutcome/features``.
    public internal(set) var features: [String: UInt64] = [:]
    /// What two campaigns over the same seeds have in common if nothing changed.
    public internal(set) var traceHash: UInt64 = 0

    mutating func add(_ outcome: RunOutcome) {
        virtualTime = virtualTime + outcome.duration
        datagrams += outcome.counts[.sent]
        for feature in outcome.features { features[feature, default: 0] += 1 }
        var hash = TraceHash()
        hash.combine(traceHash)
        hash.combine(outcome.traceHash)
        traceHash = hash.value
    }
}

extension CampaignFailure: CustomStringConvertible {
    /// The command first, then what was wrong.
    public var description: String {
        (["seed \(seed) failed; replay it with: \(replayCommand)"] + violations.map { "    \($0)" })
            .joined(separator: "\n")
    }
}

extension CampaignReport: CustomStringConvertible {
    /// A line of figures.
    public var figures: String {
        "\(runs) runs, \(failures.count) failed, \(virtualTime) of virtual time, \(datagrams) datagrams"
    }

    /// The figures, then the failures.
    public var description: String { ([figures] + failures.map(\.description)).joined(separator: "\n") }
}
