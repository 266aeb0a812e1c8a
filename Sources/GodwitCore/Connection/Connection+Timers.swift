import GodwitCrypto
import GodwitWire

// When a connection has to act, and what it does then.
extension Connection {
    /// When to call ``handleDeadline(now:)`` next; nil for never.
    var nextDeadline: Instant? {
        switch lifecycle {
        case .closing(let state): return state.until
        case .draining(let until): return until
        case .closed: return nil
        case .handshaking, .established, .confirmed: break
        }
        var earliest = min(idleDeadline, keepAliveDeadline)
        if lifecycle == .handshaking { earliest = min(earliest, timers.handshakeDeadline) }
        if let loss = loss.deadline(lossContext) { earliest = min(earliest, loss.time) }
        // What cannot be sent must not come due, or it would stay so.
        if protection.oneRTT != nil {
            if let ack = received.application.ackDeadline, hasRoomToSend { earliest = min(earliest, ack) }
            if let path = paths.deadline { earliest = min(earliest, path) }
        }
        if let ids = localIDs.deadline { earliest = min(earliest, ids) }
        earliest = min(earliest, timers.pacing, timers.discardEarlyDataAt, timers.tidyAt)
        if let migration { earliest = min(earliest, migration.deadline ?? .distantFuture, silenceDeadline) }
        if let keys = protection.oneRTT { earliest = min(earliest, keys.discardDeadline) }
        return earliest == .distantFuture ? nil : earliest
    }

    /// RFC 9000 section 10.1: the smaller of both sides' timeouts, but no less than three PTOs.
    private var idleDeadline: Instant {
        // Asked after every train, so without the arrays that would say it shorter.
        let own = configuration.idleTimeout.map { TimeSpan($0) }
        guard let timeout = own ?? peerParameters.maxIdleTimeout else { return .distantFuture }
        let smaller = min(timeout, peerParameters.maxIdleTimeout ?? timeout)
        let deadline = timers.lastActivity + max(smaller, ptoSpan * 3)
        guard let migration else { return deadline }
        return max(deadline, migration.suspendsIdleUntil)
    }

    private var keepAliveDeadline: Instant {
        guard let interval = configuration.keepAliveInterval, lifecycle != .handshaking else {
            return .distantFuture
        }
        return timers.keepAliveFrom + TimeSpan(interval)
    }

    /// Does whatever has become due.
    func handleDeadline(now: Instant) {
        qlog?.advance(to: now)
        defer { if qlog != nil { logChanges(isReceiving: false) } }
        switch lifecycle {
        case .closing(let state):
            if state.until <= now { lifecycle = .closed }
            return
        case .draining(let until):
            if until <= now { lifecycle = .closed }
            return
        case .closed: return
        case .handshaking, .established, .confirmed: break
        }
        if idleDeadline <= now { return abandon(.idleTimeout) }
        if lifecycle == .handshaking, timers.handshakeDeadline <= now {
            return close(.handshakeTimeout, now: now)
        }
        handleSmallTimers(now: now)
        handleLossTimer(now: now)
        paths.onTimeout(at: now)
        if migration != nil { handleMigrationDeadline(now: now) }
        applyAnswers(now: now)
        wake()
    }

    private func handleSmallTimers(now: Instant) {
        if keepAliveDeadline <= now {
            pending.ping = true
            streams.repeatBlockedSignals()
            timers.keepAliveFrom = now
        }
        localIDs.onTimeout(at: now)
        protection.oneRTT?.discardPrevious(now: now)
        if timers.discardEarlyDataAt <= now {
            protection.discard(.earlyData)
            timers.discardEarlyDataAt = .distantFuture
        }
        if timers.pacing <= now { timers.pacing = .distantFuture }
        if timers.tidyAt <= now { tidy(now: now) }
    }

    /// How long a connection is silent before it gives memory back.
    static let tidyDelay = TimeSpan.seconds(1)

    /// Gives back what traffic needed and silence does not: most connections of a server are idle.
    private func tidy(now: Instant) {
        guard timers.lastActivity + Self.tidyDelay <= now, paths.active.bytesInFlight.count == 0 else {
            timers.tidyAt = now + Self.tidyDelay
            return
        }
        timers.tidyAt = .distantFuture
        streams.releaseSpareMemory()
        datagrams.releaseSpareMemory()
        crypto.application.releaseSpareMemory()
        loss.releaseUnusedStorage()
        localIDs.releaseSpareMemory()
        if events.isEmpty { events.removeAll() }
    }

    private func handleLossTimer(now: Instant) {
        let context = lossContext
        switch loss.onTimeout(now: now, context, into: &scratch.outcome) {
        case .none: break
        case .declareLost: applyOutcome(now: now, context)
        case .sendProbes(let space, let count):
            pending.probes[space] = count
            // A peer that has no id left for a new path of its own can't answer from there; a spare one frees it.
            // The offer may be lost, so it is renewed.
            if lifecycle.isConfirmed, loss.ptoCount >= 2 { localIDs.offerReplacement() }
            // A server that has dropped its Handshake keys neither answers these nor learns from them where we are;
            // its HANDSHAKE_DONE may go to where we were.
            if role == .client, lifecycle == .established { pending.ping = true }
            _ = paths.active.onProbeTimeout(count: loss.ptoCount, at: now)
            if migration != nil, space == .application { onMigrationProbeTimeout(now: now) }
        }
    }

    // MARK: Freeze

    /// Goes on after a freeze: `now` is on the endpoint's rebased clock, and every timer moves by `span`, the time
    /// that the process did not see.
    func resume(now: Instant, shiftedBy span: TimeSpan, localAddress: NetworkAddress?) {
        guard lifecycle.isOpen else { return }
        shift(by: span, now: now)
        // Whoever saw the ids before the freeze should not know the connection by them elsewhere.
        if lifecycle.isConfirmed, localAddress != nil { localIDs.retireAllIssued() }
        streams.restartMeasurements()
        paths.resume(at: now, shiftedBy: span, localAddress: localAddress)
        // A server knows where its client is only from the client's packets, and bindings on the way may be gone.
        if role == .client, lifecycle != .handshaking { pending.ping = true }
        applyAnswers(now: now)
        wake()
    }

    /// Puts every timer off by `span`, but for those of paths.
    func shift(by span: TimeSpan, now: Instant) {
        timers.lastActivity += span
        timers.keepAliveFrom += span
        timers.handshakeDeadline += span
        timers.discardEarlyDataAt = timers.discardEarlyDataAt.shifted(by: span)
        timers.pacing = .distantFuture
        timers.tidyAt = timers.tidyAt.shifted(by: span)
        protection.oneRTT?.shift(by: span)
        loss.resume(at: now, shiftedBy: span)
        for space in PacketNumberSpace.allCases { received[space].shift(by: span) }
        localIDs.resume(shiftedBy: span)
        migration?.resume(shiftedBy: span)
    }
}
