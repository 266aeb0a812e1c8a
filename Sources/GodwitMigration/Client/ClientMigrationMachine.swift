public import GodwitWire

/// The part of a client's connection that follows the server (Specs/server-migration.md 4, 5).
///
/// What the server may say, and when, is ``ClientRules``; what the client makes of it is one of two policies.
/// The machine neither reads nor writes packets and names paths by the server's address. The connection asks
/// ``admits(_:active:)`` before it opens packets from unknown addresses, reports with
/// ``handle(_:in:now:actions:)``, does what the actions say, and comes back at ``deadline``.
public struct ClientMigrationMachine: Hashable, Sendable, Codable {
    /// What the two ends agreed on.
    public let agreement: MigrationAgreement

    /// When to report ``ClientMigrationInput/deadline``; nil for never.
    public private(set) var deadline: Instant?
    /// Whether ``ClientMigrationInput/acknowledgement(largest:from:)`` is worth reporting.
    public private(set) var wantsAcknowledgements = false
    /// Whether ``ClientMigrationInput/elicited`` is worth reporting.
    public private(set) var wantsElicitation = false
    /// Whether ``ClientMigrationInput/silence(largestSent:)`` is worth reporting.
    public private(set) var watchesSilence = false
    /// Whether packets from the active address are worth reporting.
    private var wantsActivePackets = false

    private var rules: ClientRules
    private var behaviour: Behaviour

    private enum Behaviour: Hashable, Sendable, Codable {
        case godwit(GodwitClient)
        case thesis(ThesisClient)
    }

    /// The machine of a connection whose parameters were exchanged.
    ///
    /// - Parameter seed: fresh randomness, for jitter.
    public init(
        agreement: MigrationAgreement, configuration: ClientMigrationConfiguration = .init(), seed: UInt64
    ) {
        self.agreement = agreement
        rules = ClientRules(agreement: agreement)
        behaviour =
            switch configuration.policy {
            case .godwit: .godwit(GodwitClient(configuration: configuration, seed: seed))
            case .thesis: .thesis(ThesisClient(scheduler: configuration.scheduler))
            }
    }

    // MARK: Queries

    /// Whether a datagram from an address that data does not go to may be the server's, so that its packets
    /// are worth opening. Others are dropped (RFC 9000 section 9, Specs/server-migration.md 4.3.3).
    public func admits(_ remote: NetworkAddress, active: NetworkAddress) -> Bool {
        switch behaviour {
        case .godwit(let client): client.admits(remote, rules: rules, active: active)
        case .thesis(let client):
            client.isProbing || rules.opensStrangers || rules.pool != nil || rules.isMoveAnnounced
        }
    }

    /// Whether ``ClientMigrationInput/packet(number:from:isHighestNonProbing:)`` is worth reporting for a
    /// packet from `remote`.
    public func wantsPacket(from remote: NetworkAddress, active: NetworkAddress) -> Bool {
        wantsActivePackets || remote != active
    }

    /// Until when the idle timeout must not end the connection, because the server has announced that it will
    /// be away; nil when it may (Specs/server-migration.md 5.9.2).
    public func idleTimeoutSuspended(at now: Instant) -> Instant? {
        guard case .godwit(let client) = behaviour, client.isMoveExpected(at: now) else { return nil }
        return client.patienceEnds
    }

    /// What is asked for every packet is kept at hand, since it changes with inputs only.
    private mutating func updateInterests(_ active: NetworkAddress) {
        switch behaviour {
        case .godwit(let client):
            watchesSilence = client.search == nil && client.candidates.hasTold(besides: active)
            deadline = client.deadline.unlessNever
            wantsAcknowledgements = client.search?.isDoubt ?? false
            wantsElicitation = client.silence.isDormant
            wantsActivePackets = client.candidates.wantsHeard
        case .thesis(let client): wantsActivePackets = client.isProbing
        }
    }

    /// Carries the machine over a freeze of the client.
    public mutating func resume(shiftedBy span: TimeSpan) {
        guard case .godwit(var client) = behaviour else { return }
        client.shift(by: span)
        behaviour = .godwit(client)
        deadline = client.deadline.unlessNever
    }

    // MARK: Inputs

    /// Takes what happened and appends what is to be done.
    ///
    /// - Parameters:
    ///   - surroundings: the connection as it is after what happened.
    ///   - actions: where to append; the caller does them in order.
    /// - Throws: what the server did that it must not (Specs/server-migration.md 3.6).
    public mutating func handle(
        _ input: ClientMigrationInput, in surroundings: ClientSurroundings, now: Instant,
        actions: inout ClientMigrationActions
    ) throws(TransportError) {
        let context = ClientContext(now: now, surroundings: surroundings, isExtended: agreement.isExtended)
        defer { updateInterests(context.active) }
        switch behaviour {
        case .godwit(var client):
            defer { behaviour = .godwit(client) }
            try handle(input, &client, context, &actions)
        case .thesis(var client):
            defer { behaviour = .thesis(client) }
            try handle(input, &client, context, &actions)
        }
    }

    /// Whether a stateless reset from `remote` ends the path to it and not the connection
    /// (Specs/server-migration.md 5.9.1).
    public mutating func absorbsReset(
        from remote: NetworkAddress, in surroundings: ClientSurroundings, now: Instant,
        actions: inout ClientMigrationActions
    ) -> Bool {
        guard case .godwit(var client) = behaviour else { return false }
        defer {
            behaviour = .godwit(client)
            updateInterests(surroundings.active)
        }
        let context = ClientContext(now: now, surroundings: surroundings, isExtended: agreement.isExtended)
        return client.absorbsReset(from: remote, context, &actions)
    }

    private mutating func handle(
        _ input: ClientMigrationInput, _ client: inout GodwitClient, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) throws(TransportError) {
        switch input {
        case .frame(let frame, let packetNumber, let remote):
            let news = try rules.receive(
                frame, packetNumber: packetNumber, from: remote.asTold, current: context.active.asTold,
                isSearching: false)
            if let news { client.receive(news, rules: &rules, context, &actions) }
        case .packet(let number, let remote, let isHighest):
            client.onPacket(
                from: remote, number: number, isHighestNonProbing: isHighest, rules: &rules, context,
                &actions)
        case .acknowledgement(let largest, let remote):
            guard remote == context.active, let search = client.search, largest > search.largestSent else {
                return
            }
            client.onLifeSign(&actions)
        case .elicited: client.silence.resume(at: context.now, context.surroundings)
        case .pathValidated(let address, let packetNumber):
            client.onValidated(address, rules: &rules, packetNumber: packetNumber, context, &actions)
        case .pathFailed(let address): client.onFailed(address)
        case .probeTimeout(let largestSent), .silence(let largestSent):
            client.startSearch(.silence, isDoubt: true, largestSent: largestSent, context, &actions)
        case .unreachable(let address, let largestSent):
            guard address == context.active else { return }
            client.startSearch(.silence, isDoubt: true, largestSent: largestSent, context, &actions)
        case .localAddressChanged(let largestSent):
            guard client.isMoveExpected(at: context.now) || client.search != nil else { return }
            client.startSearch(.ownMove, isDoubt: true, largestSent: largestSent, context, &actions)
        case .moveNow(let largestSent):
            client.startSearch(.application, isDoubt: false, largestSent: largestSent, context, &actions)
        case .deadline: client.onDeadline(context, &actions)
        }
    }

    private mutating func handle(
        _ input: ClientMigrationInput, _ client: inout ThesisClient, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) throws(TransportError) {
        switch input {
        case .frame(let frame, let packetNumber, let remote):
            let news = try rules.receive(
                frame, packetNumber: packetNumber, from: remote.asTold, current: context.active.asTold,
                isSearching: client.isProbing)
            if let news { client.receive(news, context, &actions) }
        case .packet(let number, let remote, true):
            client.onHighestNonProbing(
                from: remote, packetNumber: number, rules: &rules, context, &actions)
        case .probeTimeout: client.onProbeTimeout(rules: rules, .silence, context, &actions)
        case .moveNow: client.onProbeTimeout(rules: rules, .application, context, &actions)
        case .pathValidated(let address, let packetNumber):
            if client.onValidated(address, &actions) { rules.onMoved(packetNumber: packetNumber) }
        case .pathFailed(let address): client.onFailed(address, &actions)
        case .packet, .acknowledgement, .elicited, .silence, .unreachable, .localAddressChanged, .deadline:
            break
        }
    }
}
