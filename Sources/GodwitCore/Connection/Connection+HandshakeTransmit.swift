import GodwitCrypto
import GodwitWire

// Datagrams of the handshake: packets of several levels in one (RFC 9000 sections 12.2 and 14.1).
extension Connection {
    /// The levels in the order in which their packets stand in a datagram, so that each can be opened with what
    /// those before it brought.
    private static let levels: [EncryptionLevel] = [.initial, .earlyData, .handshake, .oneRTT]

    func transmitHandshake(into buffer: UnsafeMutableRawBufferPointer, now: Instant) -> Transmission? {
        for space in PacketNumberSpace.allCases where pending.probes[space] > 0 { queueProbeData(space) }
        let room = min(paths.active.mtu.currentSize, paths.active.dataAllowance, buffer.count)
        // RFC 9000 section 8.1: the limit may leave a server no room for a padded datagram; then it waits.
        guard room >= Self.leastDatagram else { return nil }
        let allowance = congestionAllowance(now: now)
        let mayElicit = allowance > 0
        let wanting = Self.levels.filter { wantsToSend($0, mayElicit: mayElicit, room: room, now: now) }
        guard let last = wanting.last else { return nil }
        let mustPad = mustPad(wanting, mayElicit: mayElicit)
        let ecn = ecnCodepoint(now: now)
        var written = 0
        for level in wanting {
            let slice = UnsafeMutableRawBufferPointer(rebasing: buffer[written..<room])
            guard written == 0 || slice.count >= Self.leastCoalesced else { break }
            let padding = mustPad ? MTUDiscovery.base - written : 0
            written += writeHandshakePacket(
                level, into: slice, mayElicit: mayElicit || pending.probes[level.space] > 0,
                paddedTo: padding,
                isLast: level == last, ecn, now: now)
        }
        guard written > 0 else { return nil }
        paths.onDatagramSent(on: paths.activeID, size: written)
        statisticsSoFar.bytesSent += UInt64(written)
        onHandshakeDatagramSent(wanting, now: now)
        return Transmission(
            count: written, segmentSize: written, remote: paths.active.remote, local: paths.active.local,
            ecn: ecn)
    }

    /// No packet is put behind another in less room than the longest header and some frames take.
    private static let leastCoalesced = 2 * leastDatagram

    /// A client's Initial keys go with its first Handshake packet (RFC 9001 section 4.9.1).
    func onHandshakeDatagramSent(_ levels: [EncryptionLevel], now: Instant) {
        if role == .client, levels.contains(.handshake) { discard(.initial, now: now) }
    }

    private func wantsToSend(_ level: EncryptionLevel, mayElicit: Bool, room: Int, now: Instant) -> Bool {
        guard protection.canWrite(at: level) else { return false }
        let space = level.space
        switch level {
        case .initial, .handshake:
            let elicits = pending.probes[space] > 0 || (mayElicit && crypto[space].hasDataToSend)
            // RFC 9000 section 14.1: a server's Initial packet that asks for an answer needs a full datagram.
            if level == .initial, elicits, room < MTUDiscovery.base { return received[space].hasAckToSend }
            return elicits || received[space].hasAckToSend
        case .earlyData:
            // RFC 9000 section 7.4.1: early data keeps to the limits remembered, so it ends where others are learnt.
            guard protection.oneRTT == nil, !hasPeerParameters, mayElicit || pending.probes.application > 0
            else {
                return false
            }
            return hasApplicationDataToSend || pending.probes.application > 0
        case .oneRTT:
            if received.application.shouldAckNow(now) || pending.probes.application > 0 { return true }
            return mayElicit && hasApplicationDataToSend
        }
    }

    /// Datagrams with Initial packets are expanded: a client's always, a server's when the packet asks for an
    /// acknowledgement (RFC 9000 section 14.1).
    private func mustPad(_ levels: [EncryptionLevel], mayElicit: Bool) -> Bool {
        guard levels.contains(.initial) else { return false }
        guard role == .server else { return true }
        let elicits = pending.probes.initial > 0 || (mayElicit && crypto.initial.hasDataToSend)
        return elicits && paths.active.dataAllowance >= MTUDiscovery.base
    }

    private func writeHandshakePacket(
        _ level: EncryptionLevel, into slice: UnsafeMutableRawBufferPointer, mayElicit: Bool,
        paddedTo padding: Int,
        isLast: Bool, _ ecn: ECNCodepoint, now: Instant
    ) -> Int {
        scratch.records.removeAll(keepingCapacity: true)
        guard var packet = begin(level, into: slice) else { return 0 }
        writeHandshakeFrames(into: &packet, mayElicit: mayElicit, now: now)
        guard !packet.isEmpty || (isLast && padding > 0) else { return 0 }
        let isFull = slice.count - packet.writer.count - CipherSuite.tagLength < Self.leastCoalesced
        if isLast || isFull { packet.pad(to: padding) }
        return finish(&packet, ecn, now: now)
    }

    private func writeHandshakeFrames(into packet: inout PacketBuilder, mayElicit: Bool, now: Instant) {
        let space = packet.level.space
        switch packet.level {
        case .initial, .handshake:
            writeAck(into: &packet, space: space, now: now)
            if mayElicit { crypto[space].writeFrames(into: &packet.writer, records: &scratch.records) }
        case .earlyData: writeApplicationFrames(into: &packet)
        case .oneRTT:
            _ = writeFrames(into: &packet, mayElicit: mayElicit, now: now)
            return
        }
        noteElicitation(&packet)
        if pending.probes[space] > 0 {
            if !packet.isAckEliciting { packet.write(.ping) }
            pending.probes[space] -= 1
        }
    }

    // MARK: Packets with a long header

    func begin(_ level: EncryptionLevel, into slice: UnsafeMutableRawBufferPointer) -> PacketBuilder? {
        guard let remoteID = paths.active.remoteID else { return nil }
        guard let type = LongPacketType(level) else { return beginShort(to: remoteID, into: slice) }
        let number = packetNumbers[level.space].prepare(&environment.random)
        let length = PacketNumber.encodedLength(
            number, largestAcknowledged: loss.largestAcknowledged(level.space))
        let token = role == .client && level == .initial ? identity.token : []
        let headerSize = LongHeader.encodedSize(
            type, destinationID: remoteID, sourceID: identity.localHandshakeID, tokenLength: token.count,
            packetNumberLength: length)
        guard headerSize + Self.leastDatagram <= slice.count else { return nil }
        var writer = ByteWriter(slice)
        let layout = LongHeader.encode(
            type, version: version(at: level), destinationID: remoteID, sourceID: identity.localHandshakeID,
            token: token, packetNumber: number, packetNumberLength: length, into: &writer)
        return PacketBuilder(level: level, number: number, layout: layout, writer: writer)
    }

    /// Seals the packet, protects its header, and notes it as sent.
    func finish(_ packet: inout PacketBuilder, _ ecn: ECNCodepoint, now: Instant) -> Int {
        if qlog != nil { logSent(&packet, on: paths.activeID) }
        let size: Int
        if packet.level == .oneRTT {
            size = packet.seal(protection.oneRTT!.write)
            packet.applyHeaderProtection(protection.oneRTT!.writeHeader)
        } else {
            let keys = protection.keys(at: packet.level).write!
            size = packet.seal(keys.packet)
            packet.applyHeaderProtection(keys.header)
        }
        protection.onSealed(packet.number, at: packet.level)
        onSent(packet, size: size, path: paths.activeID, [], ecn, now: now)
        return size
    }
}
