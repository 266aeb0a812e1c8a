import GodwitWire

// Paths for an extension by which servers move (Specs/server-migration.md): whoever knows that extension says which
// addresses there are, when to challenge them, and where data goes.
extension Paths {
    // MARK: At a client

    /// Whether a path may be opened for a datagram that came from an address which is the server's by the extension.
    func mayAdmitServer(from remote: NetworkAddress, to local: NetworkAddress, at now: Instant) -> Bool {
        isHandshakeConfirmed && remote.isSendable && all.contains { $0.local.covers(local) }
            && admission.available(at: now) > 0 && hasRoomForPeerPath
    }

    /// Opens a path to an address of the peer and sends nothing there: a connection id is set aside for it.
    ///
    /// - Parameter local: where to send from; by default the present local address, or any of the other family.
    mutating func reserve(
        _ remote: NetworkAddress, from local: NetworkAddress? = nil, at now: Instant
    ) throws(MigrationRefusal) -> PathID {
        let local = local ?? self.local(towards: remote)
        // What is left of an earlier stay there says nothing about how things are now.
        if let old = all.first(where: { $0.matches(local: local, remote: remote) && $0.expiresAt != nil }) {
            abandon(old.id)
        }
        return try addCandidate(
            remote: remote, local: local, moves: false, schedule: .outside(outstandingLimit: 64), at: now)
    }

    /// Where to send from to an address that may be of the other family.
    func local(towards remote: NetworkAddress) -> NetworkAddress {
        if active.local.isIPv4 == remote.isIPv4 { return active.local }
        return NetworkAddress(ip: remote.isIPv4 ? .anyIPv4 : .anyIPv6, port: 0)
    }

    /// The paths to an address of the peer that may be used from where we are, and from where we are about to be.
    func paths(to remote: NetworkAddress) -> [PathID] {
        let locals = [local(towards: remote)] + all.filter { $0.move != .none }.map(\.local)
        return all.filter { path in path.remote == remote && locals.contains { $0.covers(path.local) } }.map(
            \.id)
    }

    /// Stays with the path that data goes to, whatever was to be moved to.
    mutating func cancelMoves() {
        for index in all.indices { all[index].move = .none }
    }

    /// Has one challenge sent on a path, now. There will be no other until this is called again.
    ///
    /// - Parameter allowance: how large its datagram may be, in bytes.
    mutating func challenge(_ id: PathID, allowance: Int = .max, at now: Instant) {
        guard let index = index(of: id) else { return }
        if all[index].validation.state != .running || !all[index].validation.isScheduledOutside {
            all[index].validation.startScheduledOutside(outstandingLimit: 64)
        }
        all[index].expiresAt = nil
        all[index].challengeAllowance = allowance
        requestChallenge(on: id, at: now)
    }

    /// Nobody asks for challenges any more. Where data goes they are sent by the path's own timer from now on, unless
    /// an answer comes first; elsewhere when the peer comes there.
    mutating func endScheduleOutside(at now: Instant) {
        for index in all.indices {
            guard all[index].validation.state == .running, all[index].validation.isScheduledOutside else {
                continue
            }
            all[index].validation.stop()
            guard index == activeIndex, !all[index].hasBeenProved else { continue }
            tryActiveAgain(now: now)
        }
    }

    // MARK: At a client of the thesis's (Specs/server-migration.md 9.3)

    /// Sends everything to an address from now on that nobody has validated, under the connection id in use. What is
    /// known of the paths so far is kept.
    mutating func redirect(to remote: NetworkAddress, at now: Instant) {
        let old = active
        let known = all.firstIndex { $0.matches(local: old.local, remote: remote) }
        let index = known ?? append(local: old.local, remote: remote, origin: .own, isAddressValidated: true)
        // It begins from initial values even where it stays where it was, when that is next in the pool's turn.
        guard index != activeIndex else { return resetRecovery(ofPathAt: index) }
        makeThesisActive(index, after: old)
    }

    /// Sends everything again to where it went before, with what was known of that path.
    mutating func rollBack(to remote: NetworkAddress) {
        guard let index = all.firstIndex(where: { $0.remote == remote && $0.isValidated }),
            index != activeIndex
        else { return }
        actions.append(.activeChanged(from: activeID, to: all[index].id, resetCongestion: false))
        activeIndex = index
    }

    /// The server was heard at an address: goes on there from initial values, under the connection id in use, with no
    /// more than three times what comes from there until it has answered a challenge.
    mutating func follow(to remote: NetworkAddress, lastDatagram size: Int, at now: Instant) {
        let old = active
        guard let index = all.firstIndex(where: { $0.remote == remote && $0.local.covers(old.local) }) else {
            return
        }
        if index != activeIndex { makeThesisActive(index, after: old) }
        resetRecovery(ofPathAt: index)
        all[index].amplification = AmplificationLimit(isLifted: false)
        all[index].amplification.onReceived(size)
        all[index].isValidated = false
        restartValidation(at: index, now: now)
    }

    private mutating func makeThesisActive(_ index: Int, after old: Path) {
        if let own = all[index].remoteID, own != old.remoteID {
            all[index].remoteID = nil
            if !all.contains(where: { $0.remoteID == own }) { remoteIDs.release(own) }
        }
        all[index].remoteID = old.remoteID
        resetRecovery(ofPathAt: index)
        actions.append(.activeChanged(from: old.id, to: all[index].id, resetCongestion: true))
        activeIndex = index
        all[index].expiresAt = nil
        all[index].hasBeenActive = true
    }

    private mutating func resetRecovery(ofPathAt index: Int) {
        all[index].rtt = RTTEstimator(
            initialRTT: configuration.initialRTT, granularity: configuration.granularity)
        all[index].congestion = CongestionController(
            algorithm: configuration.congestionAlgorithm, mtu: all[index].mtu.currentSize)
    }

    // MARK: At a server

    /// Retires the connection id of a path and takes another one; false when there is none.
    mutating func replaceConnectionID(of id: PathID) -> Bool {
        guard let index = index(of: id), let new = remoteIDs.take(isUrgent: true) else { return false }
        if let old = all[index].remoteID { remoteIDs.release(old) }
        (all[index].remoteID, all[index].hasUsedRemoteID) = (new, false)
        return true
    }

    /// Whether datagrams to that address of ours are for us.
    func answersFor(_ local: NetworkAddress) -> Bool {
        admittedLocals.isEmpty || admittedLocals.contains { $0.covers(local) }
    }

    /// The addresses of the peer that are known to be its own, the one in use first.
    func peerAddresses(limit: Int) -> [NetworkAddress] {
        var found = [active.remote]
        let others = [fallback].compactMap { $0 }.filter { contains($0) }.map { self[$0] }
        for path in others + all.reversed() where path.isValidated && !found.contains(path.remote) {
            found.append(path.remote)
        }
        return Array(found.prefix(limit))
    }

    /// Goes on at another address of the server's. The peer's address is what it was, so data may flow at
    /// once. What was in flight has most likely arrived: what left before a freeze did not stop on its way.
    ///
    /// - Parameter locals: all addresses that the server has now.
    mutating func moveServer(to locals: [NetworkAddress], at now: Instant) {
        goBackToValidated()
        let remote = active.remote
        guard let local = locals.first(where: { $0.isIPv4 == remote.isIPv4 }) ?? locals.first else { return }
        admittedLocals = ContiguousArray(locals)
        guard !active.local.covers(local) else { return }
        moveAll(toLocal: local, challenges: false, at: now)
    }

    /// A client that was about to move before the freeze, or was made to seem so by somebody who relays its
    /// packets, may never be heard there. It is spoken to where it was validated (RFC 9000 section 9.3.2), and
    /// asked at both places.
    private mutating func goBackToValidated() {
        guard !active.isValidated, let fallback, let index = index(of: fallback), all[index].isValidated
        else { return }
        let abandoned = activeID
        (activeIndex, self.fallback) = (index, nil)
        remove(abandoned, .replaced)
    }

    /// As the thesis's server does it: everything stays as it was but the address, and nothing is sent because of it
    /// (Specs/server-migration.md 9.3).
    mutating func relocateThesisServer(to locals: [NetworkAddress]) {
        let remote = active.remote
        guard let local = locals.first(where: { $0.isIPv4 == remote.isIPv4 }) ?? locals.first else { return }
        admittedLocals = ContiguousArray(locals)
        for index in all.indices { all[index].local = local }
    }
}
