import GodwitCrypto
import GodwitWire

// Connection ids, preferred addresses and moves: what the paths ask of the connection.
extension Connection {
    /// Makes as many ids as the peer takes (RFC 9000 section 5.1.1).
    func issueConnectionIDs(now: Instant) {
        guard hasPeerParameters, protection.oneRTT != nil, lifecycle != .handshaking else { return }
        for _ in 0..<localIDs.needed(at: now) {
            let id = environment.makeConnectionID(at: now)
            localIDs.issue(id, resetToken: environment.connectionIDs.resetToken(for: id), at: now)
        }
    }

    /// Writes a NEW_TOKEN frame with a token for the address that the peer uses now (RFC 9000 section 8.1.3).
    func writeNewToken(into packet: inout PacketBuilder) {
        guard let validation = environment.addressValidation else {
            pending.newToken = false
            return
        }
        let token = validation.returningToken(
            remote: paths.active.remote, unixTime: environment.unixTime(at: timers.lastActivity),
            using: &environment.random)
        token.withUnsafeBytes { bytes in
            guard packet.fits(.newToken(bytes)) else { return }
            packet.write(.newToken(bytes))
            scratch.records.append(.newToken)
            pending.newToken = false
        }
    }

    /// Does what a change among the paths asks.
    func applyAnswers(now: Instant) {
        while let action = paths.nextAction() {
            switch action {
            case .validated(let path):
                statisticsSoFar.pathsValidated += 1
                if paths.contains(path) {
                    environment.observer?.onAddressValidated(paths[path].remote, of: handle)
                }
                if role == .server, environment.addressValidation != nil { pending.newToken = true }
            case .activeChanged(_, _, let isFresh): onActiveChanged(isFresh: isFresh, now: now)
            case .removed(let path, let reason): onRemoved(path, reason, now: now)
            case .needsConnectionID: break
            case .peerMayLackConnectionID: localIDs.offerReplacement()
            case .noViablePath(let isReachable):
                if isReachable { close(.noViablePath, now: now) } else { abandon(.noViablePath) }
            case .resetToken(let change): environment.resetTokenChanges.append((change, handle))
            }
        }
        collectTableChanges()
    }

    /// Hands the endpoint what changed in the ids that lead here.
    func collectTableChanges() {
        while let action = localIDs.nextAction() { environment.idChanges.append((action, handle)) }
        while let change = paths.remoteIDs.nextTokenChange() {
            environment.resetTokenChanges.append((change, handle))
        }
    }

    private func onActiveChanged(isFresh: Bool, now: Instant) {
        spin.reset()
        if isFresh { received.application.onNewPath() }
        timers.pacing = .distantFuture
        if migration != nil { onMigrationActiveChanged(now: now) }
        emit(.pathChanged(local: paths.active.local, remote: paths.active.remote))
    }

    private func onRemoved(_ path: PathID, _ reason: PathRemoval, now: Instant) {
        // What was in flight on a path that was moved as a whole may well have arrived.
        guard reason != .replaced else { return }
        defer { if migration != nil { onMigrationPathRemoved(path, now: now) } }
        let context = lossContext
        loss.declareLost(path: path, into: &scratch.outcome)
        applyOutcome(now: now, context)
    }

    func onMessageTooLarge(size: Int, from local: NetworkAddress, to remote: NetworkAddress, now: Instant) {
        guard lifecycle.isOpen else { return }
        // What was in flight at that size is found lost by the usual rules.
        if paths.onMessageTooLarge(size: size, from: local, to: remote, at: now) { wake() }
    }

    // MARK: Moving

    /// At a client: tries the address that the server prefers, of the family in use if there is a choice (RFC 9000
    /// section 9.6.1).
    func usePreferredAddress(now: Instant) {
        guard role == .client, let preferred = peerParameters.preferredAddress else { return }
        let candidates = [preferred.ipv4, preferred.ipv6].compactMap { $0 }
        guard let remote = candidates.first(where: { $0.isIPv4 == remoteAddress.isIPv4 }) else { return }
        // Refused where it makes no sense, as when the server prefers the address it has.
        _ = try? paths.usePreferredAddress(remote, at: now)
    }

    func startMigration(toLocal local: NetworkAddress, now: Instant) -> Bool {
        do {
            _ = try paths.migrate(toLocal: local, atOnce: false, at: now)
            if migration != nil { alsoLookForServer(from: local, now: now) }
            return true
        } catch {
            return false
        }
    }
}
