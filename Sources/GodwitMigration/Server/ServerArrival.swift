import GodwitWire

/// A server's connection that goes on in another place and waits for its client to follow
/// (Specs/server-migration.md 6.2, 6.3).
///
/// ```
///            thaw                         a packet of the client comes here
///   ready ─────────► speaking, or silent ──────────────────────────────────► heard ──► over
/// ```
///
/// Over it is when the client has moved for good: without the extension when the answer to the client's
/// challenge is acknowledged, with it when the client sends something other than probes. Probes alone don't
/// show that it knows: it answers challenges from wherever they come, and waits for a word that is none.
struct ServerArrival: Hashable, Sendable, Codable {
    let voice: ServerVoice
    private let announces: Bool
    private var clientAddresses: ContiguousArray<NetworkAddress>
    private var schedule: ProbeSchedule
    private var budget = ProbeBudget()
    private var migrated: MigrationFrameID?
    private(set) var isHeard = false
    /// Whether the client has answered a challenge.
    private var isValidated = false

    /// - Parameter announces: whether the client knows SERVER_MIGRATED.
    init(voice: ServerVoice, announces: Bool, _ thaw: ServerThaw, at now: Instant) {
        self.voice = voice
        self.announces = announces
        self.clientAddresses = ContiguousArray(thaw.clientAddresses.prefix(ServerThaw.clientAddressLimit))
        self.schedule = ProbeSchedule(startedAt: now, delay: thaw.delay)
    }

    /// When to speak next.
    var deadline: Instant? { isSpeaking ? max(schedule.next, budgetOpensAt) : nil }

    private var isSpeaking: Bool {
        switch voice {
        case .silent, .announcingOnce: false
        case .announcing: !isHeard
        case .probing: !isValidated && !clientAddresses.isEmpty || announces && !isHeard
        }
    }

    private var budgetOpensAt: Instant {
        clientAddresses.map { budget.opensAt(for: $0) }.min() ?? .distantPast
    }

    /// Says what is due now.
    ///
    /// - Parameter missing: an announcement that has to come before SERVER_MIGRATED.
    mutating func speak(
        at now: Instant, missing: MigrationFrameID?, outbox: inout MigrationOutbox,
        random: inout SeededRandom, actions: inout ServerMigrationActions
    ) {
        guard let due = deadline, due <= now else { return }
        probe(at: now, &actions)
        if !isHeard { announce(missing: missing, outbox: &outbox) }
        let spacing = ProbeSchedule.Spacing(candidates: clientAddresses.count, ports: mostPorts)
        schedule.onSent(at: now, spacing, using: &random)
    }

    private mutating func probe(at now: Instant, _ actions: inout ServerMigrationActions) {
        var (probed, waiting): (ContiguousArray<NetworkAddress>, ContiguousArray<NetworkAddress>) = ([], [])
        for address in clientAddresses {
            guard budget.opensAt(for: address) <= now else { waiting.append(address); continue }
            budget.spend(on: address, at: now)
            if voice == .probing, !isValidated { actions.append(.probe(address)) }
            probed.append(address)
        }
        // Ports of one host share its budget: whoever had to wait is first next time.
        clientAddresses = waiting + probed
    }

    /// At how many ports of one host the client may be.
    private var mostPorts: Int {
        clientAddresses.map { address in clientAddresses.reduce(0) { $0 + ($1.ip == address.ip ? 1 : 0) } }
            .max() ?? 1
    }

    /// SERVER_MIGRATED, or what has to be known before it (Specs/server-migration.md 4.4.3).
    mutating func announce(missing: MigrationFrameID?, outbox: inout MigrationOutbox) {
        guard announces else { return }
        if let id = missing ?? migrated { return outbox.repeat(id) }
        migrated = outbox.append(.serverMigrated, isRetransmitted: false)
    }

    /// A packet of the client came here.
    mutating func onClientPacket(_ isNonProbing: Bool, outbox: inout MigrationOutbox) {
        guard isNonProbing || voice != .probing else { return }
        isHeard = true
        if let migrated { outbox.withdraw(migrated) }
    }

    /// The client answered at an address.
    mutating func onValidated(_ address: NetworkAddress) {
        // One address of the client's is enough: the others are where it was, or somebody else's by now.
        guard clientAddresses.contains(address) else { return }
        (clientAddresses, isValidated) = ([address], true)
    }

    mutating func shift(by span: TimeSpan) {
        schedule.shift(by: span)
        budget.shift(by: span)
    }
}
