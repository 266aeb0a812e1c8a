import GodwitCrypto
import GodwitWire

// A client's answers to the two packets that make it start over: Retry (RFC 9000 section 17.2.5) and Version
// Negotiation (section 6).
extension Connection {
    func receiveRetry(_ packet: RetryPacket, _ datagram: UnsafeRawBufferPointer, _ arrival: DatagramArrival) {
        // RFC 9000 section 17.2.5.2: one Retry at most, and none once the server has answered otherwise.
        guard role == .client, lifecycle == .handshaking, isFixedBitGood(packet.firstByte),
            identity.retrySource == nil, identity.remoteHandshakeID == nil, received.initial.largest == nil,
            packet.version == identity.version, packet.sourceID != identity.originalDestination,
            isAuthentic(packet, datagram)
        else { return drop(.invalid) }
        qlog?.writeRetry(packet, size: datagram.count - packet.packetOffset)
        identity.token = [UInt8](datagram[packet.tokenRange])
        identity.retrySource = packet.sourceID
        paths.replaceHandshakeID(packet.sourceID)
        installInitialKeys()
        resendFirstFlight(now: arrival.now)
    }

    private func isAuthentic(_ packet: RetryPacket, _ datagram: UnsafeRawBufferPointer) -> Bool {
        RetryIntegrity.isValid(
            packet: UnsafeRawBufferPointer(rebasing: datagram[packet.packetOffset...]),
            originalDestination: identity.originalDestination, version: packet.version)
    }

    /// Everything sent so far is sent again, under packet numbers that go on (RFC 9000 section 17.2.5.3).
    private func resendFirstFlight(now: Instant) {
        let context = lossContext
        loss.retransmitInitial(now: now, into: &scratch.outcome)
        applyOutcome(now: now, context)
        loss.rejectEarlyData(into: &scratch.outcome)
        applyOutcome(now: now, context)
        wake()
    }

    // MARK: Version negotiation

    func receiveVersionNegotiation(_ packet: VersionNegotiationPacket, now: Instant) {
        // RFC 9000 section 6.2: only as the very first answer, only for what we sent, and only if it does not offer
        // what we tried.
        guard role == .client, lifecycle == .handshaking, identity.remoteHandshakeID == nil,
            received.initial.largest == nil, identity.retrySource == nil,
            !identity.hasReactedToVersionNegotiation, answersOurs(packet),
            !packet.offers(identity.originalVersion)
        else { return drop(.invalid) }
        qlog?.writeVersionNegotiation(packet)
        let offered = packet.versions
        guard let version = configuration.versions.first(where: { offered.contains($0) }) else {
            return abandon(.versionNegotiationFailed(offered: offered.map(\.rawValue)))
        }
        startOver(in: version, now: now)
    }

    private func answersOurs(_ packet: VersionNegotiationPacket) -> Bool {
        ConnectionID(packet.destinationID) == identity.localHandshakeID
            && ConnectionID(packet.sourceID) == identity.originalDestination
    }

    /// Opens the connection anew in another version: new keys, a new first flight (RFC 9368 section 2.1).
    private func startOver(in version: QUICVersion, now: Instant) {
        identity.version = version
        identity.originalVersion = version
        identity.hasReactedToVersionNegotiation = true
        protection = PacketProtection(failedToOpen: protection.failedToOpen)
        do {
            try discardFirstFlight(now: now)
            installInitialKeys()
            try startHandshake(now: now)
        } catch {
            close(error, now: now)
        }
        wake()
    }

    private func discardFirstFlight(now: Instant) throws(TransportError) {
        let context = lossContext
        loss.discard(.initial, now: now, into: &scratch.outcome)
        applyOutcome(now: now, context)
        // A ticket is good for the version it was made in, and so is what was sent with it (RFC 9369 section 5).
        try rejectEarlyData(now: now)
        crypto.initial = CryptoStream(receiveLimit: configuration.cryptoBufferLimit)
        earlyData = .none
    }
}
