import GodwitWire

/// A client that follows its server as the thesis's does (Specs/server-migration.md 9.3): for experiments,
/// and as a peer in tests.
///
/// ```
///                 a probe timeout            a packet from there             the path is validated
///   waiting ───────────────────────► probing ─────────────────► validating ─────────────────────► waiting
///      ▲ │                            │                             ▲
///      │ └── a packet from anywhere, by Symmetric ──────────────────┘
///      └─────── a packet from where it was: roll back
/// ```
///
/// It sends data to addresses that nobody has validated, and any probe timeout makes it do so.
struct ThesisClient: Hashable, Sendable, Codable {
    private enum Phase: Hashable, Sendable, Codable {
        case waiting
        /// Data goes where the server may be; it was at `origin`.
        case probing(origin: NetworkAddress)
        case validating(NetworkAddress)
    }

    private var phase = Phase.waiting
    private var scheduler: PoolScheduler
    private var origin: NetworkAddress?

    init(scheduler: PoolScheduler) { self.scheduler = scheduler }

    /// Whether data goes to an address where the server was not found yet.
    var isProbing: Bool {
        if case .probing = phase { return true }
        return false
    }

    mutating func receive(
        _ news: ClientNews, _ context: ClientContext, _ actions: inout ClientMigrationActions
    ) {
        switch news {
        case .pool(let addresses):
            for address in addresses {
                scheduler.insert(address)
                actions.append(.event(.told(address)))
            }
        case .destination(let addresses):
            actions.append(.event(.announced))
            for address in addresses { actions.append(.event(.told(address))) }
        case .announced: actions.append(.event(.announced))
        case .arrived, .alternative: break
        }
    }

    /// A probe timeout, or the application's word that there was one.
    mutating func onProbeTimeout(
        rules: ClientRules, _ trigger: ClientMigrationTrigger, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        switch (phase, rules.announcement) {
        case (.waiting, .explicit(let told)):
            guard let destination = told.announced.address(isIPv4: context.active.isIPv4) else { return }
            redirect(to: destination, from: context.active, trigger, &actions)
        case (.waiting, .none) where rules.pool != nil:
            redirectAlongPool(from: context.active, trigger, &actions)
        case (.probing(let origin), .none) where rules.pool != nil:
            redirectAlongPool(from: origin, trigger, &actions)
        default: break
        }
    }

    private mutating func redirectAlongPool(
        from origin: NetworkAddress, _ trigger: ClientMigrationTrigger,
        _ actions: inout ClientMigrationActions
    ) {
        guard let address = scheduler.next(current: origin) else { return }
        redirect(to: address, from: origin, trigger, &actions)
    }

    private mutating func redirect(
        to address: NetworkAddress, from origin: NetworkAddress, _ trigger: ClientMigrationTrigger,
        _ actions: inout ClientMigrationActions
    ) {
        if !isProbing { actions.append(.event(.searching(trigger))) }
        phase = .probing(origin: origin)
        actions.append(.redirect(to: address))
    }

    /// The packet with the highest number so far, that was no probe, came from an address.
    mutating func onHighestNonProbing(
        from remote: NetworkAddress, packetNumber: UInt64, rules: inout ClientRules, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        switch phase {
        case .probing(let origin) where remote == origin:
            phase = .waiting
            scheduler.restart()
            actions.append(.rollBack(to: origin))
            actions.append(.event(.stayed))
        case .probing(let origin):
            guard isExpected(remote, rules) else { return }
            validate(remote, from: origin, &actions)
        case .waiting:
            guard remote != context.active, rules.admitsStrangers else { return }
            rules.onDetected(packetNumber: packetNumber)
            validate(remote, from: context.active, &actions)
        case .validating: break
        }
    }

    private func isExpected(_ remote: NetworkAddress, _ rules: ClientRules) -> Bool {
        if case .explicit(let told) = rules.announcement { return told.announced.addresses.contains(remote) }
        return scheduler.addresses.contains(remote)
    }

    private mutating func validate(
        _ remote: NetworkAddress, from origin: NetworkAddress, _ actions: inout ClientMigrationActions
    ) {
        scheduler.restart()
        self.origin = origin
        phase = .validating(remote)
        actions.append(.follow(to: remote))
    }

    /// True when that was the path of the move.
    mutating func onValidated(_ address: NetworkAddress, _ actions: inout ClientMigrationActions) -> Bool {
        guard case .validating(address) = phase else { return false }
        phase = .waiting
        actions.append(.event(.moved(from: origin ?? address, to: address)))
        return true
    }

    mutating func onFailed(_ address: NetworkAddress, _ actions: inout ClientMigrationActions) {
        guard case .validating(address) = phase else { return }
        actions.append(
            .close(TransportError(.noViablePath, "the path to the server's new address was not validated")))
    }
}
