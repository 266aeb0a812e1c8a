import GodwitWire

/// A client that is never worse off for having been told (Specs/server-migration.md 5).
///
/// ```
///                  a trigger                          a candidate answers
///   waiting ────────────────────────► searching ───────────────────────────► waiting, at the new address
///      ▲  ▲                            │  data stays where it was,
///      │  └─ the present address answers  challenges go to all candidates
///      │                               │
///      └── a minute has passed ────────┘
/// ```
///
/// Data stays on the last validated path. Candidates get challenges and nothing else, all at once; one that
/// does not answer changes nothing.
struct GodwitClient: Hashable, Sendable, Codable {
    /// A time during which the server is looked for.
    struct Search: Hashable, Sendable, Codable {
        var startedAt: Instant
        /// The present address.
        var address: NetworkAddress
        /// Whether an answer from the present address ends it: the server may never have gone.
        var isDoubt: Bool
        /// The last packet sent before; what the server acknowledges of later ones, it has seen since.
        var largestSent: UInt64
        /// When the present address is challenged next.
        var home: ProbeSchedule?
    }

    /// How long a search goes on: as long as its budget is counted over.
    static let searchDuration = ProbeBudget.window
    /// Every so many challenges to a candidate, one to the present address: its probe timeouts ask as well.
    private static let homeSlowdown: Int64 = 4

    let configuration: ClientMigrationConfiguration
    var candidates = Candidates()
    var search: Search?
    var silence = SilenceDetector()
    var budget = ProbeBudget()
    var random: SeededRandom
    /// Until when a server that has announced its move is waited for.
    var patienceEnds = Instant.distantPast
    /// Where data went before the last move.
    var origin: NetworkAddress?

    init(configuration: ClientMigrationConfiguration, seed: UInt64) {
        self.configuration = configuration
        random = SeededRandom(seed: seed)
    }

    // MARK: Searching

    /// Looks for the server at every address that was told.
    mutating func startSearch(
        _ trigger: ClientMigrationTrigger, isDoubt: Bool, largestSent: UInt64, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        guard candidates.hasTold(besides: context.active) else { return }
        endOverdue(at: context.now)
        if search == nil {
            actions.append(.event(.searching(trigger)))
            search = Search(
                startedAt: context.now, address: context.active, isDoubt: isDoubt, largestSent: largestSent)
            // A thesis's server that stands still would find as many challenges as ids when it goes on.
            if context.isExtended { search?.home = ProbeSchedule(startedAt: context.now) }
        }
        if !isDoubt { search?.isDoubt = false }
        candidates.startAll(at: search?.startedAt ?? context.now, besides: context.active)
        probe(context, &actions)
    }

    /// The server has answered where it was.
    mutating func onLifeSign(_ actions: inout ClientMigrationActions) {
        guard let search, search.isDoubt else { return }
        endSearch()
        actions.append(.event(.stayed))
    }

    mutating func endSearch() {
        search = nil
        candidates.stopUnwanted()
    }

    // MARK: Probing

    /// Challenges whatever is due.
    mutating func probe(_ context: ClientContext, _ actions: inout ClientMigrationActions) {
        endOverdue(at: context.now)
        // Whoever has waited longest comes first: what is left of the budget at the end is one challenge at a time.
        let due = candidates.all.filter { $0.schedule.map { $0.next <= context.now } ?? false }
        for candidate in due.sorted(by: { $0.schedule!.next < $1.schedule!.next }) {
            guard var schedule = candidate.schedule, isDue(candidate.address, schedule, context.now) else {
                continue
            }
            challenge(candidate.address, &schedule, slowdown: 1, context, &actions)
            candidates[candidate.address]?.schedule = schedule
        }
        guard let address = search?.address, var home = search?.home, isDue(address, home, context.now) else {
            return
        }
        challenge(address, &home, slowdown: Self.homeSlowdown, context, &actions)
        search?.home = home
    }

    private mutating func endOverdue(at now: Instant) {
        if let search, search.startedAt + Self.searchDuration <= now { endSearch() }
        candidates.stopOverdue(at: now, after: Self.searchDuration)
    }

    private func isDue(_ address: NetworkAddress, _ schedule: ProbeSchedule, _ now: Instant) -> Bool {
        max(schedule.next, budget.opensAt(for: address)) <= now
    }

    private mutating func challenge(
        _ address: NetworkAddress, _ schedule: inout ProbeSchedule, slowdown: Int64, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        let supply = ChallengeSupply(context)
        if supply.permitsChallenge {
            budget.spend(on: address, at: context.now)
            actions.append(.probe(address))
        }
        let spacing = ProbeSchedule.Spacing(
            candidates: candidates.probed, ports: portsUnderProbe(of: address.ip), minimum: supply.interval,
            slowdown: slowdown, spent: budget.count(for: address),
            spentBefore: budget.count(for: address, before: schedule.startedAt))
        schedule.onSent(at: context.now, spacing, using: &random)
    }

    private func portsUnderProbe(of ip: IPAddress) -> Int {
        let isHome = search?.home != nil && search?.address.ip == ip
        return candidates.probed(at: ip) + (isHome ? 1 : 0)
    }

    // MARK: Time

    var deadline: Instant {
        var earliest = silence.deadline
        for candidate in candidates.all {
            if let schedule = candidate.schedule {
                earliest = min(earliest, max(schedule.next, budget.opensAt(for: candidate.address)))
            }
            if case .heard(let until) = candidate.origin { earliest = min(earliest, until) }
        }
        guard let search else { return earliest }
        if let home = search.home {
            earliest = min(earliest, max(home.next, budget.opensAt(for: search.address)))
        }
        return min(earliest, search.startedAt + Self.searchDuration)
    }

    mutating func onDeadline(_ context: ClientContext, _ actions: inout ClientMigrationActions) {
        for address in candidates.removeExpired(at: context.now) { actions.append(.release(address)) }
        probe(context, &actions)
        if silence.isPingDue(at: context.now, context.surroundings) { actions.append(.ping) }
    }

    mutating func shift(by span: TimeSpan) {
        candidates.shift(by: span)
        search?.startedAt += span
        search?.home?.shift(by: span)
        silence.shift(by: span)
        budget.shift(by: span)
        patienceEnds += span
    }
}

/// How often a server may be challenged that spends a connection id on every challenge, as the thesis's does,
/// and that fails when it has none left (Specs/server-migration.md 5.10).
struct ChallengeSupply: Hashable, Sendable {
    /// No path that is worth moving to takes longer to tell that it works.
    static let longestRoundTrip = TimeSpan.milliseconds(600)
    /// How many ids such a server is to have.
    static let wantedIDs = 30

    let permitsChallenge: Bool
    /// So that no more are on the way than there are ids.
    let interval: TimeSpan

    init(_ context: ClientContext) {
        let spare = context.surroundings.spareIDs
        permitsChallenge = context.isExtended || spare > 0
        interval = context.isExtended ? .zero : Self.longestRoundTrip / Int64(max(1, spare - 1))
    }
}
