import GodwitCrypto
import GodwitWire

// The handshake: CRYPTO frames in and out, keys, and what follows from its progress.
extension Connection {
    func receiveCrypto(_ frame: CryptoFrame, level: EncryptionLevel) throws(TransportError) {
        try crypto[level.space].receive(frame)
        if hasLeft(level) { try checkNothingIsUnread(at: level) }
    }

    /// Whether TLS reads at a higher level already.
    private func hasLeft(_ level: EncryptionLevel) -> Bool {
        switch level {
        case .initial: protection.canRead(at: .handshake)
        case .handshake: protection.canRead(at: .oneRTT)
        case .earlyData, .oneRTT: false
        }
    }

    /// RFC 9001 section 4.1.3: a level that TLS leaves has no more to say than TLS has read of it, gaps included.
    private func checkNothingIsUnread(at level: EncryptionLevel) throws(TransportError) {
        guard crypto[level.space].hasUnreadData else { return }
        throw TransportError(
            .protocolViolation, "handshake data at a level that TLS has left", frameType: FrameType.crypto)
    }

    /// Hands TLS what has come in order and does what it answers.
    func advanceHandshake(now: Instant) throws(TransportError) {
        try feed(.initial, now: now)
        try feed(.handshake, now: now)
        try feed(.oneRTT, now: now)
    }

    private func feed(_ level: EncryptionLevel, now: Instant) throws(TransportError) {
        while crypto[level.space].readableCount > 0, lifecycle.isOpen {
            let failure = feedOnce(level)
            try drainHandshake(now: now)
            if let failure { throw transportError(for: failure) }
        }
    }

    private func feedOnce(_ level: EncryptionLevel) -> HandshakeFailure? {
        if handshake == nil, role == .client, level == .oneRTT {
            // Of an imported connection: session tickets, which need the TLS state that did not come along.
            _ = crypto.application.read { $0.count }
            return nil
        }
        guard let handshake else {
            // A client has nothing more to say to TLS once the handshake is over (RFC 9001 section 6 and 4.4).
            return HandshakeFailure(alert: 10, reason: "TLS messages after the end of the handshake")
        }
        var failure: HandshakeFailure?
        _ = crypto[level.space].read { bytes in
            do throws(HandshakeFailure) {
                try handshake.receive(bytes, at: level)
            } catch {
                failure = error
            }
            return bytes.count
        }
        return failure
    }

    /// Does what TLS wants done.
    func drainHandshake(now: Instant) throws(TransportError) {
        while let action = handshake?.nextAction() {
            switch action {
            case .send(let bytes, let level): bytes.withUnsafeBytes { crypto[level.space].write($0) }
            case .installReadSecret(let secret, let level):
                protection.installRead(secret, at: level, version: version(at: level))
                for lower in [EncryptionLevel.initial, .handshake] where hasLeft(lower) {
                    try checkNothingIsUnread(at: lower)
                }
                receiveWaiting(level)
            case .installWriteSecret(let secret, let level):
                protection.installWrite(secret, at: level, version: version(at: level))
            case .peerTransportParameters(let bytes): try receivePeerParameters(bytes)
            case .earlyDataAccepted: acceptEarlyData()
            case .earlyDataRejected: try rejectEarlyData(now: now)
            case .sessionTicket(let session): receiveTicket(session)
            case .complete(let summary): try completeHandshake(summary, now: now)
            }
        }
    }

    /// Early data keeps to the version of the client's first flight (RFC 9369 section 4.1).
    func version(at level: EncryptionLevel) -> QUICVersion {
        level == .earlyData ? identity.originalVersion : identity.version
    }

    /// A failure of TLS as the error to close with (RFC 9001 section 4.8).
    func transportError(for failure: HandshakeFailure) -> TransportError {
        TransportError(failure.code, failure.reason, frameType: FrameType.crypto)
    }

    // MARK: Milestones

    private func completeHandshake(_ summary: HandshakeSummary, now: Instant) throws(TransportError) {
        try checkEarlyDataLimits()
        self.summary = summary
        lifecycle = .established
        emit(.handshakeCompleted(summary))
        receiveWaiting(.oneRTT)
        if role == .server {
            // RFC 9001 section 4.1.2: for the server, complete is confirmed.
            pending.handshakeDone = true
            pending.newToken = environment.addressValidation != nil
            timers.discardEarlyDataAt = now + ptoSpan * 3
            localIDs.retireOriginalDestination(at: now, grace: ptoSpan * 3)
            confirmHandshake(now: now)
        }
    }

    /// Both ends are done: Handshake keys go, paths may change (RFC 9001 sections 4.1.2 and 4.9.2).
    func confirmHandshake(now: Instant) {
        guard lifecycle == .established else { return }
        lifecycle = .confirmed
        emit(.handshakeConfirmed)
        discard(.initial, now: now)
        discard(.handshake, now: now)
        paths.onHandshakeConfirmed()
        usePreferredAddress(now: now)
        onMigrationConfirmed(now: now)
        undecryptable.removeAll()
        (request, earlyData) = (nil, .none)
        if role == .server { handshake = nil }
    }

    /// Drops the keys of a level with everything that needs them (RFC 9001 section 4.9, RFC 9002 section 6.4).
    func discard(_ level: EncryptionLevel, now: Instant) {
        guard protection.canRead(at: level) || protection.canWrite(at: level) else { return }
        protection.discard(level)
        guard level == .initial || level == .handshake else { return }
        let context = lossContext
        loss.discard(level.space, now: now, into: &scratch.outcome)
        applyOutcome(now: now, context)
        crypto[level.space] = CryptoStream(receiveLimit: configuration.cryptoBufferLimit)
        received[level.space] = ReceivedPackets(space: level.space)
        pending.probes[level.space] = 0
    }

    // MARK: Early data

    private func acceptEarlyData() {
        if case .offered(let remembered) = earlyData { earlyData = .accepted(remembered) }
    }

    /// TLS does not look into transport parameters, so this is for us to check (RFC 9000 section 7.4.1).
    private func checkEarlyDataLimits() throws(TransportError) {
        guard case .accepted(let remembered) = earlyData,
            !peerParameters.permitsEarlyData(sentUnder: remembered)
        else { return }
        throw TransportError(
            .protocolViolation, "accepted early data under limits lower than those it remembered")
    }

    func rejectEarlyData(now: Instant) throws(TransportError) {
        guard case .offered = earlyData else { return }
        earlyData = .rejected
        protection.discard(.earlyData)
        let context = lossContext
        loss.rejectEarlyData(into: &scratch.outcome)
        applyOutcome(now: now, context)
        try streams.rejectEarlyData()
        datagrams.rejectEarlyData()
        emit(.earlyDataRejected)
    }

    private func receiveTicket(_ session: [UInt8]) {
        emit(
            .resumptionTicket(
                ResumptionTicket(
                    session: session, version: identity.version,
                    transportParameters: peerParameters.rememberedForEarlyData.encoded(sender: .server))))
    }
}

/// What a client knows of the early data it may send (RFC 9000 section 7.4.1). Indirect, because few connections have
/// any and each would be a few hundred bytes larger.
indirect enum EarlyDataState {
    case none
    /// Sent under these parameters of an earlier connection.
    case offered(TransportParameters)
    case accepted(TransportParameters)
    case rejected
}
