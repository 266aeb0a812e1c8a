import GodwitWire

// Paths that we open ourselves: a client that migrates, the server's preferred address, and candidates that
// an extension wants probed.
extension Paths {
    /// How the challenges of a path that we open are timed.
    enum ChallengeSchedule: Codable, Sendable, Equatable {
        /// By the PTO and doubling, and given up in the end (RFC 9000 section 8.2.4).
        case standard
        /// Whenever ``requestChallenge(on:at:)`` says so, up to so many unanswered; never given up.
        case outside(outstandingLimit: Int)
    }

    // MARK: A new local address

    /// Moves the connection to another local address (RFC 9000 section 9.2).
    ///
    /// - Parameter atOnce: whether to send data there before the path is validated, which a client that has
    ///   lost its old address will want: its peer's address is validated already. Falls back if validation
    ///   fails.
    mutating func migrate(
        toLocal local: NetworkAddress, atOnce: Bool, at now: Instant
    ) throws(MigrationRefusal) -> PathID {
        guard role == .client else { throw .clientsOnly }
        guard local != active.local else { throw .alreadyThere }
        let id = try openPath(local: local, remote: active.remote, at: now)
        alsoTryPreferredAddress(from: local, at: now)
        begin(moveTo: id, atOnce: atOnce, now: now)
        return id
    }

    /// RFC 9000 section 9.6.3: a client that migrates while it validates the preferred address tries both
    /// server addresses from its new one.
    private mutating func alsoTryPreferredAddress(from local: NetworkAddress, at now: Instant) {
        guard case .trying(let remote) = preferredAddress else { return }
        for path in all where path.remote == remote && path.id != activeID { remove(path.id, .noLongerUsed) }
        guard local.ip.isUnspecified || local.isIPv4 == remote.isIPv4,
            let id = try? openPath(local: local, remote: remote, at: now)
        else {
            preferredAddress = .none
            return
        }
        begin(moveTo: id, atOnce: false, now: now)
    }

    private mutating func begin(moveTo id: PathID, atOnce: Bool, now: Instant) {
        guard let index = index(of: id), index != activeIndex else { return }
        for other in all.indices where all[other].remote == all[index].remote { all[other].move = .none }
        all[index].move = .whenValidated
        if atOnce || all[index].isValidated { completeMove(to: id, now: now) }
    }

    /// Makes the path active that we wanted to move to, as soon as anything can be sent there.
    mutating func completeMove(to id: PathID, now: Instant) {
        provideID(for: id)
        guard self[id].remoteID != nil else {
            self[id].move = .whenIDArrives
            return
        }
        if case .trying(let address) = preferredAddress, self[id].remote == address {
            preferredAddress = .moved
            // RFC 9000 section 9.6.3: with the preferred address at hand the original one is not tried any
            // longer.
            for path in all where path.move != .none && path.id != id { remove(path.id, .noLongerUsed) }
        }
        activate(id, now: now, isPeersDoing: false)
    }

    // MARK: A new remote address

    /// Tries a preferred address of the server, and moves there once it is validated (RFC 9000 section
    /// 9.6.1).
    ///
    /// - Parameter local: where to send from; nil for the present local address.
    mutating func usePreferredAddress(
        _ remote: NetworkAddress, from local: NetworkAddress? = nil, at now: Instant
    ) throws(MigrationRefusal) -> PathID {
        guard role == .client else { throw .clientsOnly }
        let id = try openPath(local: local ?? active.local, remote: remote, at: now)
        guard id != activeID else { throw .alreadyThere }
        preferredAddress = .trying(remote)
        begin(moveTo: id, atOnce: false, now: now)
        return id
    }

    /// At a server: names the preferred addresses that the client was told (RFC 9000 section 9.6.2).
    mutating func offerPreferredAddresses(_ addresses: [NetworkAddress]) {
        guard role == .server, !addresses.isEmpty else { return }
        preferredAddress = .offered(ContiguousArray(addresses))
    }

    /// Opens a path to another address of the peer, or from another of ours, to see whether it works. Both
    /// roles may, when an extension has agreed on it.
    ///
    /// - Parameters:
    ///   - local: where to send from; nil for the present local address.
    ///   - moves: whether data goes there as soon as the path is validated.
    mutating func addCandidate(
        remote: NetworkAddress, local: NetworkAddress? = nil, moves: Bool,
        schedule: ChallengeSchedule = .standard,
        at now: Instant
    ) throws(MigrationRefusal) -> PathID {
        let local = local ?? active.local
        guard index(local: local, remote: remote) != activeIndex else { throw .alreadyThere }
        let id = try openPath(local: local, remote: remote, at: now)
        if case .outside(let limit) = schedule, let index = index(of: id), !all[index].isValidated {
            all[index].validation.startScheduledOutside(outstandingLimit: limit)
        }
        if moves { begin(moveTo: id, atOnce: false, now: now) }
        return id
    }

    /// Has a challenge sent on a path at the next occasion, besides those of its own timer.
    mutating func requestChallenge(on id: PathID, at now: Instant) {
        guard let index = index(of: id) else { return }
        all[index].validation.request(at: now)
        mayHaveProbes = true
    }

    /// Sends data to a path from now on, whatever is known of it.
    mutating func activate(_ id: PathID, at now: Instant) {
        activate(id, now: now, isPeersDoing: false)
    }

    /// Gives up a path that is not active.
    mutating func abandon(_ id: PathID) {
        guard id != activeID, contains(id) else { return }
        remove(id, .noLongerUsed)
    }

    // MARK: Opening

    /// The path between two addresses, opened and challenged if there is none yet. The peer's address was not
    /// chosen by a packet, so nothing limits what may be sent there.
    private mutating func openPath(
        local: NetworkAddress, remote: NetworkAddress, at now: Instant
    ) throws(MigrationRefusal) -> PathID {
        try checkMayOpenPath(local: local, remote: remote)
        if let index = index(local: local, remote: remote) {
            all[index].amplification.lift()
            all[index].expiresAt = nil
            startValidationUnlessDone(at: index, now: now)
            return all[index].id
        }
        guard hasRoomForPeerPath else { throw .tooManyPaths }
        makeRoomForPeerPath()
        let index = append(local: local, remote: remote, origin: .own, isAddressValidated: true)
        let id = all[index].id
        startValidation(at: index, now: now)
        provideID(for: id)
        return id
    }

    private func checkMayOpenPath(local: NetworkAddress, remote: NetworkAddress) throws(MigrationRefusal) {
        guard isHandshakeConfirmed else { throw .handshakeNotConfirmed }
        guard remote.isSendable else { throw .unusableAddress }
        let isNewLocal = !active.local.covers(local)
        // RFC 9000 section 18.2: the wish holds for the address of the handshake only.
        if isNewLocal, peerDisabledMigration, remote == handshakeRemote { throw .disabledByPeer }
        if isNewLocal, remoteIDs.isZeroLength, !configuration.allowsLinkableMigration { throw .linkable }
    }

    private mutating func startValidationUnlessDone(at index: Int, now: Instant) {
        if !all[index].isValidated { startValidation(at: index, now: now) }
    }
}
