import GodwitWire

// Where the server is heard, and where it answers: Specs/server-migration.md 5.6 and 5.7.
extension GodwitClient {
    // MARK: Packets

    /// Whether a packet from an address that data does not go to may be the server's.
    func admits(_ remote: NetworkAddress, rules: ClientRules, active: NetworkAddress) -> Bool {
        if remote == origin || candidates.contains(remote) { return true }
        return rules.opensStrangers && configuration.addresses.permits(remote, current: active)
    }

    private func isExpected(_ remote: NetworkAddress, _ rules: ClientRules) -> Bool {
        remote == origin || candidates.contains(remote) || rules.admitsStrangers
    }

    /// A genuine packet came from an address that data does not go to: it is challenged, and data goes there
    /// when it answers if the server has said something from there that was no probe.
    mutating func onPacket(
        from remote: NetworkAddress, number: UInt64, isHighestNonProbing: Bool, rules: inout ClientRules,
        _ context: ClientContext, _ actions: inout ClientMigrationActions
    ) {
        if isHighestNonProbing { candidates.forgetHeardWishes() }
        guard remote != context.active, isExpected(remote, rules) else { return }
        if isHighestNonProbing, candidates[remote]?.hasAnswered(before: context.now) ?? false {
            return move(to: remote, rules: &rules, packetNumber: number, context, &actions)
        }
        if let crowdedOut = candidates.hear(remote, at: context.now) { actions.append(.release(crowdedOut)) }
        if isHighestNonProbing || speaksFromWhereItWent(remote, context) {
            candidates[remote]?.isWanted = true
        }
        challengeEagerly(remote, context, &actions)
        probe(context, &actions)
        // Somebody is there, and the search may have used up what may be spent where nobody was.
        if budget.opensAt(for: remote) > context.now { actions.append(.probeSparingly(remote)) }
    }

    /// With the extension a server sends challenges from where it has gone and from nowhere else. To a client whose
    /// address of the right family it does not know it has no other way to speak up.
    private func speaksFromWhereItWent(_ remote: NetworkAddress, _ context: ClientContext) -> Bool {
        context.isExtended && candidates[remote].map { !$0.isHeard } ?? false
    }

    /// Somebody is there: what the schedule has come to while nobody was does not count any more.
    private mutating func challengeEagerly(
        _ remote: NetworkAddress, _ context: ClientContext, _ actions: inout ClientMigrationActions
    ) {
        let schedule = candidates[remote]?.schedule
        if let schedule, context.now < schedule.startedAt + ProbeSchedule.eagerness {
            candidates[remote]?.schedule?.hasten(at: context.now)
            return
        }
        candidates[remote]?.schedule = ProbeSchedule(startedAt: context.now)
        if schedule == nil { actions.append(.event(.searching(.heard))) }
    }

    // MARK: Answers

    /// An address has answered a challenge; data goes there if that was all it lacked.
    mutating func onValidated(
        _ address: NetworkAddress, rules: inout ClientRules, packetNumber: UInt64, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        budget.onAnswer(from: address)
        guard address != context.active else { return onLifeSign(&actions) }
        guard let candidate = candidates[address] else { return }
        candidates[address]?.schedule = nil
        candidates[address]?.answeredAt = context.now
        // One that was only heard from may relay what the server says elsewhere.
        guard candidate.isWanted || (search != nil && !candidate.isHeard) else { return }
        move(to: address, rules: &rules, packetNumber: packetNumber, context, &actions)
    }

    private mutating func move(
        to address: NetworkAddress, rules: inout ClientRules, packetNumber: UInt64, _ context: ClientContext,
        _ actions: inout ClientMigrationActions
    ) {
        actions.append(.switchPath(to: address))
        rules.onMoved(packetNumber: packetNumber)
        settle(at: address, &actions)
        actions.append(.event(.moved(from: context.active, to: address)))
        origin = context.active
    }

    /// Forgets what was of use for this move only.
    private mutating func settle(at address: NetworkAddress, _ actions: inout ClientMigrationActions) {
        let gone = candidates.removeAnnounced() + candidates.removeHeard()
        for other in gone where other != address { actions.append(.release(other)) }
        candidates.stopAll()
        search = nil
        patienceEnds = .distantPast
        silence.relax(watchingForStalls: candidates.hasStanding)
    }

    /// The path to an address is gone. It may be opened again, unless it was only heard of.
    mutating func onFailed(_ address: NetworkAddress) {
        guard let candidate = candidates[address] else { return }
        if candidate.isHeard { candidates.remove(address) }
    }

    // MARK: Stateless resets

    /// Whether a stateless reset from an address ends the path to it and not the connection
    /// (Specs/server-migration.md 5.9.1).
    mutating func absorbsReset(
        from remote: NetworkAddress, _ context: ClientContext, _ actions: inout ClientMigrationActions
    ) -> Bool {
        // Who answers where the server was, or may be, does not speak for where it is.
        guard context.isExtended, isMoveExpected(at: context.now) || remote != context.active else {
            return false
        }
        if remote == context.active {
            startSearch(.silence, isDoubt: false, largestSent: 0, context, &actions)
        } else {
            candidates.remove(remote)
            actions.append(.release(remote))
        }
        return true
    }

    /// Whether the server has announced that it moves, and has not arrived.
    func isMoveExpected(at now: Instant) -> Bool { now < patienceEnds }
}
