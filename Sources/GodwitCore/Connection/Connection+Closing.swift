import GodwitCrypto
import GodwitWire

// The ends of a connection (RFC 9000 section 10).
extension Connection {
    func close(_ error: TransportError, now: Instant) {
        close(error.closeReason, now: now)
    }

    /// Closes with a CONNECTION_CLOSE and stays to answer late packets (RFC 9000 section 10.2.1).
    func close(_ reason: ConnectionCloseReason, now: Instant) {
        guard lifecycle.isOpen else { return }
        finish(with: reason)
        lifecycle = .closing(ClosingState(until: now + ptoSpan * 3))
        wake()
    }

    /// Goes silent, until nothing of the connection can be under way any more (RFC 9000 section 10.2.2).
    func drain(_ reason: ConnectionCloseReason, now: Instant) {
        finish(with: reason)
        lifecycle = .draining(until: now + ptoSpan * 3)
        wake()
    }

    /// Ends without a word: the peer is gone, or must not be told.
    func abandon(_ reason: ConnectionCloseReason) {
        guard lifecycle.isOpen else { return }
        finish(with: reason)
        lifecycle = .closed
        wake()
    }

    /// Ends a connection that nobody was told of.
    func abandonSilently() {
        handshake = nil
        lifecycle = .closed
    }

    private func finish(with reason: ConnectionCloseReason) {
        guard closeReason == nil else { return }
        closeReason = reason
        handshake = nil
        undecryptable.removeAll()
        tellMigrationOfTheEnd()
        emit(.closed(reason))
    }

    func receiveClose(_ frame: ConnectionCloseFrame, now: Instant) {
        let text = String(decoding: frame.reason, as: UTF8.self)
        let reason: ConnectionCloseReason =
            frame.isApplication
            ? .application(code: frame.errorCode, reason: text, byPeer: true)
            : .transport(
                code: TransportErrorCode(rawValue: frame.errorCode), frameType: frame.frameType, reason: text,
                byPeer: true)
        drain(reason, now: now)
    }

    // MARK: CONNECTION_CLOSE

    func transmitClose(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> Transmission? {
        guard case .closing(var state) = lifecycle, state.mustSend, let reason = closeReason else {
            return nil
        }
        let room = min(MTUDiscovery.base, paths.active.sendAllowance, state.sendAllowance, buffer.count)
        let levels = levelsForClose()
        // RFC 9000 section 14.1: a server drops a client's Initial packet in a smaller datagram.
        let least = role == .client && levels.contains(.initial) ? MTUDiscovery.base : Self.leastDatagram
        guard room >= least else { return nil }
        var written = 0
        for level in levels {
            let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[written..<room])
            let mustPad = level == levels.last && levels.contains(.initial) && room >= MTUDiscovery.base
            written += writeClose(
                reason, level, into: slice, paddedTo: mustPad ? MTUDiscovery.base - written : 0, now: now)
        }
        guard written > 0 else { return nil }
        state.onSent(written)
        lifecycle = .closing(state)
        paths.onDatagramSent(on: paths.activeID, size: written)
        onHandshakeDatagramSent(levels, now: now)
        return Transmission(
            count: written, segmentSize: written, remote: paths.active.remote, local: paths.active.local,
            ecn: .notECT)
    }

    /// Until the peer is known to have the keys of a level, the close goes out at lower ones too (RFC 9000 section
    /// 10.2.3).
    private func levelsForClose() -> [EncryptionLevel] {
        [.initial, .handshake, .oneRTT].filter { protection.canWrite(at: $0) }
    }

    private func writeClose(
        _ reason: ConnectionCloseReason, _ level: EncryptionLevel, into slice: UnsafeMutableRawBufferPointer,
        paddedTo padding: Int, now: Instant
    ) -> Int {
        guard slice.count >= Self.leastDatagram, var packet = begin(level, into: slice) else { return 0 }
        scratch.records.removeAll(keepingCapacity: true)
        var text = Array(reason.closeContent(at: level).text.utf8.prefix(256))
        let content = reason.closeContent(at: level)
        // The reason phrase takes what room the packet has.
        text = Array(text.prefix(max(0, packet.writer.remaining - 32)))
        text.withUnsafeBytes { bytes in
            packet.write(
                .connectionClose(
                    ConnectionCloseFrame(
                        isApplication: content.isApplication, errorCode: content.code,
                        frameType: content.frameType,
                        reason: bytes)))
        }
        packet.pad(to: padding)
        return finish(&packet, .notECT, now: now)
    }
}

extension TransportError {
    /// What it means for a connection on whose side it was found.
    var closeReason: ConnectionCloseReason {
        .transport(code: code, frameType: frameType, reason: reason, byPeer: false)
    }
}

extension ConnectionCloseReason {
    /// What a CONNECTION_CLOSE frame says about the reason at a level.
    ///
    /// An application's code would be readable by anyone in an Initial packet, so there it is APPLICATION_ERROR
    /// without a reason (RFC 9000 section 10.2.3).
    func closeContent(
        at level: EncryptionLevel
    ) -> (isApplication: Bool, code: UInt64, frameType: UInt64, text: String) {
        switch self {
        case .transport(let code, let frameType, let text, _): (false, code.rawValue, frameType, text)
        case .application(let code, let text, _) where level == .oneRTT: (true, code, 0, text)
        case .application: (false, TransportErrorCode.applicationError.rawValue, 0, "")
        case .noViablePath: (false, TransportErrorCode.noViablePath.rawValue, 0, "")
        case .idleTimeout, .handshakeTimeout, .statelessReset, .versionNegotiationFailed:
            (false, TransportErrorCode.noError.rawValue, 0, "")
        }
    }
}
