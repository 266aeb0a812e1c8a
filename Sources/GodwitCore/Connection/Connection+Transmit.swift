import GodwitCrypto
import GodwitWire

// What goes out next, and under which limits. What is in each packet is for Connection+Packets.
extension Connection {
    /// Writes the next datagram, or a train of datagrams of one size, for one destination; nil when there is
    /// nothing to send now.
    func transmit(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> Transmission? {
        qlog?.advance(to: now)
        defer { if qlog != nil { logChanges(isReceiving: false) } }
        // Ids that are issued here may be what the first answer is addressed to.
        defer { collectTableChanges() }
        guard mayProtect() else { return nil }
        switch lifecycle {
        case .closing: return transmitClose(into: buffer, now: now)
        case .draining, .closed: return nil
        case .handshaking, .established, .confirmed: break
        }
        issueConnectionIDs(now: now)
        if lifecycle != .confirmed, let sent = transmitHandshake(into: buffer, now: now) { return sent }
        guard protection.oneRTT != nil else { return nil }
        if let probe = paths.nextProbe(at: now, using: &environment.random) {
            return transmit(probe, into: buffer, now: now)
        }
        if lifecycle == .confirmed, let sent = transmitTrain(into: buffer, now: now) { return sent }
        return transmitMTUProbe(into: buffer, now: now)
    }

    // MARK: What may be sent

    /// Whether there is a packet number left and a key that may be used; without either the connection ends and says
    /// nothing more (RFC 9000 section 12.3, RFC 9001 section 6.6).
    private func mayProtect() -> Bool {
        guard environment.standstill != .held else { return false }
        if packetNumbers.application.areUsedUp {
            abandon(TransportError(.internalError, "the packet numbers are used up").closeReason)
            return false
        }
        guard protection.oneRTT?.isExhausted ?? false else { return true }
        abandon(Self.keysUsedUp.closeReason)
        return false
    }

    /// How many bytes of ack-eliciting packets the congestion window and pacing allow now. Probes after a timeout
    /// are beyond both (RFC 9002 section 7.5).
    func congestionAllowance(now: Instant) -> Int {
        timers.pacing = .distantFuture
        let (window, inFlight) = (paths.active.congestion.window, paths.active.bytesInFlight.count)
        let available = paths.active.congestion.available(bytesInFlight: inFlight)
        guard available > 0 else { return 0 }
        let mtu = paths.active.mtu.currentSize
        let paced = paths.active.pacer.allowance(now: now, window: window, rtt: smoothedRTT, mtu: mtu)
        if paced == 0 {
            timers.pacing = paths.active.pacer.nextSendTime(window: window, rtt: smoothedRTT, mtu: mtu)
        }
        return min(Int(clamping: available), paced)
    }

    /// Whether there is something to send at 1-RTT (or as early data) that asks for an acknowledgement.
    var hasApplicationDataToSend: Bool {
        streams.hasStreamDataToSend || streams.hasControlFramesToSend || datagrams.hasDataToSend
            || (protection.oneRTT != nil && hasConnectionFramesToSend)
    }

    var hasConnectionFramesToSend: Bool {
        crypto.application.hasDataToSend || pending.handshakeDone || pending.newToken || pending.ping
            || localIDs.hasFrameToSend || paths.remoteIDs.retirementToSend != nil
            || migration?.hasFrameToSend ?? false
    }

    // MARK: 1-RTT trains

    private func transmitTrain(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> Transmission? {
        let probes = pending.probes.application
        let mustAck = received.application.shouldAckNow(now)
        let hasData = hasApplicationDataToSend
        guard hasData || mustAck || probes > 0 else {
            timers.pacing = .distantFuture
            return nil
        }
        let allowance = hasData && probes == 0 ? congestionAllowance(now: now) : 0
        guard allowance > 0 || mustAck || probes > 0 else { return nil }
        updateKeysIfDue(now: now)
        guard lifecycle.isOpen else { return transmit(into: buffer, now: now) }
        if probes > 0 { queueProbeData(.application) }
        return writeTrain(into: buffer, allowance: allowance, now: now)
    }

    private func writeTrain(
        into buffer: UnsafeMutableRawBufferPointer, allowance: Int, now: Instant
    ) -> Transmission? {
        let size = paths.active.mtu.currentSize
        let ecn = ecnCodepoint(now: now)
        var room = min(paths.active.dataAllowance, buffer.count, HeaderProtectionBatch.capacity * size)
        var allowance = allowance
        var written = 0
        let hasConnectionFrames = hasConnectionFramesToSend
        while room >= Self.leastDatagram {
            let isProbe = pending.probes.application > 0
            let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[written..<written + min(size, room)])
            let count = writeOneRTTPacket(
                into: slice, mayElicit: isProbe || allowance > 0,
                mayHoldConnectionFrames: hasConnectionFrames, ecn, now: now)
            guard let count else { break }
            written += count
            room -= count
            allowance -= count
            if count < size { break }
        }
        if let key = protection.oneRTT?.headerKeyToSend() { scratch.masks.apply(key) }
        guard written > 0 else { return nil }
        return Transmission(
            count: written, segmentSize: min(size, written), remote: paths.active.remote,
            local: paths.active.local, ecn: ecn)
    }

    /// A datagram smaller than this is not begun: it could hold no frame of use.
    static let leastDatagram = 64

    /// Whether the limits on what an unproved address is sent leave room for a datagram (RFC 9000 section 8.1).
    var hasRoomToSend: Bool { paths.active.dataAllowance >= Self.leastDatagram }

    /// Whether the limits leave room for what a probe timeout sends: at a server with Initial keys that may be an
    /// Initial packet, which needs a full datagram (RFC 9000 section 14.1). Without room the timer is not armed (RFC
    /// 9002 section 6.2.2.1); it would go off again and again.
    var hasRoomToProbe: Bool {
        let least =
            role == .server && protection.initial.write != nil ? MTUDiscovery.base : Self.leastDatagram
        return paths.active.dataAllowance >= least
    }

    func ecnCodepoint(now: Instant) -> ECNCodepoint {
        let interval = ptoSpan
        return paths.active.ecn.codepoint(now: now, ptoInterval: interval)
    }

    private static let keysUsedUp = TransportError(.aeadLimitReached, "the keys may protect no more packets")

    private func updateKeysIfDue(now: Instant) {
        // Asked for every train, so the keys are looked at where they are.
        if protection.oneRTT?.isRunningOut ?? false { return close(Self.keysUsedUp, now: now) }
        let limit = configuration.packetsPerKeyPhase
        guard pending.keyUpdate || protection.oneRTT?.wantsUpdate(after: limit) ?? false,
            lifecycle.isConfirmed, protection.oneRTT?.mayUpdate ?? false
        else { return }
        pending.keyUpdate = false
        protection.oneRTT!.initiateUpdate()
    }

    /// Has the oldest unacknowledged data sent again, so that a probe carries something the peer may lack (RFC 9002
    /// section 6.2.4).
    func queueProbeData(_ space: PacketNumberSpace) {
        scratch.probeFrames.removeAll(keepingCapacity: true)
        loss.oldestUnacknowledgedFrames(space, limit: pending.probes[space], into: &scratch.probeFrames)
        let frames = scratch.probeFrames
        for record in frames { onLost(record, space: space) }
    }

    // MARK: Datagrams of their own

    private func transmit(
        _ probe: PathProbe, into buffer: UnsafeMutableRawBufferPointer, now: Instant
    ) -> Transmission? {
        let size = min(buffer.count, probe.isPadded ? MTUDiscovery.base : probe.maximumSize)
        let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
        let count = writePathProbe(probe, into: slice, now: now)
        return Transmission(
            count: count, segmentSize: count, remote: probe.remote, local: probe.local, ecn: .notECT)
    }

    private func transmitMTUProbe(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> Transmission? {
        guard lifecycle.isConfirmed, pending.probes.application == 0, paths.active.isValidated,
            paths.active.remoteID != nil, paths.active.bytesInFlight.count < paths.active.congestion.window,
            let size = paths.active.mtu.probeSize(at: now), size <= buffer.count
        else { return nil }
        let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[..<size])
        writeMTUProbe(into: slice, now: now)
        return Transmission(
            count: size, segmentSize: size, remote: paths.active.remote, local: paths.active.local,
            ecn: .notECT)
    }
}
