import GodwitWire

// What goes out for path validation, and its timers.
extension Paths {
    // MARK: Validating

    /// Starts to validate a path unless that is under way already (RFC 9000 section 9.3).
    mutating func startValidation(at index: Int, now: Instant) {
        if all[index].validation.state != .running { restartValidation(at: index, now: now) }
    }

    mutating func restartValidation(at index: Int, now: Instant) {
        all[index].noteValidationStarted()
        all[index].validation.start(
            at: now, interval: ptoInterval(ofPathAt: index), timeout: validationTimeout)
        mayHaveProbes = true
    }

    // MARK: Sending

    /// The next datagram with a PATH_CHALLENGE or PATH_RESPONSE, which counts as sent by being asked for; nil
    /// when there is none to send now. To be asked until nil, before anything else is written.
    ///
    /// - Parameter random: where the unpredictable data of challenges comes from (RFC 9000 section 8.2.1).
    mutating func nextProbe(at now: Instant, using random: inout some RandomNumberGenerator) -> PathProbe? {
        guard mayHaveProbes else { return nil }
        for index in all.indices {
            if let probe = probe(at: index, now: now, using: &random) { return probe }
        }
        mayHaveProbes = all.contains { $0.validation.expectsToSend || !$0.responses.isEmpty }
        return nil
    }

    private mutating func probe(
        at index: Int, now: Instant, using random: inout some RandomNumberGenerator
    ) -> PathProbe? {
        let isDue = all[index].validation.isDue(at: now)
        guard isDue || !all[index].responses.isEmpty, canProbe(at: index), let id = all[index].remoteID else {
            return nil
        }
        // RFC 9000 sections 8.2.1 and 8.2.2: expanded, unless the amplification limit forbids it.
        let allowance = min(all[index].sendAllowance, isDue ? all[index].challengeAllowance : .max)
        let isPadded = allowance >= MTUDiscovery.base && configuration.padsChallenges
        var probe = PathProbe(
            path: all[index].id, local: all[index].local, remote: all[index].remote, remoteID: id,
            includesPing: false, isPadded: isPadded,
            maximumSize: min(allowance, all[index].mtu.currentSize))
        if isDue { probe.challenge = challenge(at: index, isFullSize: isPadded, now: now, using: &random) }
        if let response = all[index].responses.removeFirst() {
            probe.response = response
            probe.includesPing = index == activeIndex && all[index].owesNonProbing
            all[index].owesNonProbing = false
            all[index].statistics.responsesSent &+= 1
        }
        return probe
    }

    private mutating func challenge(
        at index: Int, isFullSize: Bool, now: Instant, using random: inout some RandomNumberGenerator
    ) -> UInt64 {
        let data = random.next()
        // Who doesn't pad does not ask for the size.
        let provesSize = isFullSize || !configuration.padsChallenges
        all[index].validation.onChallengeSent(data, at: now, isFullSize: provesSize)
        all[index].challengeAllowance = .max
        let isTimed = !all[index].validation.isScheduledOutside
        if all[index].origin == .own, isTimed, all[index].validation.challengesSent >= 2 {
            actions.append(.peerMayLackConnectionID(all[index].id))
        }
        return data
    }

    private func canProbe(at index: Int) -> Bool {
        all[index].remoteID != nil && all[index].sendAllowance >= all[index].leastProbe
    }

    /// Takes the first measurement of a path that is being validated. Until then nothing was known of its round-trip
    /// time, and a lost challenge would be missed no sooner than on the slowest path.
    mutating func onFirstSample(on id: PathID) {
        guard let index = index(of: id) else { return }
        all[index].validation.hasten(interval: ptoInterval(ofPathAt: index))
    }

    /// Counts a datagram that was sent on a path.
    mutating func onDatagramSent(on id: PathID, size: Int) {
        guard let index = index(of: id) else { return }
        all[index].onDatagramSent(size: size)
        guard !all[index].hasUsedRemoteID, let remoteID = all[index].remoteID else { return }
        all[index].hasUsedRemoteID = true
        remoteIDs.onUse(of: remoteID, to: all[index].remote)
    }

    // MARK: Timers

    /// When to call ``onTimeout(at:)`` or to ask for probes again; nil for never.
    var deadline: Instant? {
        var earliest = Instant.distantFuture
        for index in all.indices {
            if let expiresAt = all[index].expiresAt { earliest = min(earliest, expiresAt) }
            if let due = all[index].validation.deadline(canSend: canProbe(at: index)) {
                earliest = min(earliest, due)
            }
        }
        return earliest == .distantFuture ? nil : earliest
    }

    mutating func onTimeout(at now: Instant) {
        for path in all where path.expiresAt.map({ $0 <= now }) ?? false { remove(path.id, .noLongerUsed) }
        for id in all.map(\.id) {
            guard let index = index(of: id), all[index].validation.failIfOverdue(at: now) else { continue }
            onValidationFailed(id, now: now)
        }
    }

    // MARK: Freeze

    /// Carries the paths over a freeze of the process, on this host or another.
    ///
    /// - Parameters:
    ///   - span: how far every timer is put off.
    ///   - localAddress: where we are now; nil when it is where we were.
    mutating func resume(at now: Instant, shiftedBy span: TimeSpan, localAddress: NetworkAddress?) {
        admission.shift(by: span)
        for index in all.indices { all[index].resume(shiftedBy: span) }
        guard let localAddress, !active.local.covers(localAddress) else { return }
        moveAll(toLocal: localAddress, at: now)
    }

    /// Puts the active path, and the one to fall back to, on a new local address; the others have lost
    /// theirs.
    mutating func moveAll(toLocal local: NetworkAddress, challenges: Bool = true, at now: Instant) {
        let (old, oldFallback) = (active, fallback.map { self[$0] })
        for path in all where path.id != old.id && path.id != fallback { remove(path.id, .replaced) }
        let new = moved(old, toLocal: local, challenges: challenges, at: now)
        let newFallback = oldFallback.map { moved($0, toLocal: local, challenges: challenges, at: now) }
        actions.append(.activeChanged(from: old.id, to: new, resetCongestion: true))
        (activeIndex, awaitedPeerMove) = (index(of: new) ?? 0, nil)
        remove(old.id, .replaced)
        if let oldFallback { remove(oldFallback.id, .replaced) }
        fallback = newFallback
        mayHaveProbes = true
    }

    private mutating func moved(
        _ old: Path, toLocal local: NetworkAddress, challenges: Bool, at now: Instant
    ) -> PathID {
        let index = append(
            local: local, remote: old.remote, origin: .own, isAddressValidated: old.amplification.isLifted)
        if !old.amplification.isLifted { all[index].amplification = old.amplification }
        all[index].peerUses = old.peerUses
        // The peer's address is what it was, so this is still something to fall back to.
        (all[index].isValidated, all[index].hasBeenActive) = (old.isValidated, true)
        // RFC 9000 section 9.5 wants another id for another local address. Where the peer has given none, the
        // old one goes on: a host that was moved has no other way to ask for one.
        all[index].remoteID = remoteIDs.take(isUrgent: true) ?? old.remoteID
        guard challenges else {
            all[index].mtu.start()
            return all[index].id
        }
        // The peer may take a while to find us, so what it once validated is not given up: the idle timeout
        // judges (section 9).
        all[index].validation.start(
            at: now, interval: ptoInterval(ofPathAt: index),
            timeout: old.isValidated ? nil : validationTimeout)
        return all[index].id
    }
}
