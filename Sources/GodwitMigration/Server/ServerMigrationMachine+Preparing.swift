import GodwitWire

// What an operator wants: Specs/server-migration.md 6.1 and 6.5.
extension ServerMigrationMachine {
    // MARK: Preparing

    mutating func prepare(
        _ orders: [MigrationOrder], _ epoch: MigrationEpoch, _ surroundings: ServerSurroundings,
        _ now: Instant, _ actions: inout ServerMigrationActions
    ) {
        guard isConfirmed else {
            stage = .waiting(orders, epoch)
            let obstacle = agreement.isNone ? MigrationObstacle.notNegotiated : .handshakeUnfinished
            return report(.obstructed(obstacle), epoch, now, &actions)
        }
        // A repeated command changes nothing.
        if case .preparing(let move) = stage, orders.contains(move.order) {
            return adopt(epoch, move, now, &actions)
        }
        callOffPreparation()
        let order = choose(from: orders, surroundings)
        if let obstacle = obstacle(to: order, surroundings, superseding: false) {
            retireAll(except: nil, at: surroundings.local)
            return report(.obstructed(obstacle), epoch, now, &actions)
        }
        begin(order, epoch, surroundings, now, &actions)
        reportProgress(now, &actions)
    }

    /// The first that is possible. If none is, the obstacle is that of the first that both ends know, since
    /// it says the most.
    private func choose(from orders: [MigrationOrder], _ surroundings: ServerSurroundings) -> MigrationOrder {
        orders.first { obstacle(to: $0, surroundings, superseding: false) == nil }
            ?? orders.first { agreement.permits($0.strategy) } ?? orders.first ?? .symmetric
    }

    private mutating func begin(
        _ order: MigrationOrder, _ epoch: MigrationEpoch, _ surroundings: ServerSurroundings,
        _ now: Instant, _ actions: inout ServerMigrationActions
    ) {
        var move = ServerMove(order: order, epoch: epoch, strategy: begin(order))
        if order == .poolOfAddresses { announcePool(at: surroundings.local) }
        retireAll(except: order.destination, at: surroundings.local)
        if outbox.hasUrgent { move.repetition = AnnouncementRepetition(at: now) }
        stage = .preparing(move)
        actions.append(.event(.started(order.strategy)))
        if let destination = order.destination {
            actions.append(.supplyConnectionIDs(destination.addresses.count + 1))
        }
    }

    private mutating func adopt(
        _ epoch: MigrationEpoch, _ move: ServerMove, _ now: Instant, _ actions: inout ServerMigrationActions
    ) {
        guard move.epoch != epoch else { return }
        var move = move
        (move.epoch, move.reported) = (epoch, nil)
        stage = .preparing(move)
        reportProgress(now, &actions)
    }

    private mutating func begin(_ order: MigrationOrder) -> ServerStrategy {
        switch order {
        case .explicit(let destination): return .explicit(beginExplicit(destination))
        case .poolOfAddresses: return .poolOfAddresses
        case .symmetric: return .symmetric(SymmetricServer())
        case .synchronizedSymmetric:
            if !agreement.isExtended { commitment = .synchronizedSymmetric }
            return .synchronizedSymmetric(
                SynchronizedSymmetricServer(outbox: &outbox, isUrgent: policy == .godwit))
        case .combined(let destination):
            return .combined(CombinedServer(to: destination, ledger: &ledger, outbox: &outbox))
        }
    }

    private mutating func beginExplicit(_ destination: MigrationDestination) -> ExplicitServer {
        // SERVER_MIGRATION has no sequence number: beside frames that have, nobody could say which is newer.
        if ledger.isUsed {
            return ExplicitServer(redirectedTo: destination, ledger: &ledger, outbox: &outbox)
        }
        if !agreement.isExtended { commitment = .explicit(destination) }
        return ExplicitServer(to: destination, outbox: &outbox, isUrgent: policy == .godwit)
    }

    // MARK: Obstacles

    /// Why the connection can't move that way (Specs/server-migration.md 7.3).
    ///
    /// - Parameter superseding: whether the order is the one that is being prepared already.
    func obstacle(
        to order: MigrationOrder, _ surroundings: ServerSurroundings, superseding: Bool
    ) -> MigrationObstacle? {
        if agreement.isNone { return .notNegotiated }
        if case .arrived = stage { return .moveUnderWay }
        if !agreement.permits(order.strategy) { return .strategyNotNegotiated }
        if let obstacle = obstacle(ofDestination: order, surroundings) { return obstacle }
        if order == .poolOfAddresses { return pool.pool.isEmpty ? .emptyPool : nil }
        if agreement.isExtended || order.strategy == .combined { return nil }
        if pool.isTold { return .onlyPool }
        return superseding || commitmentPermits(order) ? nil : .alreadyAnnounced
    }

    /// A destination has to be another place than this one, and reachable for the client: without the
    /// extension, of the family that it is on (Specs/server-migration.md 4.1.2).
    private func obstacle(
        ofDestination order: MigrationOrder, _ surroundings: ServerSurroundings
    ) -> MigrationObstacle? {
        guard let destination = order.destination else { return nil }
        let usable =
            agreement.isExtended || order.strategy == .combined
            ? destination.addresses
            : [destination.address(isIPv4: surroundings.local.isIPv4)].compactMap { $0 }
        return usable.contains { $0 != surroundings.local } ? nil : .unusableDestination
    }

    /// Without the extension a client that was told one thing takes another for a violation.
    private func commitmentPermits(_ order: MigrationOrder) -> Bool {
        switch commitment {
        case .none: true
        case .explicit(let destination): order == .explicit(destination: destination)
        case .synchronizedSymmetric: order == .synchronizedSymmetric
        }
    }

    // MARK: Calling off

    mutating func cancel(
        _ epoch: MigrationEpoch, _ surroundings: ServerSurroundings, _ actions: inout ServerMigrationActions
    ) {
        switch stage {
        case .waiting(_, epoch): stage = .idle
        case .preparing(let move) where move.epoch == epoch:
            callOffPreparation()
            retireAll(except: nil, at: surroundings.local)
            actions.append(.event(.cancelled(move.order.strategy)))
        case .idle, .waiting, .preparing, .arrived: break
        }
    }

    /// Takes back what was not sent yet, and with the extension what SERVER_MIGRATION has told; what the
    /// ledger has told goes with ``retireAll(except:at:)`` (Specs/server-migration.md 6.5.2).
    mutating func callOffPreparation() {
        guard case .preparing(let move) = stage else { return }
        stage = .idle
        switch move.strategy {
        case .explicit(let machine):
            if let id = machine.announcement { outbox.withdraw(id) }
            guard agreement.isExtended else { return }
            for address in machine.destination.addresses where !isKept(address) {
                ledger.retire(address, outbox: &outbox)
            }
        case .synchronizedSymmetric(let machine):
            if let id = machine.announcement { outbox.withdraw(id) }
        case .poolOfAddresses, .symmetric, .combined: break
        }
    }

    private func isKept(_ address: NetworkAddress) -> Bool {
        pool.isTold && pool.pool.contains(address)
    }

    /// Withdraws every address that the client may still believe in and that is no longer one of the
    /// server's, which the one where it is always is (Specs/server-migration.md 6.5.4).
    mutating func retireAll(except destination: MigrationDestination?, at local: NetworkAddress) {
        guard agreement.allowsAlternativeAddresses else { return }
        for address in ledger.standing
        where address != local && destination?.contains(address) != true && !isKept(address) {
            ledger.retire(address, outbox: &outbox)
        }
    }

    // MARK: The pool

    /// With the extension the client is told that a move is near, so that a long freeze does not end the connection
    /// (Specs/server-migration.md 6.1.5). Nobody waits for it to know that.
    private mutating func announcePool(at local: NetworkAddress) {
        guard agreement.isExtended, pool.isTold else { return }
        for address in pool.pool.addresses where address != local {
            _ = ledger.announce(address, outbox: &outbox)
        }
    }

    mutating func changePool(to new: AddressPool, _ actions: inout ServerMigrationActions) {
        guard isConfirmed, agreement.isExtended, agreement.permits(.poolOfAddresses) else { return }
        var kept: MigrationDestination?
        if case .preparing(let move) = stage { kept = move.order.destination }
        pool.change(to: new, keeping: kept, ledger: &ledger, outbox: &outbox)
        actions.append(.supplyConnectionIDs(new.count + 1))
    }
}
