public import GodwitWire

// What comes in, and where it goes.
extension ServerMigrationMachine {
    /// Takes what happened and appends what is to be done.
    ///
    /// - Parameters:
    ///   - surroundings: the connection as it is after what happened.
    ///   - actions: where to append; the caller does them in order.
    public mutating func handle(
        _ input: ServerMigrationInput, in surroundings: ServerSurroundings, now: Instant,
        actions: inout ServerMigrationActions
    ) {
        defer { updateDeadline() }
        hasSpareID = surroundings.hasSpareID
        switch input {
        case .prepare(let order, let epoch, let alternatives):
            prepare([order] + alternatives, epoch, surroundings, now, &actions)
        case .leaveOut(let epoch): report(.obstructed(.notPlanned), epoch, now, &actions)
        case .hold(let epoch): hold(epoch, surroundings)
        case .networkSwitched(let epoch, let thaw): arrive(epoch, thaw, surroundings, now, &actions)
        case .cancel(let epoch): cancel(epoch, surroundings, &actions)
        case .changePool(let pool): changePool(to: pool, &actions)
        case .frameAcknowledged(let id): onAcknowledged(id, now, &actions)
        case .frameLost(let id): outbox.onLost(id)
        case .pathResponseAcknowledged: if awaitsClient { complete(&actions) }
        case .unsentPacketAcknowledged: onUnsentAcknowledged(&actions)
        case .handshakeConfirmed: onConfirmed(surroundings, now, &actions)
        case .clientMoved: onClientMoved(surroundings, now, &actions)
        case .clientPacket(let isNonProbing): onClientPacket(isNonProbing, &actions)
        case .pathValidated(let address): onValidated(address, surroundings, now, &actions)
        case .connectionIDsIssued: reportProgress(now, &actions)
        case .closed: onClosed(now, &actions)
        case .deadline: onDeadline(now, &actions)
        }
    }

    private mutating func onDeadline(_ now: Instant, _ actions: inout ServerMigrationActions) {
        guard case .preparing(var move) = stage else { return speak(now, &actions) }
        guard let repetition = move.repetition, repetition.next <= now else { return }
        move.repetition = outbox.hasUrgent ? repetition.following(at: now) : nil
        stage = .preparing(move)
        outbox.repeatUrgent()
    }

    // MARK: Frames

    private mutating func onAcknowledged(
        _ id: MigrationFrameID, _ now: Instant, _ actions: inout ServerMigrationActions
    ) {
        guard let frame = outbox.onAcknowledged(id) else { return }
        ledger.onAcknowledged(id)
        pool.onAcknowledged(frame)
        switch stage {
        case .preparing(var move):
            move.strategy.onAcknowledged(frame)
            stage = .preparing(move)
            reportProgress(now, &actions)
        case .arrived(var move, let arrival):
            move.strategy.onAcknowledged(frame)
            stage = .arrived(move, arrival)
        case .idle, .waiting: break
        }
    }

    /// Specs/server-migration.md 6.6.6: an older image than the client has seen is not mended.
    private mutating func onUnsentAcknowledged(_ actions: inout ServerMigrationActions) {
        guard let lastThaw else { return }
        // What showed it may come after the client had followed this copy too.
        if case .moved(let strategy) = lastThaw { actions.append(.event(.failed(strategy, .stale))) }
        stage = .idle
        actions.append(
            .close(
                TransportError(
                    .internalError, "stale: restored from an image older than what the client has seen",
                    frameType: FrameType.ack)))
    }

    // MARK: The connection

    private mutating func onConfirmed(
        _ surroundings: ServerSurroundings, _ now: Instant, _ actions: inout ServerMigrationActions
    ) {
        guard !isConfirmed else { return }
        isConfirmed = true
        if agreement.permits(.poolOfAddresses) {
            pool.tell(outbox: &outbox)
            if pool.isTold { actions.append(.supplyConnectionIDs(pool.pool.count + 1)) }
        }
        guard case .waiting(let orders, let epoch) = stage else { return }
        stage = .idle
        prepare(orders, epoch, surroundings, now, &actions)
    }

    /// Specs/server-migration.md 7.4: a client that moves has to be found again before the server moves.
    private mutating func onClientMoved(
        _ surroundings: ServerSurroundings, _ now: Instant, _ actions: inout ServerMigrationActions
    ) {
        guard case .preparing(var move) = stage else { return }
        if let obstacle = obstacle(to: move.order, surroundings, superseding: true) {
            callOffPreparation()
            return report(.obstructed(obstacle), move.epoch, now, &actions)
        }
        move.isClientMoving = !surroundings.isRemoteValidated
        stage = .preparing(move)
        reportProgress(now, &actions)
    }

    private mutating func onValidated(
        _ address: NetworkAddress, _ surroundings: ServerSurroundings, _ now: Instant,
        _ actions: inout ServerMigrationActions
    ) {
        switch stage {
        case .preparing(var move):
            guard address == surroundings.remote, move.isClientMoving else { return }
            move.isClientMoving = false
            stage = .preparing(move)
            reportProgress(now, &actions)
        case .arrived(let move, var arrival):
            arrival.onValidated(address)
            stage = .arrived(move, arrival)
        case .idle, .waiting: break
        }
    }

    private mutating func onClosed(_ now: Instant, _ actions: inout ServerMigrationActions) {
        switch stage {
        case .idle: return
        case .waiting(_, let epoch): report(.closed, epoch, now, &actions)
        case .preparing(let move), .arrived(let move, _): report(.closed, move.epoch, now, &actions)
        }
        fail(.closed, &actions)
    }

    private mutating func fail(_ failure: MigrationFailure, _ actions: inout ServerMigrationActions) {
        switch stage {
        case .preparing(let move), .arrived(let move, _):
            actions.append(.event(.failed(move.order.strategy, failure)))
        case .idle, .waiting: break
        }
        stage = .idle
    }

    // MARK: Reports

    /// Reports how far the connection is, if that has changed.
    mutating func reportProgress(_ now: Instant, _ actions: inout ServerMigrationActions) {
        guard case .preparing(var move) = stage else { return }
        let outcome = outcome(of: move)
        guard move.reported != outcome else { return }
        let becameReady = outcome.isReady && move.reported.map { !$0.isReady } ?? true
        move.reported = outcome
        stage = .preparing(move)
        report(outcome, move.epoch, now, &actions)
        if becameReady { actions.append(.event(.ready(move.order.strategy))) }
    }

    mutating func report(
        _ outcome: MigrationOutcome, _ epoch: MigrationEpoch, _ now: Instant,
        _ actions: inout ServerMigrationActions
    ) {
        revision &+= 1
        actions.append(
            .report(MigrationReport(epoch: epoch, revision: revision, outcome: outcome, time: now)))
    }
}
