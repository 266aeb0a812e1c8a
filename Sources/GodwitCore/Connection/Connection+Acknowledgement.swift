import GodwitCrypto
import GodwitWire

// What acknowledgements and losses mean for the rooms.
extension Connection {
    /// What loss detection has to know of the active path.
    var lossContext: LossContext {
        LossContext(
            path: paths.activeID, rtt: paths.active.rtt, maxAckDelay: paths.maxAckDelay,
            handshakeConfirmed: lifecycle.isConfirmed,
            peerCompletedAddressValidation: role == .server || lifecycle.isConfirmed
                || loss.largestAcknowledged(.handshake) != nil,
            hasHandshakeKeys: protection.handshake.write != nil, canSend: hasRoomToProbe,
            isWindowUsedUp: paths.active.congestion.available(bytesInFlight: paths.active.bytesInFlight.count)
                == 0)
    }

    /// The probe timeout of the active path, without backoff.
    var ptoSpan: TimeSpan { paths.active.rtt.ptoInterval(maxAckDelay: paths.maxAckDelay) }

    func receiveAck(_ ack: AckFrame, space: PacketNumberSpace, now: Instant) throws(TransportError) {
        if space == .application, migration != nil, isFromStaleImage(ack, now: now) { return }
        let exponent = space == .application ? peerParameters.ackDelayExponent : 3
        let context = lossContext
        try loss.receiveAck(
            ack, space: space, ackDelay: ack.delay(exponent: exponent), now: now, context: context,
            into: &scratch.outcome)
        if space == .application {
            protection.oneRTT?.onAcknowledged(largest: ack.largestAcknowledged)
            // RFC 9001 section 4.1.2: a client may take the acknowledgement of a 1-RTT packet for confirmation.
            // It waits for HANDSHAKE_DONE, which a server must send anyway.
        }
        applyOutcome(now: now, context)
    }

    /// Carries what loss detection found to everybody it concerns.
    func applyOutcome(now: Instant, _ context: LossContext) {
        let outcome = scratch.outcome
        if let sample = outcome.rttSample, paths.contains(sample.path) {
            let isFirst = !paths[sample.path].rtt.hasSample
            paths[sample.path].rtt.addSample(sample, now: now, context: context)
            if isFirst { paths.onFirstSample(on: sample.path) }
        }
        if qlog != nil { logLosses(outcome) }
        for settled in outcome.acked { onAcked(settled, now: now) }
        for settled in outcome.lost { onLost(settled, now: now) }
        for report in outcome.paths where paths.contains(report.path) { apply(report, outcome, now: now) }
        for record in outcome.ackedFrames { onAcked(record, space: outcome.space, now: now) }
        for record in outcome.lostFrames { onLost(record, space: outcome.space) }
    }

    private func apply(_ report: PathOutcome, _ outcome: borrowing AckOutcome, now: Instant) {
        let isMarked = paths[report.path].ecn.onAcked(report, outcome.ecn)
        paths[report.path].ecn.onLost(report)
        if report.persistentCongestion { paths[report.path].rtt.onPersistentCongestion() }
        let inFlight = paths[report.path].bytesInFlight.count
        let rtt = paths[report.path].rtt.smoothed
        paths[report.path].congestion.apply(
            outcome, report, bytesInFlight: inFlight, isCongestionMarked: isMarked, rtt: rtt, now: now)
        paths[report.path].bytesInFlight.release(report.releasedBytes)
    }

    // MARK: Packets

    private func onAcked(_ settled: SettledPacket, now: Instant) {
        let packet = settled.packet
        guard packet.size > MTUDiscovery.base, paths.contains(packet.path) else { return }
        if packet.isMTUProbe {
            _ = paths[packet.path].onMTUProbeAcknowledged(size: Int(packet.size))
        } else {
            paths[packet.path].mtu.onPacketAcknowledged(packetNumber: settled.number, size: Int(packet.size))
        }
    }

    private func onLost(_ settled: SettledPacket, now: Instant) {
        let packet = settled.packet
        guard packet.size > MTUDiscovery.base, paths.contains(packet.path) else { return }
        if packet.isMTUProbe {
            paths[packet.path].mtu.onProbeLost(size: Int(packet.size))
        } else {
            _ = paths[packet.path].onPacketLost(
                packetNumber: settled.number, size: Int(packet.size), at: now)
        }
    }

    // MARK: Frames

    private func onAcked(_ record: SentFrame, space: PacketNumberSpace, now: Instant) {
        switch record {
        case .stream, .resetStream, .stopSending, .maxData, .maxStreamData, .maxStreams, .dataBlocked,
            .streamDataBlocked, .streamsBlocked:
            streams.onAcked(record)
        case .ack(let largest): received[space].onAckAcknowledged(largest)
        case .crypto: crypto[space].onAcked(record)
        case .newConnectionID(let number): localIDs.onFrameAcknowledged(sequenceNumber: number)
        case .retireConnectionID(let number): paths.onRetirementAcknowledged(sequenceNumber: number, at: now)
        case .datagram: datagrams.onAcked(record)
        case .migration(let id): onMigrationFrameAcked(id, now: now)
        case .pathResponse: onPathResponseAcked(now: now)
        case .newToken, .handshakeDone: break
        }
    }

    func onLost(_ record: SentFrame, space: PacketNumberSpace) {
        switch record {
        case .stream, .resetStream, .stopSending, .maxData, .maxStreamData, .maxStreams, .dataBlocked,
            .streamDataBlocked, .streamsBlocked:
            streams.onLost(record)
        case .crypto: crypto[space].onLost(record)
        case .newConnectionID(let number): localIDs.onFrameLost(sequenceNumber: number)
        case .retireConnectionID(let number): paths.onRetirementLost(sequenceNumber: number)
        case .newToken: pending.newToken = true
        case .handshakeDone: pending.handshakeDone = true
        case .migration(let id): onMigrationFrameLost(id)
        // Not repeated (RFC 9221 section 5.2), only counted.
        case .datagram: datagrams.onLost(record)
        // Made anew from what was received, or asked for again by who needs it.
        case .ack, .pathResponse: break
        }
    }
}
