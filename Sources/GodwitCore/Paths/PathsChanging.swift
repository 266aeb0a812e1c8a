import GodwitWire

// How paths come, take over from each other, and go.
extension Paths {
    // MARK: Coming

    @discardableResult
    mutating func append(
        local: NetworkAddress, remote: NetworkAddress, origin: Path.Origin, isAddressValidated: Bool
    ) -> Int {
        var path = Path(
            id: PathID(rawValue: nextPathID), local: local, remote: remote, origin: origin,
            isAddressValidated: isAddressValidated, configuration: configuration)
        path.mtu.limit(toPeerMaximum: peerMaximumPayload)
        nextPathID &+= 1
        all.append(path)
        return all.count - 1
    }

    var hasRoomForPeerPath: Bool { all.count < configuration.maximumPaths || expendable != nil }

    mutating func makeRoomForPeerPath() {
        let unvalidated = all.reduce(0) { $0 + ($1.origin == .peer && !$1.isValidated ? 1 : 0) }
        if unvalidated >= configuration.maximumUnvalidatedPaths, let index = oldestUnvalidated {
            remove(at: index, .noLongerUsed)
        }
        if all.count >= configuration.maximumPaths, let index = expendable {
            remove(at: index, .noLongerUsed)
        }
    }

    private var oldestUnvalidated: Int? {
        all.indices.first { $0 != activeIndex && all[$0].origin == .peer && !all[$0].isValidated }
    }

    /// A path that can make room for another: nothing depends on it.
    private var expendable: Int? { oldestUnvalidated ?? all.indices.first { isIdle(at: $0) } }

    private func isIdle(at index: Int) -> Bool {
        let path = all[index]
        guard index != activeIndex, path.id != fallback, path.id != awaitedPeerMove else { return false }
        return path.isValidated && path.move == .none
    }

    // MARK: Taking over

    /// Sends data to another path from now on.
    ///
    /// - Parameter isPeersDoing: whether a packet of the peer asked for it; it may have been an attacker's
    ///   copy.
    mutating func activate(_ new: PathID, now: Instant, isPeersDoing: Bool) {
        let old = active
        guard old.id != new, contains(new) else { return }
        let keepsOld = old.isViable || (old.isValidated && fallback == nil)
        if keepsOld { replaceFallback(by: old.id, now: now) }
        makeActive(new, after: old, now: now, isPeersDoing: isPeersDoing)
        // RFC 9000 section 9.3.3: the previous path is asked as well, for if the peer is still there, its
        // answer leads back.
        if isPeersDoing, keepsOld, let index = index(of: old.id) { startValidation(at: index, now: now) }
        // RFC 9000 section 9.3.2: an address that never answered is not worth waiting for.
        if !keepsOld { remove(old.id, .noLongerUsed) }
        if active.isViable { settleActive(now: now) }
        provideID(for: new)
    }

    private mutating func makeActive(_ new: PathID, after old: Path, now: Instant, isPeersDoing: Bool) {
        guard let index = index(of: new) else { return }
        let resets = prepareRecovery(ofPathAt: index, after: old, isPeersDoing: isPeersDoing)
        actions.append(.activeChanged(from: old.id, to: new, resetCongestion: resets))
        (activeIndex, awaitedPeerMove) = (index, nil)
        all[index].becomeActive()
        if !all[index].hasBeenProved { startValidation(at: index, now: now) }
    }

    /// Whether the path at `index` starts from initial values.
    private mutating func prepareRecovery(ofPathAt index: Int, after old: Path, isPeersDoing: Bool) -> Bool {
        if all[index].hasBeenActive { return false }
        // RFC 9000 section 9.4: a change of the port alone is most likely a NAT's doing.
        let onlyPortChanged = all[index].remote.ip == old.remote.ip && all[index].local == old.local
        guard isPeersDoing, onlyPortChanged else { return true }
        all[index].inheritRecovery(from: old)
        return false
    }

    private mutating func replaceFallback(by id: PathID, now: Instant) {
        let previous = fallback
        fallback = id
        if let previous, previous != id, let index = index(of: previous) { leave(at: index, now: now) }
    }

    /// The active path has proved itself, so nothing else needs to be kept to fall back to.
    mutating func settleActive(now: Instant) {
        let previous = fallback
        fallback = nil
        if let previous, previous != activeID, let index = index(of: previous) { leave(at: index, now: now) }
    }

    /// Leaves a validated path that another has replaced. It is remembered for a while, since peers do come
    /// back.
    private mutating func leave(at index: Int, now: Instant) {
        if all[index].validation.state == .failed { return remove(at: index, .noLongerUsed) }
        all[index].expiresAt = now + configuration.idlePathLifetime
        keepSpareID()
    }

    // MARK: Failing

    mutating func onValidationFailed(_ id: PathID, now: Instant) {
        if case .trying(let address) = preferredAddress, index(of: id).map({ all[$0].remote }) == address {
            // RFC 9000 section 9.6.1: the client stays with the address of the handshake.
            preferredAddress = .none
        }
        if id == activeID { return onActiveFailed(now: now) }
        // RFC 9000 section 9.3.2: the last validated address is what there is to return to, answer or not.
        if id == fallback { return }
        remove(id, .validationFailed)
    }

    private mutating func onActiveFailed(now: Instant) {
        // A path that was challenged only because somebody else's address was active for a while: silence may
        // mean an outage, and the idle timeout is there to judge those.
        if active.isViable { return }
        guard let best = pathToReturnTo else {
            if active.mayYetProveSize() { return restartValidation(at: activeIndex, now: now) }
            actions.append(.noViablePath(isReachable: active.isSizeUnproven))
            return
        }
        // Without a connection id for it nothing could be said there, not even that ids have run out.
        guard all[best].remoteID != nil || remoteIDs.availableCount > 0 else {
            return tryActiveAgain(now: now)
        }
        let failed = activeID
        actions.append(
            .activeChanged(from: failed, to: all[best].id, resetCongestion: !all[best].hasBeenActive))
        (activeIndex, fallback) = (best, nil)
        all[best].becomeActive()
        remove(failed, .validationFailed)
    }

    /// Goes on asking where an answer may yet come from, a probe timeout later.
    mutating func tryActiveAgain(now: Instant) {
        restartValidation(at: activeIndex, now: now)
        all[activeIndex].validation.request(at: now + ptoInterval(ofPathAt: activeIndex))
    }

    /// RFC 9000 section 9.3.2: the last validated path, even if it has not answered lately; unless the peer
    /// is known to be elsewhere, where only the path is too small.
    private var pathToReturnTo: Int? {
        if let index = fallback.flatMap({ index(of: $0) }),
            !active.isSizeUnproven || all[index].validation.state != .failed
        {
            return index
        }
        return all.lastIndex { $0.id != activeID && $0.isViable && $0.validation.state != .failed }
    }

    // MARK: Going

    mutating func remove(_ id: PathID, _ reason: PathRemoval) {
        if let index = index(of: id) { remove(at: index, reason) }
    }

    private mutating func remove(at index: Int, _ reason: PathRemoval) {
        precondition(index != activeIndex)
        let path = all.remove(at: index)
        if index < activeIndex { activeIndex -= 1 }
        if fallback == path.id { fallback = nil }
        if awaitedPeerMove == path.id { awaitedPeerMove = nil }
        // RFC 9000 section 5.1.2: an id that is no longer used is retired, and the peer sends another.
        if let id = path.remoteID, !all.contains(where: { $0.remoteID == id }) { remoteIDs.release(id) }
        actions.append(.removed(path.id, reason))
    }

    // MARK: Connection ids

    /// Gives the path an id of its own (RFC 9000 section 9.5), or says that there is none.
    mutating func provideID(for path: PathID) {
        guard let index = index(of: path), all[index].remoteID == nil else { return }
        if let id = remoteIDs.take(isUrgent: index == activeIndex) ?? sharedID(forPathAt: index) {
            all[index].remoteID = id
            (all[index].hasUsedRemoteID, all[index].hasReportedMissingID) = (false, false)
        } else if !all[index].hasReportedMissingID {
            all[index].hasReportedMissingID = true
            actions.append(.needsConnectionID(path))
        }
        keepSpareID()
    }

    /// RFC 9000 section 9.5: a peer whose address changed under it goes on using the same id of ours, and
    /// then we may go on using the same id of its, as long as our own address stays. Done only when there is
    /// no other.
    private func sharedID(forPathAt index: Int) -> ConnectionID? {
        guard all[index].origin == .peer, all[index].local == active.local, let used = all[index].peerUses,
            used == active.peerUses
        else { return nil }
        return active.remoteID
    }

    /// Gives up a path that nothing depends on when the ids run out, so that the peer issues others in time
    /// for the next path: one that is active without an id could not even ask for it.
    private mutating func keepSpareID() {
        guard !remoteIDs.isZeroLength, remoteIDs.availableCount < 2, !remoteIDs.awaitsAcknowledgement,
            let idle = all.indices.first(where: { isIdle(at: $0) && all[$0].expiresAt != nil })
        else { return }
        remove(at: idle, .noLongerUsed)
    }

    /// Replaces ids that the peer wants retired and serves the paths that wait for one, the active path
    /// first.
    mutating func distributeIDs(now: Instant) {
        for path in all {
            guard let id = path.remoteID, !remoteIDs.contains(id), let index = index(of: path.id) else {
                continue
            }
            all[index].remoteID = nil
            // Ids may be few, and a path that was left is not worth one.
            if path.expiresAt != nil { remove(at: index, .noLongerUsed) }
        }
        provideID(for: activeID)
        if let fallback { provideID(for: fallback) }
        for path in all where path.remoteID == nil { provideID(for: path.id) }
        mayHaveProbes = true
        if let index = all.firstIndex(where: { $0.move == .whenIDArrives && $0.remoteID != nil }) {
            completeMove(to: all[index].id, now: now)
        }
    }

    mutating func onRetirementSent(sequenceNumber: UInt64) {
        remoteIDs.onRetirementSent(sequenceNumber: sequenceNumber)
    }

    mutating func onRetirementLost(sequenceNumber: UInt64) {
        remoteIDs.onRetirementLost(sequenceNumber: sequenceNumber)
    }

    /// The acknowledgement may make room for more retirements, and so for paths that wait.
    mutating func onRetirementAcknowledged(sequenceNumber: UInt64, at now: Instant) {
        remoteIDs.onRetirementAcknowledged(sequenceNumber: sequenceNumber)
        distributeIDs(now: now)
    }
}
