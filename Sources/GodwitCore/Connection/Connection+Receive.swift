import GodwitCrypto
import GodwitWire

// From a datagram to opened packets. What is in a packet is for Connection+Frames.
extension Connection {
    /// Takes a UDP datagram that the endpoint found to belong here. It is decrypted in place.
    func receive(_ datagram: UnsafeMutableRawBufferPointer, arrival: DatagramArrival) {
        qlog?.advance(to: arrival.now)
        defer { if qlog != nil { logChanges(isReceiving: true) } }
        switch lifecycle {
        case .handshaking, .established, .confirmed: break
        case .closing(var state):
            state.onDatagramReceived(size: arrival.size)
            lifecycle = .closing(state)
            // What the client sends lets a server that was at its limit say why it closes.
            _ = paths.receive(from: arrival.remote, to: arrival.local, size: arrival.size, at: arrival.now)
            return
        case .draining, .closed: return
        }
        var arrival = arrival
        arrival.origin = paths.receive(
            from: arrival.remote, to: arrival.local, size: arrival.size, at: arrival.now)
        if arrival.origin == .refused, migration != nil, mayComeFromMovedServer(arrival) {
            arrival.origin = .unknown
        }
        guard arrival.origin != .refused else { return drop(.rejected, size: arrival.size) }
        statisticsSoFar.bytesReceived += UInt64(arrival.size)
        let packetsBefore = statisticsSoFar.packetsReceived
        // A copy of the end, because opening a packet that is none destroys it: it may be a stateless reset.
        let token = StatelessReset.token(of: UnsafeRawBufferPointer(datagram))
        receivePackets(of: datagram, &arrival)
        if statisticsSoFar.packetsReceived == packetsBefore, let token { receiveReset(token, from: arrival) }
        applyAnswers(now: arrival.now)
    }

    private func receivePackets(of datagram: UnsafeMutableRawBufferPointer, _ arrival: inout DatagramArrival)
    {
        var packets = CoalescedPackets(
            UnsafeRawBufferPointer(datagram), connectionIDLength: identity.localHandshakeID.length)
        while let header = packets.next(), lifecycle.isOpen {
            switch header {
            case .short(let header): receiveShort(header, datagram, &arrival)
            case .long(let header): receiveLong(header, datagram, &arrival)
            case .retry(let packet): receiveRetry(packet, UnsafeRawBufferPointer(datagram), arrival)
            case .versionNegotiation(let packet): receiveVersionNegotiation(packet, now: arrival.now)
            case .unknownVersion: drop(.unsupported)
            }
        }
    }

    // MARK: 1-RTT packets

    private func receiveShort(
        _ header: ShortHeader, _ datagram: UnsafeMutableRawBufferPointer, _ arrival: inout DatagramArrival
    ) {
        let packet = UnsafeMutableRawBufferPointer(rebasing: datagram[header.packetOffset..<header.packetEnd])
        guard isFixedBitGood(header.firstByte), header.hasSample else {
            return drop(.invalid, .oneRTT, size: packet.count)
        }
        guard mayReadOneRTT, let key = protection.oneRTT?.headerKeyToReceive() else {
            return undecryptable.add(packet, level: .oneRTT, arrival: arrival)
        }
        let opened = HeaderProtection.remove(
            from: packet, packetNumberOffset: header.packetNumberOffset - header.packetOffset,
            largest: received.application.largest, using: key)
        guard let payload = openOneRTT(opened, packet, now: arrival.now) else {
            return drop(.undecryptable, .oneRTT, size: packet.count)
        }
        guard lifecycle.isOpen else { return }
        guard opened.firstByte.reservedBitsAreZero else {
            return close(TransportError(.protocolViolation, "reserved bits are not zero"), now: arrival.now)
        }
        spin.receive(opened.firstByte.spinBit, packetNumber: opened.packetNumber, isClient: role == .client)
        process(
            ReceivedPacket(
                level: .oneRTT, number: opened.packetNumber, destination: header.destinationID,
                header: UnsafeRawBufferPointer(rebasing: packet[..<opened.headerCount]), payload: payload),
            &arrival)
    }

    /// RFC 9001 section 5.7: a server reads no 1-RTT packets before the handshake is complete.
    private var mayReadOneRTT: Bool { lifecycle != .handshaking }

    private func openOneRTT(
        _ opened: HeaderProtection.Opened, _ packet: UnsafeMutableRawBufferPointer, now: Instant
    ) -> UnsafeRawBufferPointer? {
        let header = UnsafeRawBufferPointer(rebasing: packet[..<opened.headerCount])
        let body = UnsafeMutableRawBufferPointer(rebasing: packet[opened.headerCount...])
        do throws(TransportError) {
            let count = try protection.oneRTT!.open(
                packetNumber: opened.packetNumber, phase: opened.firstByte.keyPhase, header: header,
                payload: body
            )
            guard let count else {
                noteFailedOpening(now: now)
                return nil
            }
            protection.oneRTT!.retirePrevious(at: now + ptoSpan * 3)
            return UnsafeRawBufferPointer(rebasing: body[..<count])
        } catch {
            close(error, now: now)
            return nil
        }
    }

    /// RFC 9001 section 6.6: failures count over the whole connection, under all of its keys.
    private func noteFailedOpening(now: Instant) {
        protection.failedToOpen += 1
        guard protection.hasReachedIntegrityLimit else { return }
        close(TransportError(.aeadLimitReached, "too many packets failed to authenticate"), now: now)
    }

    // MARK: Packets with a long header

    private func receiveLong(
        _ header: LongHeader, _ datagram: UnsafeMutableRawBufferPointer, _ arrival: inout DatagramArrival
    ) {
        guard let level = header.type.level, isFixedBitGood(header.firstByte), header.hasSample,
            // RFC 9000 section 17.2.2: servers have no tokens to send.
            role == .server || header.tokenRange.isEmpty, acceptsVersion(of: header),
            // RFC 9000 section 14.1.
            role == .client || level != .initial || arrival.size >= MTUDiscovery.base
        else { return drop(.invalid, header.type.level) }
        let packet = UnsafeMutableRawBufferPointer(rebasing: datagram[header.packetOffset..<header.packetEnd])
        guard let keys = readKeys(for: header, at: level) else {
            guard mayStillRead(level) else { return drop(.keyUnavailable, level, size: packet.count) }
            return undecryptable.add(packet, level: level, arrival: arrival)
        }
        let opened = HeaderProtection.remove(
            from: packet, packetNumberOffset: header.packetNumberOffset - header.packetOffset,
            largest: received[level.space].largest, using: keys.header)
        let body = UnsafeMutableRawBufferPointer(rebasing: packet[opened.headerCount...])
        let count = keys.packet.open(
            packetNumber: opened.packetNumber,
            header: UnsafeRawBufferPointer(rebasing: packet[..<opened.headerCount]), payload: body)
        guard let count else {
            noteFailedOpening(now: arrival.now)
            return drop(.undecryptable, level, size: packet.count)
        }
        guard opened.firstByte.reservedBitsAreZero else {
            return close(TransportError(.protocolViolation, "reserved bits are not zero"), now: arrival.now)
        }
        if header.version != identity.version, role == .client { followVersion(header.version) }
        guard acceptsIDs(of: header, level: level) else { return drop(.invalid, level) }
        process(
            ReceivedPacket(
                level: level, number: opened.packetNumber, destination: header.destinationID,
                header: UnsafeRawBufferPointer(rebasing: packet[..<opened.headerCount]),
                payload: UnsafeRawBufferPointer(rebasing: body[..<count])),
            &arrival)
    }

    /// Packets of another version than ours are discarded, but for the first answer of a server that changed
    /// it (RFC 9368 section 2.3, RFC 9369 section 4).
    private func acceptsVersion(of header: LongHeader) -> Bool {
        if header.version == identity.version { return true }
        if header.version == identity.originalVersion, role == .server { return true }
        return mayFollowVersion(header.version)
    }

    private func readKeys(for header: LongHeader, at level: EncryptionLevel) -> DirectionKeys? {
        guard header.version != identity.version else { return protection.keys(at: level).read }
        guard level == .initial else {
            return level == .earlyData ? protection.keys(at: level).read : nil
        }
        // Whether a server has really changed the version, only a packet that opens can say.
        return role == .server ? protection.originalInitialRead : initialKeys(in: header.version).read
    }

    /// Whether packets of the level may become readable later.
    private func mayStillRead(_ level: EncryptionLevel) -> Bool {
        switch level {
        case .initial: false
        case .earlyData: role == .server && lifecycle == .handshaking
        case .handshake: lifecycle == .handshaking
        case .oneRTT: true
        }
    }

    /// The connection ids of handshake packets do not change once they are known (RFC 9000 section 7.2).
    private func acceptsIDs(of header: LongHeader, level: EncryptionLevel) -> Bool {
        guard let known = identity.remoteHandshakeID else {
            // A client's first Initial packet from the server names the id to use from now on.
            guard role == .client, level == .initial else { return false }
            identity.remoteHandshakeID = header.sourceID
            paths.replaceHandshakeID(header.sourceID)
            return true
        }
        return header.sourceID == known
    }

    // MARK: What cannot be read

    /// RFC 9000 section 17.2, and RFC 9287 section 3: only a peer that was told it may clears the bit.
    func isFixedBitGood(_ first: FirstByte) -> Bool {
        first.hasFixedBit || localParameters.greaseQUICBit
    }

    func drop(_ reason: PacketDrop, _ level: EncryptionLevel? = nil, size: Int? = nil) {
        statisticsSoFar.packetsDropped += 1
        qlog?.writeDropped(reason, level: level, size: size)
    }

    /// RFC 9000 section 10.3.1: a datagram of which nothing could be read may be a reset, whatever its
    /// header.
    private func receiveReset(_ token: StatelessResetToken, from arrival: DatagramArrival) {
        guard lifecycle.isOpen, paths.isStatelessReset(token, from: arrival.remote) else { return }
        reset(from: arrival)
    }

    /// The peer has lost the connection, or somebody who answers where it was before it moved.
    func reset(from arrival: DatagramArrival) {
        if migration != nil, absorbsReset(arrival) { return }
        drain(.statelessReset, now: arrival.now)
    }

    /// Goes through the packets that waited for the keys of a level.
    func receiveWaiting(_ level: EncryptionLevel) {
        for waiting in undecryptable.take(level) where lifecycle.isOpen {
            var bytes = waiting.bytes
            var arrival = waiting.arrival
            bytes.withUnsafeMutableBytes { receivePackets(of: $0, &arrival) }
        }
    }
}

/// A packet that was opened.
struct ReceivedPacket {
    var level: EncryptionLevel
    var number: UInt64
    /// The connection id it was addressed to.
    var destination: ConnectionID
    /// Without its protection, up to and including the packet number.
    var header: UnsafeRawBufferPointer
    var payload: UnsafeRawBufferPointer
}
