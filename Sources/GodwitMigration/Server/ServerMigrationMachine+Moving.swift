import GodwitWire

// The freeze and what follows: Specs/server-migration.md 6.2 and 6.3.
extension ServerMigrationMachine {
    /// The last word before the freeze: what was announced and not acknowledged. With the extension the client is
    /// told that it is about to happen, so that it needs no probe timeout to begin to look, and no idle timeout
    /// ends the connection meanwhile (Specs/server-migration.md 6.3.1).
    mutating func hold(_ epoch: MigrationEpoch, _ surroundings: ServerSurroundings) {
        guard case .preparing(var move) = stage, move.epoch == epoch, policy == .godwit else { return }
        if agreement.allowsAlternativeAddresses {
            if move.order.destination != nil { ledger.stopPreferring(surroundings.local, outbox: &outbox) }
            move.strategy.prefer(ledger: &ledger, outbox: &outbox)
        }
        if agreement.isExtended { announceHold(move.order) }
        move.repetition = nil
        stage = .preparing(move)
        outbox.sayLastWords()
    }

    /// By Symmetric nothing has been said of the move.
    private mutating func announceHold(_ order: MigrationOrder) {
        guard order == .symmetric, agreement.permits(.synchronizedSymmetric) else { return }
        _ = outbox.append(.serverMigration(.none), isRetransmitted: false)
    }

    mutating func arrive(
        _ epoch: MigrationEpoch, _ thaw: ServerThaw, _ surroundings: ServerSurroundings, _ now: Instant,
        _ actions: inout ServerMigrationActions
    ) {
        random = SeededRandom(seed: thaw.seed)
        outbox.endLastWords()
        guard let move = moveUnderWay(epoch) else { return (lastThaw, stage) = (.untold, .idle) }
        lastThaw = .moved(by: move.order.strategy)
        let voice = voice(of: move.order.strategy)
        if voice == .announcingOnce, move.strategy.missingAnnouncement != nil {
            return failAsThesis(&actions)
        }
        if agreement.allowsAlternativeAddresses {
            move.strategy.prefer(ledger: &ledger, outbox: &outbox)
            retireAll(except: move.order.destination, at: surroundings.local)
        }
        let announces = agreement.isExtended || voice == .announcing || voice == .announcingOnce
        var arrival = ServerArrival(voice: voice, announces: announces, thaw, at: now)
        if voice == .announcingOnce, !surroundings.hasDataToSend {
            arrival.announce(missing: nil, outbox: &outbox)
        }
        stage = .arrived(move, arrival)
        speak(now, &actions)
    }

    /// The move that was prepared; where none was, one by which the client may follow all the same.
    private func moveUnderWay(_ epoch: MigrationEpoch) -> ServerMove? {
        switch stage {
        case .preparing(let move), .arrived(let move, _): return move
        case .idle, .waiting: break
        }
        guard isConfirmed, policy == .godwit else { return nil }
        if agreement.isExtended || agreement.permits(.symmetric) {
            return ServerMove(order: .symmetric, epoch: epoch, strategy: .symmetric(SymmetricServer()))
        }
        guard pool.isTold else { return nil }
        return ServerMove(order: .poolOfAddresses, epoch: epoch, strategy: .poolOfAddresses)
    }

    private func voice(of strategy: MigrationStrategy) -> ServerVoice {
        if agreement.allowsServerProbing { return .probing }
        switch strategy {
        case .explicit, .poolOfAddresses, .combined: return .silent
        case .symmetric, .synchronizedSymmetric: return policy == .thesis ? .announcingOnce : .announcing
        }
    }

    /// The thesis's program gives up on a client that was not told in time (Specs/server-migration.md 4.4.3).
    private mutating func failAsThesis(_ actions: inout ServerMigrationActions) {
        actions.append(.event(.failed(.synchronizedSymmetric, .closed)))
        actions.append(
            .close(TransportError(.internalError, "moved before the announcement was acknowledged")))
        stage = .idle
    }

    mutating func speak(_ now: Instant, _ actions: inout ServerMigrationActions) {
        guard case .arrived(let move, var arrival) = stage else { return }
        arrival.speak(
            at: now, missing: move.strategy.missingAnnouncement, outbox: &outbox, random: &random,
            actions: &actions)
        stage = .arrived(move, arrival)
    }

    mutating func onClientPacket(_ isNonProbing: Bool, _ actions: inout ServerMigrationActions) {
        guard case .arrived(let move, var arrival) = stage else { return }
        arrival.onClientPacket(isNonProbing, outbox: &outbox)
        // It knows where the server is. To a client of the thesis's that has found it, being told once more
        // would be a violation (Specs/server-migration.md 4.1.5).
        if arrival.isHeard, let id = move.strategy.outstandingAnnouncement { outbox.withdraw(id) }
        stage = .arrived(move, arrival)
        // Specs/server-migration.md 6.3.4. Without the extension the acknowledgement of a PATH_RESPONSE
        // tells.
        if isNonProbing, arrival.voice == .probing { complete(&actions) }
    }

    mutating func complete(_ actions: inout ServerMigrationActions) {
        guard case .arrived(let move, _) = stage else { return }
        stage = .idle
        commitment = .none
        actions.append(.event(.completed(move.order.strategy)))
    }
}
