import GodwitWire

/// An address that the server may be at.
struct Candidate: Hashable, Sendable, Codable {
    enum Origin: Hashable, Sendable, Codable {
        /// It was told for the move that is announced, and is of no use after it.
        case announcement
        /// It is one of the pool.
        case pool
        /// It was told in an ALTERNATIVE_ADDRESS frame, and stays until it is withdrawn.
        case alternative
        /// A packet came from it. It is dropped when the time has come and it has not answered.
        case heard(until: Instant)
    }

    let address: NetworkAddress
    var origin: Origin
    /// When it is challenged next; nil when it is not looked at.
    var schedule: ProbeSchedule?
    /// Whether data goes there as soon as it has answered, whatever the present address does: the server has
    /// sent something other than probes from it, or wants the client there.
    var isWanted = false
    /// When it has answered a challenge last.
    var answeredAt: Instant?

    /// Whether an answer is recent enough to send data there on the strength of it.
    func hasAnswered(before now: Instant) -> Bool {
        answeredAt.map { now < $0 + Candidates.heardLifetime } ?? false
    }

    var isHeard: Bool {
        if case .heard = origin { return true }
        return false
    }
}

/// The addresses that the server may be at (Specs/server-migration.md 5.2).
///
/// At most eight that were told, and four that packets came from: of those that are told, the first stay; of
/// those that were heard, the latest.
struct Candidates: Hashable, Sendable, Codable {
    static let heardLimit = 4
    /// How long an address that a packet came from has to answer.
    static let heardLifetime = TimeSpan.seconds(3)

    private(set) var all: ContiguousArray<Candidate> = []

    var told: Int { all.reduce(0) { $0 + ($1.isHeard ? 0 : 1) } }
    /// Whether there is any that was told, other than the one in use.
    func hasTold(besides active: NetworkAddress) -> Bool {
        all.contains { !$0.isHeard && $0.address != active }
    }

    /// Whether there are addresses that are told for more than one move.
    var hasStanding: Bool { all.contains { $0.origin == .pool || $0.origin == .alternative } }
    /// Whether the server has named addresses because it is going to move.
    var hasAnnounced: Bool { all.contains { $0.origin == .announcement || $0.origin == .alternative } }
    /// How many share the budget.
    var probed: Int { all.reduce(0) { $0 + ($1.schedule == nil ? 0 : 1) } }

    /// How many share the budget of a host.
    func probed(at ip: IPAddress) -> Int {
        all.reduce(0) { $0 + ($1.schedule != nil && $1.address.ip == ip ? 1 : 0) }
    }

    subscript(address: NetworkAddress) -> Candidate? {
        get { all.first { $0.address == address } }
        set {
            guard let index = all.firstIndex(where: { $0.address == address }), let newValue else { return }
            all[index] = newValue
        }
    }

    func contains(_ address: NetworkAddress) -> Bool { self[address] != nil }

    enum Addition: Hashable, Sendable {
        case added
        case known
        case full
    }

    /// Adds an address that was told.
    mutating func tell(_ address: NetworkAddress, _ origin: Candidate.Origin) -> Addition {
        if let index = all.firstIndex(where: { $0.address == address }) {
            let isNews = all[index].isHeard
            // A member of the pool stays one, whatever else it is named for.
            if all[index].origin != .pool { all[index].origin = origin }
            return isNews ? .added : .known
        }
        guard told < ProbeBudget.candidateLimit else { return .full }
        all.append(Candidate(address: address, origin: origin))
        return .added
    }

    /// Adds an address that a packet came from.
    /// - Returns: the address that had to make room.
    mutating func hear(_ address: NetworkAddress, at now: Instant) -> NetworkAddress? {
        if contains(address) { return nil }
        var crowdedOut: NetworkAddress?
        if all.count - told >= Self.heardLimit, let index = all.firstIndex(where: \.isHeard) {
            crowdedOut = all.remove(at: index).address
        }
        all.append(Candidate(address: address, origin: .heard(until: now + Self.heardLifetime)))
        return crowdedOut
    }

    mutating func remove(_ address: NetworkAddress) { all.removeAll { $0.address == address } }

    /// Takes out those that were heard from and have not answered in time.
    mutating func removeExpired(at now: Instant) -> [NetworkAddress] {
        let expired = all.filter {
            if case .heard(let until) = $0.origin { return until <= now }
            return false
        }
        guard !expired.isEmpty else { return [] }
        all.removeAll { expired.contains($0) }
        return expired.map(\.address)
    }

    /// Takes out those that were told for the announced move.
    mutating func removeAnnounced() -> [NetworkAddress] {
        let announced = all.filter { $0.origin == .announcement }
        all.removeAll { $0.origin == .announcement }
        return announced.map(\.address)
    }

    /// Takes out those that were heard from.
    mutating func removeHeard() -> [NetworkAddress] {
        let heard = all.filter(\.isHeard)
        all.removeAll(where: \.isHeard)
        return heard.map(\.address)
    }

    /// Has every address that was told looked at from now on; those that are already, as before.
    mutating func startAll(at start: Instant, besides active: NetworkAddress) {
        for index in all.indices where all[index].schedule == nil && all[index].address != active {
            all[index].schedule = ProbeSchedule(startedAt: start)
        }
    }

    /// Looks no longer at those that were told and are not wanted.
    mutating func stopUnwanted() {
        for index in all.indices where !all[index].isWanted && !all[index].isHeard {
            all[index].schedule = nil
        }
    }

    /// Looks no longer at those that were looked at for so long.
    mutating func stopOverdue(at now: Instant, after duration: TimeSpan) {
        for index in all.indices {
            guard let schedule = all[index].schedule, schedule.startedAt + duration <= now else { continue }
            (all[index].schedule, all[index].isWanted) = (nil, false)
        }
    }

    /// Only the server's latest word says where it is: those that it was heard from before are not wanted any
    /// more.
    mutating func forgetHeardWishes() {
        for index in all.indices where all[index].isHeard { all[index].isWanted = false }
    }

    /// Whether data would go to an address that was heard from as soon as it answers.
    var wantsHeard: Bool { all.contains { $0.isHeard && $0.isWanted } }

    /// Looks at none any longer.
    mutating func stopAll() {
        for index in all.indices { (all[index].schedule, all[index].isWanted) = (nil, false) }
    }

    mutating func shift(by span: TimeSpan) {
        for index in all.indices {
            all[index].schedule?.shift(by: span)
            // What answered before a freeze may be anywhere now.
            all[index].answeredAt = nil
            if case .heard(let until) = all[index].origin { all[index].origin = .heard(until: until + span) }
        }
    }
}
