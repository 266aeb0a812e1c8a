import GodwitCrypto
public import GodwitMigration
public import GodwitWire

// Moves of the server: what happens goes to the machine of GodwitMigration, and what the machine asks is done: here for
// clients, in Connection+Moving for servers, and nowhere else in this room. Rules are those of
// Specs/server-migration.md.
extension Connection {
    // MARK: What users may ask

    /// The connection id that the client chose first, by which plans and operators name the connection.
    public var originalDestinationID: ConnectionID { identity.originalDestination }

    /// What both ends agreed on for moves of the server; `none` on a plain connection.
    public var migrationAgreement: MigrationAgreement {
        switch migration?.machine {
        case .client(let client): client.agreement
        case .server(let server): server.agreement
        case .off, nil: .none
        }
    }

    /// At a server: how far the connection is with the plan under way; nil without one.
    public var migrationOutcome: MigrationOutcome? { migration?.server?.outcome }

    /// At a client: looks for the server at the addresses it was told, because the application has learnt that the
    /// server moves now (section 5.3.5).
    public func lookForServer(now: Instant) {
        handleClientMigration(.moveNow(largestSent: largestSent), now: now)
        applyAnswers(now: now)
        wake()
    }

    var largestSent: UInt64 { loss.largestSent(.application) ?? 0 }

    // MARK: Agreeing

    /// The transport parameters to keep of the peer's, which a plain endpoint ignores (RFC 9000 section 7.4.2).
    var migrationParameterIDs: [UInt64] {
        let isOn =
            role == .client
            ? configuration.migration.isOn : environment.configuration.server?.migration.isOn ?? false
        return isOn ? MigrationTransportParameter.ids : []
    }

    func offerMigration() { configuration.migration.negotiation.write(to: &localParameters) }

    /// Makes the machine, once the peer's parameters are known (section 2).
    func agreeOnMigration() throws(TransportError) {
        guard !migrationParameterIDs.isEmpty, migration == nil else { return }
        let agreement: MigrationAgreement
        let seed: UInt64
        switch role {
        case .client: agreement = try configuration.migration.negotiation.receive(peerParameters)
        case .server:
            guard let server = environment.configuration.server else { return }
            agreement = try server.migration.negotiation.answer(peerParameters, in: &localParameters)
        }
        guard !agreement.isNone else { return }
        seed = environment.random.next()
        migration = ConnectionMigration(
            makeMachine(agreement, seed: seed), local: paths.active.local, remote: paths.active.remote,
            now: timers.lastActivity)
    }

    private func makeMachine(_ agreement: MigrationAgreement, seed: UInt64) -> MigrationMachine {
        switch role {
        case .client:
            .client(
                ClientMigrationMachine(
                    agreement: agreement, configuration: configuration.migration.behaviour, seed: seed))
        case .server:
            .server(
                ServerMigrationMachine(
                    agreement: agreement,
                    policy: environment.configuration.server?.migration.policy ?? .godwit,
                    pool: environment.migrationPool, seed: seed))
        }
    }

    func onMigrationConfirmed(now: Instant) {
        guard role == .server else { return }
        if migration != nil { handleServerMigration(.handshakeConfirmed, now: now) }
        guard let plan = environment.plan else { return }
        // Section 7.4.2. What waited for its handshake has prepared just now.
        environment.barrierMessages.append(.joined(identity.originalDestination))
        if migration?.server?.outcome == nil { join(plan, now: now) }
    }

    // MARK: Packets, both ends

    /// Whether a datagram from an address without a path may be the server's.
    func mayComeFromMovedServer(_ arrival: DatagramArrival) -> Bool {
        guard case .client(let client) = migration?.machine,
            client.admits(arrival.remote, active: paths.active.remote)
        else { return false }
        return paths.mayAdmitServer(from: arrival.remote, to: arrival.local, at: arrival.now)
    }

    func receiveMigrationFrame(
        _ type: UInt64, from reader: inout ByteReader, of packet: ReceivedPacket, _ arrival: DatagramArrival
    ) throws(TransportError) {
        let frame = try MigrationFrame.decode(type: type, from: &reader)
        guard packet.level == .oneRTT else {
            throw TransportError(
                .protocolViolation, "the frame has no place in a packet of this type", frameType: type)
        }
        // Section 3.6.1.
        if role == .server { throw ServerMigrationMachine.refusal(of: frame) }
        guard migration != nil else { throw MigrationMachine.refusal(of: frame) }
        migration?.lastDatagramSize = arrival.size
        try tellClientMachine(
            .frame(frame, packetNumber: packet.number, from: arrival.remote), now: arrival.now)
    }

    /// All frames of a 1-RTT packet were processed.
    func onMigrationPacket(
        _ packet: ReceivedPacket, _ content: PacketContent, _ isLatestWord: Bool, _ arrival: DatagramArrival
    ) {
        guard let migration else { return }
        migration.lastHeard = arrival.now
        if content.isAckEliciting { migration.lastElicited = arrival.now }
        migration.lastDatagramSize = arrival.size
        switch migration.machine {
        case .off: break
        case .client(let client):
            if content.isAckEliciting, client.wantsElicitation {
                handleClientMigration(.elicited, now: arrival.now)
            }
            guard client.wantsPacket(from: arrival.remote, active: paths.active.remote) else { return }
            if case .path(let path) = arrival.origin { migration.remember(path, to: arrival.remote) }
            handleClientMigration(
                .packet(number: packet.number, from: arrival.remote, isHighestNonProbing: isLatestWord),
                now: arrival.now)
        case .server: if migration.awaitsClient { onClientFound(content, arrival) }
        }
    }

    func onMigrationAcknowledgement(_ arrival: DatagramArrival) {
        guard case .client(let client) = migration?.machine, client.wantsAcknowledgements,
            let largest = scratch.outcome.largestAcked, scratch.outcome.space == .application
        else { return }
        handleClientMigration(
            .acknowledgement(largest: largest.number, from: arrival.remote), now: arrival.now)
    }

    /// The peer has answered a challenge.
    func onMigrationPathProved(_ path: PathID?, _ packet: ReceivedPacket, _ arrival: DatagramArrival) {
        guard let path, paths.contains(path), let migration else { return }
        let remote = paths[path].remote
        switch migration.machine {
        case .off: break
        case .client:
            handleClientMigration(.pathValidated(remote, packetNumber: packet.number), now: arrival.now)
        case .server: handleServerMigration(.pathValidated(remote), now: arrival.now)
        }
    }

    // MARK: Paths

    func onMigrationPathRemoved(_ path: PathID, now: Instant) {
        guard let remote = migration?.forget(path), lifecycle.isOpen else { return }
        // The same address may be reached by another path, from another address of ours.
        guard !paths.all.contains(where: { $0.remote == remote }) else { return }
        handleClientMigration(.pathFailed(remote), now: now)
    }

    func onMigrationActiveChanged(now: Instant) {
        guard let migration else { return }
        let (local, remote) = (migration.local, migration.remote)
        (migration.local, migration.remote) = (paths.active.local, paths.active.remote)
        switch role {
        case .client:
            guard local != migration.local, remote == migration.remote else { return }
            handleClientMigration(.localAddressChanged(largestSent: largestSent), now: now)
        case .server: if remote != migration.remote { handleServerMigration(.clientMoved, now: now) }
        }
    }

    /// The client moves: the server may be somewhere else by now, too, and only be found from the new address
    /// (section 5.3.7).
    func alsoLookForServer(from local: NetworkAddress, now: Instant) {
        guard let migration else { return }
        for known in migration.paths where known.remote != paths.active.remote {
            guard known.remote.isIPv4 == local.isIPv4,
                let path = try? paths.reserve(known.remote, from: local, at: now)
            else { continue }
            migration.remember(path, to: known.remote)
        }
        handleClientMigration(.localAddressChanged(largestSent: largestSent), now: now)
    }

    // MARK: Time and trouble

    /// When an acknowledgement is overdue by a probe timeout (section 5.3.1). What is sent meanwhile does not put that
    /// off, as it does the timer of RFC 9002 section 6.2.1.
    var silenceDeadline: Instant {
        guard let migration, migration.watchesSilence, let oldest = loss.oldestAwaitedTime(.application)
        else {
            return .distantFuture
        }
        return max(oldest, migration.watchesSilenceFrom, migration.heardUntil) + ptoSpan
    }

    /// Whether a packet that acknowledges so many others is to ask for an acknowledgement itself: no probe timeout
    /// would tell a client that it hears nothing any more, nor anything else that the server is there after all
    /// (section 5.8.3).
    func wantsAnswer(to acknowledged: Int) -> Bool {
        guard let migration else { return false }
        if migration.isInDoubt { return acknowledged > 0 }
        return migration.watchesSilence && acknowledged > 1 && !loss.hasAckElicitingInFlight(.application)
    }

    /// Notes what the packet asks for that is being written.
    func noteQuestion() {
        guard let migration, role == .client else { return }
        let onlyListened = migration.onlyListens || !loss.hasAckElicitingInFlight(.application)
        migration.onlyListens = onlyListened && !scratch.records.contains { $0.isOfApplication }
    }

    func handleMigrationDeadline(now: Instant) {
        if silenceDeadline <= now { handleClientMigration(.silence(largestSent: largestSent), now: now) }
        guard let deadline = migration?.deadline, deadline <= now else { return }
        if role == .client {
            handleClientMigration(.deadline, now: now)
        } else {
            handleServerMigration(.deadline, now: now)
            announceBeyondWindow()
        }
    }

    func onMigrationProbeTimeout(now: Instant) {
        if let migration, migration.heardUntil + ptoSpan > now { return }
        handleClientMigration(.probeTimeout(largestSent: largestSent), now: now)
    }

    func onUnreachable(_ remote: NetworkAddress, now: Instant) {
        guard migration != nil, lifecycle.isOpen else { return }
        handleClientMigration(.unreachable(remote, largestSent: largestSent), now: now)
        applyAnswers(now: now)
        wake()
    }

    /// Whether a stateless reset ends a path and not the connection (section 5.9.1).
    func absorbsReset(_ arrival: DatagramArrival) -> Bool {
        var actions = ClientMigrationActions()
        guard let migration, lifecycle.isConfirmed,
            migration.absorbsReset(
                from: arrival.remote, in: clientSurroundings, now: arrival.now, actions: &actions)
        else { return false }
        perform(actions, now: arrival.now)
        applyAnswers(now: arrival.now)
        return true
    }

    func tellMigrationOfTheEnd() {
        guard role == .server else { return }
        let now = timers.lastActivity
        if migration != nil { return handleServerMigration(.closed, now: now) }
        guard let plan = environment.plan else { return }
        reportWithoutMachine(.closed, revision: 2, plan.epoch, now: now)
    }

    // MARK: The client's machine

    private var clientSurroundings: ClientSurroundings {
        ClientSurroundings(
            active: paths.active.remote, probeTimeout: ptoSpan, lastHeard: migration?.lastHeard ?? .zero,
            lastElicited: migration?.lastElicited ?? .zero,
            awaitsAcknowledgement: loss.hasAckElicitingInFlight(.application), spareIDs: localIDs.spareCount)
    }

    private func handleClientMigration(_ input: ClientMigrationInput, now: Instant) {
        guard role == .client, lifecycle.isOpen else { return }
        do {
            try tellClientMachine(input, now: now)
        } catch {
            close(error, now: now)
        }
    }

    private func tellClientMachine(_ input: ClientMigrationInput, now: Instant) throws(TransportError) {
        guard let migration else { return }
        perform(try migration.handle(input, in: clientSurroundings, now: now), now: now)
    }

    private func perform(_ actions: ClientMigrationActions, now: Instant) {
        for action in actions { perform(action, now: now) }
        if !actions.isEmpty { wake() }
    }

    private func perform(_ action: ClientMigrationAction, now: Instant) {
        switch action {
        case .reserve(let address): _ = reservePath(to: address, now: now)
        case .probe(let address): challenge(address, allowance: .max, now: now)
        case .probeSparingly(let address):
            challenge(address, allowance: 3 * (migration?.lastDatagramSize ?? 0), now: now)
        case .release(let address):
            for path in paths.all where path.remote == address { paths.abandon(path.id) }
        case .switchPath(let address): switchPath(to: address, now: now)
        case .ping: pending.ping = true
        case .supplyConnectionIDs(let count): localIDs.supply(count)
        case .redirect(let address): paths.redirect(to: address, at: now)
        case .rollBack(let address): paths.rollBack(to: address)
        case .follow(let address):
            paths.follow(to: address, lastDatagram: migration?.lastDatagramSize ?? 0, at: now)
        case .event(let event): notice(.client(event))
        case .close(let error): close(error, now: now)
        }
    }

    private func reservePath(to address: NetworkAddress, now: Instant) -> PathID? {
        do {
            let path = try paths.reserve(address, at: now)
            migration?.remember(path, to: address)
            return path
        } catch {
            return nil
        }
    }

    private func challenge(_ address: NetworkAddress, allowance: Int, now: Instant) {
        var known = paths.paths(to: address)
        if known.isEmpty, let path = reservePath(to: address, now: now) { known = [path] }
        for path in known { paths.challenge(path, allowance: allowance, at: now) }
    }

    /// Data goes where the server has answered. What was on the way to where it was is sent again, since nobody is
    /// there, and something goes at once, so that the server knows (sections 5.6, 6.3.4).
    private func switchPath(to address: NetworkAddress, now: Instant) {
        let candidates = paths.all.filter { $0.remote == address && $0.isValidated }
        guard
            let path = candidates.max(by: {
                $0.statistics.datagramsReceived < $1.statistics.datagramsReceived
            })
        else { return }
        let old = paths.activeID
        paths.activate(path.id, at: now)
        guard old != paths.activeID else { return }
        paths.cancelMoves()
        giveUp(old, now: now)
        // Challenges of a time when nobody was there say nothing about congestion.
        giveUp(path.id, now: now)
        loss.ptoCount = 0
        pending.ping = true
    }

    /// What is in flight on a path is sent again, without a sign of congestion.
    func giveUp(_ path: PathID, now: Instant) {
        let context = lossContext
        loss.declareLost(path: path, into: &scratch.outcome)
        applyOutcome(now: now, context)
    }

    func notice(_ event: MigrationNotice.Event) {
        qlog?.writeMigration(event, local: paths.active.local, remote: paths.active.remote)
        guard environment.migrationNotices.count < Self.mostNotices else { return }
        environment.migrationNotices.append(
            MigrationNotice(
                connection: handle, connectionID: identity.originalDestination, event: event,
                local: paths.active.local, remote: paths.active.remote, movedFrom: migration?.movedFrom))
    }

    /// A server chooses what a client is told, so a driver that does not ask must not let them pile up.
    private static var mostNotices: Int { 1 << 16 }
}
