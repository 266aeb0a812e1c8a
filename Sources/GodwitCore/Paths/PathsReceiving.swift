import GodwitWire

// What comes in: datagrams, packets and the frames of path validation.
extension Paths {
    // MARK: Datagrams

    /// Finds the path of a datagram and counts its bytes; to be called before anything is decrypted, because
    /// junk counts too (RFC 9000 section 8.1).
    mutating func receive(
        from remote: NetworkAddress, to local: NetworkAddress, size: Int, at now: Instant
    ) -> DatagramOrigin {
        if let index = index(local: local, remote: remote) {
            all[index].onDatagramReceived(size: size)
            return .path(all[index].id)
        }
        guard admits(from: remote, to: local, at: now) else {
            refusedDatagrams &+= 1
            return .refused
        }
        return .unknown
    }

    private func admits(from remote: NetworkAddress, to local: NetworkAddress, at now: Instant) -> Bool {
        // RFC 9000 section 9: addresses are stable during the handshake, and a client drops what comes from
        // server addresses that it doesn't know.
        guard isHandshakeConfirmed, followsPeer, remote.isSendable else { return false }
        guard role == .server || active.local.covers(local) else { return false }
        // RFC 9000 section 9.6.2: having moved to its preferred address, a server drops what comes to the old
        // one.
        if preferredAddress == .moved, role == .server, !active.local.covers(local) { return false }
        guard answersFor(local) else { return false }
        return admission.available(at: now) > 0 && hasRoomForPeerPath
    }

    /// Opens the path of a datagram that ``receive(from:to:size:at:)`` called unknown, once a 1-RTT packet in
    /// it was decrypted and found not to be a duplicate, and before that packet is processed.
    ///
    /// - Parameters:
    ///   - destination: the id of ours that the packet is addressed to.
    ///   - validates: whether to validate the path; otherwise it is forgotten after a while, unless somebody
    ///     asks for a challenge.
    mutating func admit(
        from remote: NetworkAddress, to local: NetworkAddress, size: Int, destination: ConnectionID,
        validates: Bool = true, at now: Instant
    ) -> PathID {
        _ = admission.consume(at: now)
        makeRoomForPeerPath()
        // Only our own address changed: the peer was shown to be where it is.
        let isKnown = all.contains { $0.remote == remote && $0.amplification.isLifted }
        let index = append(local: local, remote: remote, origin: .peer, isAddressValidated: isKnown)
        all[index].peerUses = destination
        all[index].onDatagramReceived(size: size)
        if validates {
            // RFC 9000 section 9: every change of the peer's address is validated.
            startValidation(at: index, now: now)
        } else {
            all[index].expiresAt = now + configuration.idlePathLifetime
        }
        let id = all[index].id
        provideID(for: id)
        return id
    }

    // MARK: Packets

    /// Notes a 1-RTT packet that was decrypted on a path and is no duplicate; after its frames were
    /// processed.
    ///
    /// - Parameter isNonProbing: whether it had a frame other than PATH_CHALLENGE, PATH_RESPONSE,
    ///   NEW_CONNECTION_ID and PADDING (RFC 9000 section 9.1).
    /// - Returns: whether it is the non-probing packet with the highest number.
    @discardableResult
    mutating func onPacket(
        on id: PathID, number: UInt64, isNonProbing: Bool, destination: ConnectionID, at now: Instant
    ) -> Bool {
        guard let index = index(of: id) else { return false }
        all[index].peerUses = destination
        // RFC 9000 section 9.3: only the highest-numbered non-probing packet says where the peer is.
        guard isNonProbing, largestNonProbing.map({ number > $0 }) ?? true else { return false }
        largestNonProbing = number
        onLatestWord(onPathAt: index, now: now)
        return true
    }

    private mutating func onLatestWord(onPathAt index: Int, now: Instant) {
        if index == activeIndex {
            awaitedPeerMove = nil
        } else if followsPeer, isHandshakeConfirmed {
            follow(toPathAt: index, now: now)
        }
    }

    private mutating func follow(toPathAt index: Int, now: Instant) {
        // A client's own address is its own choice: only where the server is can move it.
        if role == .client, all[index].remote == active.remote { return }
        switch preferredAddress {
        case .offered(let addresses) where isPreferred(all[index].local, addresses):
            // RFC 9000 section 9.6.2: the original address is used until the new path is validated.
            guard all[index].isValidated else {
                awaitedPeerMove = all[index].id
                startValidation(at: index, now: now)
                return
            }
            preferredAddress = .moved
        case .moved where role == .server && !active.local.covers(all[index].local):
            return
        default: break
        }
        activate(all[index].id, now: now, isPeersDoing: true)
    }

    private func isPreferred(_ local: NetworkAddress, _ addresses: ContiguousArray<NetworkAddress>) -> Bool {
        addresses.contains(local) && !addresses.contains(active.local)
    }

    // MARK: Frames

    /// Takes a PATH_CHALLENGE; the answer goes out on the path where it came in (RFC 9000 section 8.2.2).
    mutating func onPathChallenge(_ data: UInt64, on id: PathID) {
        guard let index = index(of: id) else { return }
        all[index].statistics.challengesReceived &+= 1
        all[index].responses.append(data)
        // RFC 9000 section 9.3.3: on the active path, where it may be the peer asking whether we are still
        // here after somebody else's copies of our packets came from another address.
        if index == activeIndex { all[index].owesNonProbing = true }
        mayHaveProbes = true
    }

    /// Takes a PATH_RESPONSE. It validates the path that its challenge went out on, wherever it came in (RFC
    /// 9000 section 8.2.3); one that answers nothing we asked is ignored.
    /// - Returns: the path that its challenge went out on.
    @discardableResult
    mutating func onPathResponse(_ data: UInt64, on arrival: PathID, at now: Instant) -> PathID? {
        for index in all.indices {
            guard let proof = all[index].validation.receive(data, at: now) else { continue }
            // By way of another path it tells how long that way took.
            if let rtt = proof.rtt, all[index].id == arrival {
                all[index].rtt.addSample(
                    rtt, ackDelay: .zero, now: now, handshakeConfirmed: true, maxAckDelay: maxAckDelay)
            }
            let id = all[index].id
            onProof(isFullSize: proof.isFullSize, at: index, now: now)
            return id
        }
        return nil
    }

    private mutating func onProof(isFullSize: Bool, at index: Int, now: Instant) {
        let isNews = !all[index].hasBeenProved
        (all[index].isValidated, all[index].hasBeenProved) = (true, true)
        all[index].amplification.lift()
        if isFullSize {
            all[index].isSizeUnproven = false
            all[index].mtu.start()
        } else if !all[index].validation.hasFullSizeChallenge {
            // RFC 9000 section 8.2.3: the address is proved, the path's size is not.
            all[index].isSizeUnproven = true
            restartValidation(at: index, now: now)
        }
        if isNews { actions.append(.validated(all[index].id)) }
        onValidated(at: index, now: now)
    }

    private mutating func onValidated(at index: Int, now: Instant) {
        if index == activeIndex {
            if active.isViable { settleActive(now: now) }
            return
        }
        if all[index].id == awaitedPeerMove {
            preferredAddress = .moved
            return activate(all[index].id, now: now, isPeersDoing: true)
        }
        if all[index].move == .whenValidated { completeMove(to: all[index].id, now: now) }
    }

    // MARK: Connection ids

    /// Takes a NEW_CONNECTION_ID frame: paths whose id the peer wants retired get another, and paths without
    /// one may go on.
    mutating func receive(_ frame: NewConnectionIDFrame, at now: Instant) throws(TransportError) {
        try remoteIDs.receive(frame)
        distributeIDs(now: now)
    }

    /// Whether a datagram that nothing else was found in is a stateless reset (RFC 9000 section 10.3.1).
    func isStatelessReset(_ token: StatelessResetToken, from remote: NetworkAddress) -> Bool {
        remoteIDs.isStatelessReset(token, from: remote)
    }

    // MARK: Socket errors

    /// Takes EMSGSIZE, or an ICMP message that was matched to a datagram of ours; true when the active path's
    /// datagrams get smaller. What names a pair of addresses without a path touches nothing (RFC 9000 section
    /// 14.2.1).
    mutating func onMessageTooLarge(
        size: Int, from local: NetworkAddress, to remote: NetworkAddress, at now: Instant
    ) -> Bool {
        guard let index = index(local: local, remote: remote),
            all[index].onMessageTooLarge(size: size, at: now)
        else { return false }
        return index == activeIndex
    }
}
