import GodwitCrypto
import GodwitWire

// The making of packets: header, frames, protection, and the record of what was sent.
extension Connection {
    /// What a 1-RTT header takes, with the longest packet number and the AEAD's tag.
    var shortHeaderOverhead: Int { 1 + (paths.active.remoteID?.length ?? 0) + 4 + CipherSuite.tagLength }

    // MARK: 1-RTT

    /// Writes one packet that fills `slice` if there is enough to send.
    ///
    /// - Parameter mayHoldConnectionFrames: false when there are none to send, so that nobody looks for them.
    /// - Returns: its size, nil when there was nothing to write.
    func writeOneRTTPacket(
        into slice: UnsafeMutableRawBufferPointer, mayElicit: Bool, mayHoldConnectionFrames: Bool,
        _ ecn: ECNCodepoint, now: Instant
    ) -> Int? {
        guard let remoteID = paths.active.remoteID else { return nil }
        if mayElicit, mayHoldConnectionFrames { skipNumberBeforeAnnouncement() }
        var packet = beginShort(to: remoteID, into: slice)
        scratch.records.removeAll(keepingCapacity: true)
        let isFull = writeFrames(
            into: &packet, mayElicit: mayElicit, mayHoldConnectionFrames: mayHoldConnectionFrames, now: now)
        guard !packet.isEmpty else { return nil }
        var flags: SentPacket.Flags = []
        if !isFull, !paths.active.congestion.isUsedUp(bytesInFlight: paths.active.bytesInFlight.count) {
            flags.insert(.applicationLimited)
        }
        return finishShort(&packet, path: paths.activeID, flags, ecn, now: now)
    }

    func beginShort(to id: ConnectionID, into slice: UnsafeMutableRawBufferPointer) -> PacketBuilder {
        let number = packetNumbers.application.prepare(&environment.random)
        let length = PacketNumber.encodedLength(
            number, largestAcknowledged: loss.largestAcknowledged(.application))
        var writer = ByteWriter(slice)
        let layout = ShortHeader.encode(
            destinationID: id, spinBit: spin.value, keyPhase: protection.oneRTT!.phaseToSend(),
            packetNumber: number,
            packetNumberLength: length, fixedBit: fixedBit(), into: &writer)
        return PacketBuilder(level: .oneRTT, number: number, layout: layout, writer: writer)
    }

    /// RFC 9287 section 3.1: varied at random towards peers that take it.
    private func fixedBit() -> Bool {
        guard peerParameters.greaseQUICBit, configuration.greasesQUICBit else { return true }
        return environment.random.next() & 1 == 0
    }

    /// Seals the packet and notes it as sent. Its header is protected with the train's others.
    private func finishShort(
        _ packet: inout PacketBuilder, path: PathID, _ flags: SentPacket.Flags, _ ecn: ECNCodepoint,
        now: Instant
    ) -> Int {
        if qlog != nil { logSent(&packet, on: path, isMTUProbe: flags.contains(.mtuProbe)) }
        let size = protection.oneRTT!.seal(&packet)
        scratch.masks.add(
            packet.writer.written.baseAddress!, packetNumberOffset: packet.layout.packetNumberOffset,
            packetNumberLength: packet.layout.packetNumberLength)
        onSent(packet, size: size, path: path, flags, ecn, now: now)
        paths.onDatagramSent(on: path, size: size)
        statisticsSoFar.bytesSent += UInt64(size)
        return size
    }

    /// Everything that may stand in a 1-RTT packet, most urgent first.
    /// - Returns: whether more data waits than went in.
    func writeFrames(
        into packet: inout PacketBuilder, mayElicit: Bool, mayHoldConnectionFrames: Bool = true, now: Instant
    ) -> Bool {
        let unacknowledged = received.application.unacknowledgedCount
        writeAck(into: &packet, space: .application, now: now)
        guard mayElicit else {
            // A PING now and then lets the peer's acknowledgement tell which of ours arrived (RFC 9000 section 13.2.4).
            let isWanted = wantsAnswer(to: unacknowledged)
            if !packet.isEmpty,
                received.application.shouldElicitAck(now: now, rtt: smoothedRTT, isWanted: isWanted)
            {
                packet.write(.ping)
                noteQuestion()
            }
            return true
        }
        if crypto.application.hasDataToSend {
            crypto.application.writeFrames(into: &packet.writer, records: &scratch.records)
        }
        if mayHoldConnectionFrames { writeConnectionFrames(into: &packet) }
        writeApplicationFrames(into: &packet)
        noteElicitation(&packet)
        if packet.isAckEliciting { noteQuestion() }
        if !packet.isAckEliciting, pending.ping || pending.probes.application > 0 { packet.write(.ping) }
        if packet.isAckEliciting {
            pending.ping = false
            pending.probes.application = max(0, pending.probes.application - 1)
        }
        return streams.hasStreamDataToSend
    }

    func writeAck(into packet: inout PacketBuilder, space: PacketNumberSpace, now: Instant) {
        guard received[space].hasAckToSend else { return }
        let exponent = space == .application ? UInt8(localParameters.ackDelayExponent) : 3
        guard let largest = received[space].encodeAck(into: &packet.writer, now: now, exponent: exponent)
        else {
            return
        }
        scratch.records.append(.ack(largest: largest))
    }

    private func writeConnectionFrames(into packet: inout PacketBuilder) {
        if pending.handshakeDone, packet.fits(.handshakeDone) {
            packet.write(.handshakeDone)
            scratch.records.append(.handshakeDone)
            pending.handshakeDone = false
        }
        if pending.newToken { writeNewToken(into: &packet) }
        if migration != nil { writeMigrationFrames(into: &packet) }
        while let frame = localIDs.frameToSend, packet.fits(.newConnectionID(frame)) {
            packet.write(.newConnectionID(frame))
            scratch.records.append(.newConnectionID(sequenceNumber: frame.sequenceNumber))
            localIDs.onFrameSent(sequenceNumber: frame.sequenceNumber)
        }
        while let number = paths.remoteIDs.retirementToSend,
            packet.fits(.retireConnectionID(sequenceNumber: number))
        {
            packet.write(.retireConnectionID(sequenceNumber: number))
            scratch.records.append(.retireConnectionID(sequenceNumber: number))
            paths.onRetirementSent(sequenceNumber: number)
        }
    }

    func writeApplicationFrames(into packet: inout PacketBuilder) {
        if streams.hasControlFramesToSend {
            streams.writeControlFrames(into: &packet.writer, records: &scratch.records)
        }
        if datagrams.hasDataToSend { writeDatagrams(into: &packet) }
        if streams.hasStreamDataToSend {
            streams.writeStreamFrames(into: &packet.writer, records: &scratch.records)
        }
    }

    private func writeDatagrams(into packet: inout PacketBuilder) {
        let isFresh = packet.isEmpty
        datagrams.write(into: &packet.writer, records: &scratch.records, isFreshPacket: isFresh)
    }

    /// Every record but that of an ACK stands for a frame that asks for an acknowledgement.
    func noteElicitation(_ packet: inout PacketBuilder) {
        guard let last = scratch.records.last else { return }
        if case .ack = last { return }
        packet.isAckEliciting = true
    }

    // MARK: Probes

    func writePathProbe(_ probe: PathProbe, into slice: UnsafeMutableRawBufferPointer, now: Instant) -> Int {
        var packet = beginShort(to: probe.remoteID, into: slice)
        scratch.records.removeAll(keepingCapacity: true)
        if let response = probe.response {
            packet.write(.pathResponse(response))
            if migration?.awaitsClient ?? false { scratch.records.append(.pathResponse) }
        }
        if let challenge = probe.challenge { packet.write(.pathChallenge(challenge)) }
        if probe.includesPing { packet.write(.ping) }
        if probe.isPadded { packet.pad(to: slice.count) }
        // An answer to a probe must not put off the probe timeout of data (RFC 9002 section 6.2.1 only recommends it):
        // a client that misses that data probes, and would wait a round trip more for it.
        let isAside =
            migration.map {
                probe.path != paths.activeID || probe.response != nil || $0.awaitsClient
            } ?? false
        let size = finishShort(&packet, path: probe.path, isAside ? .aside : [], .notECT, now: now)
        scratch.masks.apply(protection.oneRTT!.headerKeyToSend())
        return size
    }

    func writeMTUProbe(into slice: UnsafeMutableRawBufferPointer, now: Instant) {
        guard let remoteID = paths.active.remoteID else { return }
        var packet = beginShort(to: remoteID, into: slice)
        scratch.records.removeAll(keepingCapacity: true)
        packet.write(.ping)
        packet.pad(to: slice.count)
        _ = finishShort(&packet, path: paths.activeID, .mtuProbe, .notECT, now: now)
        scratch.masks.apply(protection.oneRTT!.headerKeyToSend())
        paths.active.mtu.onProbeSent(size: slice.count)
    }

    // MARK: Records

    func onSent(
        _ packet: PacketBuilder, size: Int, path: PathID, _ flags: SentPacket.Flags, _ ecn: ECNCodepoint,
        now: Instant
    ) {
        var flags = flags
        if packet.isAckEliciting { flags.formUnion([.ackEliciting, .inFlight]) }
        if packet.isPadded { flags.insert(.inFlight) }
        if ecn != .notECT { flags.insert(.ecnMarked) }
        if packet.level == .earlyData { flags.insert(.earlyData) }
        let sent = SentPacket(timeSent: now, path: path, size: UInt16(size), flags: flags)
        loss.onPacketSent(packet.level.space, packetNumber: packet.number, sent, frames: scratch.records)
        packetNumbers[packet.level.space].use()
        if let observer = environment.observer { tell(observer, ofSealed: packet, size: size) }
        if ecn != .notECT { paths[path].ecn.onMarkedPacketSent() }
        if sent.isInFlight { noteInFlight(sent, now: now) }
        if packet.isAckEliciting { noteAckElicitingSent(now: now) }
    }

    private func noteInFlight(_ sent: SentPacket, now: Instant) {
        guard let index = paths.index(of: sent.path) else { return }
        let before = paths.all[index].bytesInFlight.count
        paths.all[index].congestion.onSent(bytes: UInt64(sent.size), bytesInFlight: before, now: now)
        paths.all[index].bytesInFlight.add(sent)
        paths.all[index].pacer.onSent(Int(sent.size))
    }

    private func noteAckElicitingSent(now: Instant) {
        timers.keepAliveFrom = now
        // RFC 9000 section 10.1: only the first since the last packet received restarts the idle timer.
        guard !timers.hasSentSinceReceiving else { return }
        timers.hasSentSinceReceiving = true
        timers.lastActivity = now
    }
}
