import GodwitCrypto
import GodwitMigration
import GodwitWire

// A server's connection that moves with the server: see Connection+Migration. Rules are those of
// Specs/server-migration.md.
extension Connection {
    // MARK: The server's machine

    private var serverSurroundings: ServerSurroundings {
        ServerSurroundings(
            local: paths.active.local, remote: paths.active.remote,
            isRemoteValidated: paths.active.isValidated, hasDataToSend: hasApplicationDataToSend,
            hasSpareID: paths.remoteIDs.isZeroLength || paths.remoteIDs.availableCount > 0)
    }

    func handleServerMigration(_ input: ServerMigrationInput, now: Instant) {
        guard let migration, role == .server else { return }
        for action in migration.handle(input, in: serverSurroundings, now: now) { perform(action, now: now) }
        if migration.hasFrameToSend { wake() }
    }

    func onConnectionIDIssued(now: Instant) { handleServerMigration(.connectionIDsIssued, now: now) }

    /// What says where the server is now is no more held up by a full window than a probe timeout's packets are (RFC
    /// 9002 section 7.5): until the client has heard it nothing of the window is acknowledged (section 6.2.3).
    func announceBeyondWindow() {
        guard let migration, migration.awaitsClient, migration.hasFrameToSend,
            paths.active.congestion.available(bytesInFlight: paths.active.bytesInFlight.count) == 0
        else { return }
        pending.probes.application = max(pending.probes.application, 1)
    }

    private func perform(_ action: ServerMigrationAction, now: Instant) {
        switch action {
        case .probe(let address): challengeClient(at: address, now: now)
        case .supplyConnectionIDs(let count): localIDs.supply(count)
        case .report(let report): tell(report)
        case .event(let event):
            if case .completed = event { paths.endScheduleOutside(at: now) }
            notice(.server(event))
        case .close(let error): close(error, now: now)
        }
    }

    private func challengeClient(at address: NetworkAddress, now: Instant) {
        let known = paths.all.first { $0.remote == address && paths.answersFor($0.local) }
        if let path = known?.id ?? (try? paths.reserve(address, at: now)) { paths.challenge(path, at: now) }
        wake()
    }

    // MARK: A plan

    /// Prepares to move as a plan wants it.
    func join(_ plan: OpenMigrationPlan, now: Instant) {
        guard migration != nil else {
            return reportWithoutMachine(.obstructed(.notNegotiated), revision: 1, plan.epoch, now: now)
        }
        handleServerMigration(plan.plan.input(for: identity.originalDestination, plan.epoch), now: now)
    }

    func reportWithoutMachine(
        _ outcome: MigrationOutcome, revision: UInt32, _ epoch: MigrationEpoch, now: Instant
    ) {
        tell(MigrationReport(epoch: epoch, revision: revision, outcome: outcome, time: now))
    }

    /// Tells the barrier, and whoever watches that the connection can't take part: nothing else is heard of it. One
    /// that is in its handshake yet may, and one that the plan doesn't name was not to (sections 7.1.3, 7.4.2).
    private func tell(_ report: MigrationReport) {
        environment.barrierMessages.append(.report(identity.originalDestination, report))
        guard case .obstructed(let obstacle) = report.outcome, obstacle != .handshakeUnfinished,
            let order = environment.plan?.plan.orders(for: identity.originalDestination).first
        else { return }
        notice(.server(.failed(order.strategy, .obstructed(obstacle))))
    }

    /// Says the last word before a freeze, in as many packets as it is to be said in, past the congestion window: it is
    /// this or nothing.
    func fallSilent(_ epoch: MigrationEpoch, now: Instant) {
        handleServerMigration(.hold(epoch), now: now)
        if migration?.hasFrameToSend ?? false { pending.probes.application = MigrationMachine.lastWordCopies }
        wake()
    }

    /// Goes on where the plan wanted it, or anywhere else: `locals` is where the server is now.
    func arrive(_ epoch: MigrationEpoch, _ locals: [NetworkAddress], _ thaw: EndpointThaw, delay: TimeSpan) {
        guard role == .server else {
            return resume(now: thaw.now, shiftedBy: thaw.frozen, localAddress: locals.first)
        }
        guard lifecycle.isOpen else { return }
        shift(by: thaw.frozen, now: thaw.now)
        streams.restartMeasurements()
        paths.resume(at: thaw.now, shiftedBy: thaw.frozen, localAddress: nil)
        let clients = paths.peerAddresses(limit: ServerThaw.clientAddressLimit)
        migration?.movedFrom = paths.active.local
        migration?.awaitsSign = true
        migration?.awaitsFirstWord = true
        leaveOutNumbers()
        if migration?.server?.policy == .thesis {
            paths.relocateThesisServer(to: locals)
        } else {
            paths.moveServer(to: locals, at: thaw.now)
            renewIDs(hasMoved: !locals.isEmpty)
        }
        applyAnswers(now: thaw.now)
        let seed = environment.random.next()
        handleServerMigration(
            .networkSwitched(epoch, ServerThaw(clientAddresses: clients, seed: seed, delay: delay)),
            now: thaw.now)
        applyAnswers(now: thaw.now)
        wake()
    }

    /// Stays where it is, after a plan that was called off.
    func callOff(_ epoch: MigrationEpoch, _ thaw: EndpointThaw, wasHeld: Bool) {
        guard lifecycle.isOpen else { return }
        if wasHeld {
            shift(by: thaw.frozen, now: thaw.now)
            paths.resume(at: thaw.now, shiftedBy: thaw.frozen, localAddress: nil)
            leaveOutNumbers()
        }
        handleServerMigration(.cancel(epoch), now: thaw.now)
        applyAnswers(now: thaw.now)
        wake()
    }

    /// Section 6.6.5. Any other copy of this connection goes on from the same number.
    private func leaveOutNumbers() {
        guard lifecycle.isConfirmed else { return }
        let count = PacketNumberSkip.draw(environment.random.next())
        let numbers = packetNumbers.application.skip(count)
        migration?.unusedNumbers = numbers
    }

    /// Section 6.4: whoever saw the ids before should not know the connection by them elsewhere. A client without the
    /// extension may have to look for a silent server (6.2.1), and is asked when it was found.
    private func renewIDs(hasMoved: Bool) {
        guard hasMoved, lifecycle.isConfirmed else { return }
        if let migration, !migrationAgreement.allowsServerProbing {
            migration.owesFreshIDs = true
        } else {
            localIDs.retireAllIssued()
        }
    }

    /// Whether this end does what the thesis's server does (section 9.2), to be tested against.
    var behavesLikeThesisServer: Bool { role == .server && migration?.server?.policy == .thesis }

    /// Section 9.1.3: such a server retires an id of the client's for every challenge, and is lost without another.
    func spendConnectionID(on path: PathID) throws(TransportError) {
        guard paths.replaceConnectionID(of: path) else {
            throw TransportError(.internalError, "no connection id is left")
        }
    }

    /// A packet of the client came after a thaw.
    func onClientFound(_ content: PacketContent, _ arrival: DatagramArrival) {
        guard let migration, paths.answersFor(arrival.local) else { return }
        if migration.owesFreshIDs {
            migration.owesFreshIDs = false
            localIDs.retireAllIssued()
        }
        if migration.awaitsSign {
            migration.awaitsSign = false
            // What was sent before may have found no way in. That says nothing about congestion.
            loss.resumedAt = arrival.now
        }
        if content.isNonProbing, migration.awaitsFirstWord {
            migration.awaitsFirstWord = false
            giveUpUnheard(now: arrival.now)
        }
        handleServerMigration(.clientPacket(isNonProbing: content.isNonProbing), now: arrival.now)
    }

    /// The client has acknowledged what has come, from before the freeze and since. What has not is lost, and a timeout
    /// would tell late; unless it is still on its way.
    private func giveUpUnheard(now: Instant) {
        let rtt = paths.active.rtt
        let context = lossContext
        loss.declareLost(sentUpTo: rtt.hasSample ? now - rtt.minimum : now, into: &scratch.outcome)
        applyOutcome(now: now, context)
        loss.ptoCount = 0
    }

    /// Section 6.6.6: whether the client acknowledges what this copy of the connection never sent.
    func isFromStaleImage(_ ack: AckFrame, now: Instant) -> Bool {
        guard let unused = migration?.unusedNumbers, !unused.isEmpty else { return false }
        var isStale = ack.largestAcknowledged > largestSent
        for range in ack.ranges where !isStale {
            if range.largest < unused.lowerBound { break }
            isStale = range.smallest < unused.upperBound
        }
        if isStale { handleServerMigration(.unsentPacketAcknowledged, now: now) }
        return isStale && !lifecycle.isOpen
    }

    // MARK: Frames

    func onMigrationFrameAcked(_ id: UInt32, now: Instant) {
        handleServerMigration(.frameAcknowledged(MigrationFrameID(rawValue: id)), now: now)
    }

    func onMigrationFrameLost(_ id: UInt32) {
        handleServerMigration(.frameLost(MigrationFrameID(rawValue: id)), now: timers.lastActivity)
    }

    func onPathResponseAcked(now: Instant) { handleServerMigration(.pathResponseAcknowledged, now: now) }

    /// Section 3.5.4: any peer acknowledges a packet after a gap at once (RFC 9000 section 13.2.1).
    func skipNumberBeforeAnnouncement() {
        guard let migration, migration.hasFrameToSend, migration.machine.wantsImmediateAcknowledgement else {
            return
        }
        packetNumbers.application.skipOne()
    }

    func writeMigrationFrames(into packet: inout PacketBuilder) {
        guard let migration, migration.hasFrameToSend else { return }
        var next = migration.machine.frameToSend
        while let outgoing = next, outgoing.frame.encodedSize <= packet.writer.remaining {
            outgoing.frame.encode(into: &packet.writer)
            packet.isAckEliciting = true
            scratch.records.append(.migration(outgoing.id.rawValue))
            migration.onFrameSent(outgoing.id)
            // One copy a packet, however many there are to be.
            next = migration.machine.frameToSend(after: outgoing.id)
        }
    }
}
