import GodwitCrypto
import GodwitWire

// What is in a packet, and where each frame goes.
extension Connection {
    /// Processes a packet that was opened: its frames go to the rooms they are for.
    func process(_ packet: ReceivedPacket, _ arrival: inout DatagramArrival) {
        let space = packet.level.space
        guard !received[space].isDuplicate(packet.number) else { return drop(.duplicate, packet.level) }
        guard let path = pathOf(packet, &arrival) else { return drop(.rejected, packet.level) }
        if qlog != nil { logReceived(packet, on: path) }
        if let observer = environment.observer { tell(observer, ofOpened: packet) }
        onAuthenticated(packet, arrival)
        do {
            let content = try processFrames(of: packet, path: path, arrival)
            received[space].receive(
                packet.number, ackEliciting: content.isAckEliciting, ecn: arrival.ecn, now: arrival.now,
                rtt: smoothedRTT)
            if packet.level == .oneRTT {
                let isLatestWord = paths.onPacket(
                    on: path, number: packet.number, isNonProbing: content.isNonProbing,
                    destination: packet.destination, at: arrival.now)
                if migration != nil { onMigrationPacket(packet, content, isLatestWord, arrival) }
            }
            try advanceHandshake(now: arrival.now)
        } catch {
            close(error, now: arrival.now)
        }
    }

    /// The path that the packet came on. Only a genuine 1-RTT packet opens one (RFC 9000 section 9).
    private func pathOf(_ packet: ReceivedPacket, _ arrival: inout DatagramArrival) -> PathID? {
        switch arrival.origin {
        case .path(let path): return path
        case .refused: return nil
        case .unknown:
            guard packet.level == .oneRTT else { return nil }
            let path = paths.admit(
                from: arrival.remote, to: arrival.local, size: arrival.size, destination: packet.destination,
                // A client whose server moves challenges what its machine says, when it says so.
                validates: role == .server, at: arrival.now)
            arrival.origin = .path(path)
            return path
        }
    }

    private func onAuthenticated(_ packet: ReceivedPacket, _ arrival: DatagramArrival) {
        statisticsSoFar.packetsReceived += 1
        timers.lastActivity = arrival.now
        timers.hasSentSinceReceiving = false
        timers.keepAliveFrom = arrival.now
        if timers.tidyAt == .distantFuture { timers.tidyAt = arrival.now + Self.tidyDelay }
        guard role == .server, packet.level == .handshake else { return }
        // Only the client can have made a Handshake packet, so the address is its own (RFC 9000 section 8.1) and
        // Initial packets are over (RFC 9001 section 4.9.1).
        paths.onAddressValidated()
        environment.observer?.onAddressValidated(paths.handshakeRemote, of: handle)
        discard(.initial, now: arrival.now)
    }

    /// What the frames of a packet make of it.
    struct PacketContent {
        var isAckEliciting = false
        /// RFC 9000 section 9.1.
        var isNonProbing = false
    }

    private func processFrames(
        of packet: ReceivedPacket, path: PathID, _ arrival: DatagramArrival
    ) throws(TransportError) -> PacketContent {
        var reader = ByteReader(packet.payload)
        // RFC 9000 section 12.4.
        guard !reader.isAtEnd else { throw TransportError(.protocolViolation, "a packet without frames") }
        var content = PacketContent()
        while !reader.isAtEnd {
            let type = try FrameType.decode(&reader)
            content.isAckEliciting = content.isAckEliciting || FrameType.isAckEliciting(type)
            content.isNonProbing = content.isNonProbing || !FrameType.isProbing(type)
            if !FrameType.isKnown(type), MigrationFrameType.isKnown(type) {
                try receiveMigrationFrame(type, from: &reader, of: packet, arrival)
            } else {
                let frame = try Frame.decode(type: type, from: &reader, at: packet.level)
                try process(frame, of: packet, path: path, arrival)
            }
            guard lifecycle.isOpen else { break }
        }
        return content
    }

    private func process(
        _ frame: Frame, of packet: ReceivedPacket, path: PathID, _ arrival: DatagramArrival
    ) throws(TransportError) {
        switch frame {
        case .stream(let frame): try streams.receive(frame)
        case .ack(let frame):
            try receiveAck(frame, space: packet.level.space, now: arrival.now)
            if migration != nil { onMigrationAcknowledgement(arrival) }
        case .padding, .ping: break
        case .crypto(let frame): try receiveCrypto(frame, level: packet.level)
        case .maxData(let maximum): try streams.receiveMaxData(maximum)
        case .maxStreamData(let id, let maximum): try streams.receiveMaxStreamData(id, maximum)
        case .maxStreams(let direction, let maximum): try streams.receiveMaxStreams(direction, maximum)
        case .dataBlocked(let limit): try streams.receiveDataBlocked(limit)
        case .streamDataBlocked(let id, let limit): try streams.receiveStreamDataBlocked(id, limit)
        case .streamsBlocked(let direction, let limit): try streams.receiveStreamsBlocked(direction, limit)
        case .resetStream(let frame): try streams.receive(frame)
        case .stopSending(let frame): try streams.receive(frame)
        case .datagram(let bytes): try receiveDatagram(bytes)
        case .pathChallenge(let data):
            paths.onPathChallenge(data, on: path)
            if behavesLikeThesisServer { try spendConnectionID(on: path) }
        case .pathResponse(let data):
            let proved = paths.onPathResponse(data, on: path, at: arrival.now)
            if migration != nil { onMigrationPathProved(proved, packet, arrival) }
        case .newConnectionID(let frame):
            try paths.receive(frame, at: arrival.now)
            onConnectionIDIssued(now: arrival.now)
        case .retireConnectionID(let number): try receiveRetirement(number, packet, now: arrival.now)
        case .connectionClose(let frame): receiveClose(frame, now: arrival.now)
        case .handshakeDone: try receiveHandshakeDone(now: arrival.now)
        case .newToken(let token): try receiveNewToken(token)
        }
    }

    private func receiveDatagram(_ bytes: UnsafeRawBufferPointer) throws(TransportError) {
        let wasEmpty = !datagrams.hasReceived
        try datagrams.receive(bytes)
        if wasEmpty { emit(.datagramsReadable) }
    }

    private func receiveRetirement(
        _ sequenceNumber: UInt64, _ packet: ReceivedPacket, now: Instant
    ) throws(TransportError) {
        if behavesLikeThesisServer { return }
        try localIDs.receiveRetirement(
            of: sequenceNumber, destination: packet.destination, at: now, grace: ptoSpan * 3)
    }

    private func receiveHandshakeDone(now: Instant) throws(TransportError) {
        guard role == .client else {
            throw TransportError(
                .protocolViolation, "a client sent HANDSHAKE_DONE", frameType: FrameType.handshakeDone)
        }
        confirmHandshake(now: now)
    }

    private func receiveNewToken(_ token: UnsafeRawBufferPointer) throws(TransportError) {
        guard role == .client else {
            throw TransportError(.protocolViolation, "a client sent NEW_TOKEN", frameType: FrameType.newToken)
        }
        emit(.addressToken([UInt8](token)))
    }
}
