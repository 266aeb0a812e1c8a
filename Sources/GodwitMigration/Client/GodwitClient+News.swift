import GodwitWire

// What the server says: Specs/server-migration.md 5.2 and 5.3.
extension GodwitClient {
    mutating func receive(
        _ news: ClientNews, rules: inout ClientRules, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        switch news {
        case .destination(let addresses):
            expectMove(context, &actions)
            for address in addresses { tell(address, .announcement, context, &actions) }
        case .pool(let addresses):
            for address in addresses { tell(address, .pool, context, &actions) }
            silence.watchForStalls(at: context.now, context.surroundings)
        case .announced: expectMove(context, &actions)
        case .alternative(let frame): receive(frame, rules: &rules, context, &actions)
        // The packet that carried it says the same, and whether it is the newest.
        case .arrived: break
        }
    }

    private mutating func expectMove(_ context: ClientContext, _ actions: inout ClientMigrationActions) {
        patienceEnds = context.now + configuration.patience
        silence.expectMove(at: context.now, context.surroundings)
        actions.append(.event(.announced))
    }

    // MARK: Addresses

    private mutating func tell(
        _ address: NetworkAddress, _ origin: Candidate.Origin, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        let address = address.reached(from: context.active)
        guard address != context.active else { return }
        guard configuration.addresses.permits(address, current: context.active) else {
            return actions.append(.event(.refused(address)))
        }
        switch candidates.tell(address, origin) {
        case .known: return
        case .full: return actions.append(.event(.refused(address)))
        case .added: break
        }
        actions.append(.reserve(address))
        let count = context.isExtended ? candidates.told + 1 : ChallengeSupply.wantedIDs
        actions.append(.supplyConnectionIDs(count))
        actions.append(.event(.told(address)))
        guard let search else { return }
        candidates[address]?.schedule = ProbeSchedule(startedAt: search.startedAt)
        probe(context, &actions)
    }

    private mutating func receive(
        _ frame: AlternativeAddressFrame, rules: inout ClientRules, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        let address = frame.address.reached(from: context.active)
        if frame.isRetired { return retire(address, rules: &rules, context, &actions) }
        // Where the server wants the client already, another wish of the same kind announces no move.
        let isContent = rules.combined.prefers(context.active.asTold)
        if address != context.active, !isContent || !frame.isPreferred { expectMove(context, &actions) }
        tell(frame.address, .alternative, context, &actions)
        guard frame.isPreferred else {
            letBe(address)
            // What it wants instead may have come before.
            if address == context.active { goWherePreferred(rules, context, &actions) }
            return
        }
        guard candidates.contains(address), !isContent else { return }
        goThere(address, context, &actions)
    }

    /// The server does not want the client at an address, or no longer: only a search leads there.
    private mutating func letBe(_ address: NetworkAddress) {
        guard let candidate = candidates[address], !candidate.isHeard else { return }
        candidates[address]?.isWanted = false
        if search == nil { candidates[address]?.schedule = nil }
    }

    private mutating func goWherePreferred(
        _ rules: ClientRules, _ context: ClientContext, _ actions: inout ClientMigrationActions
    ) {
        for candidate in candidates.all where rules.combined.prefers(candidate.address.asTold) {
            goThere(candidate.address, context, &actions)
        }
    }

    /// The server wants the client at another address: no probe timeout is needed to begin to look there.
    private mutating func goThere(
        _ address: NetworkAddress, _ context: ClientContext, _ actions: inout ClientMigrationActions
    ) {
        candidates[address]?.isWanted = true
        if candidates[address]?.schedule == nil {
            // All clients of the server hear of it at the same moment (Specs/server-migration.md 5.4.4).
            let delay = TimeSpan.nanoseconds(random.below(ProbeSchedule.firstInterval.nanoseconds))
            candidates[address]?.schedule = ProbeSchedule(startedAt: context.now, delay: delay)
            actions.append(.event(.searching(.preferred)))
        }
    }

    /// Specs/server-migration.md 6.5: an address that is withdrawn while data goes there is left for another
    /// as soon as one answers, and not before.
    private mutating func retire(
        _ address: NetworkAddress, rules: inout ClientRules, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        actions.append(.event(.withdrawn(address)))
        let wasKnown = candidates.contains(address)
        candidates.remove(address)
        guard address != context.active else {
            return startSearch(.withdrawn, isDoubt: false, largestSent: 0, context, &actions)
        }
        guard wasKnown else { return }
        actions.append(.release(address))
        if candidates.told == 0 { search = nil }
        if !candidates.hasAnnounced { forgetAnnouncement(&rules) }
    }

    /// Nothing is left of what was announced.
    private mutating func forgetAnnouncement(_ rules: inout ClientRules) {
        rules.onCalledOff()
        patienceEnds = .distantPast
        silence.relax(watchingForStalls: candidates.hasStanding)
    }
}
