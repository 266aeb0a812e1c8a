import GodwitQPACK
import GodwitWire

// How request streams end.
extension HTTP3Connection {
    /// A rule was broken on a request stream.
    mutating func fail(_ slot: Int, _ failure: StreamFailure) {
        guard !failure.closesConnection else { return close(failure.error) }
        let (id, isKnown) = (requests[slot].id, requests[slot].isKnown)
        abandon(slot, failure.error.code)
        if isKnown { actions.append(.failed(id, failure.error)) }
        drainIfDone()
    }

    /// Ends both sides of a request, as far as they are open.
    mutating func abandon(_ slot: Int, _ code: HTTP3ErrorCode) {
        let id = requests[slot].id
        if requests[slot].sending != .ended { actions.append(.resetStream(id, code: code)) }
        if requests[slot].receiving != .ended {
            stopReading(slot)
            actions.append(.stopSending(id, code: code))
        }
        requests.remove(slot)
    }

    /// Takes nothing more of what comes on a stream (RFC 9204 section 2.2.2.2).
    mutating func stopReading(_ slot: Int) {
        decoder.cancel(stream: requests[slot].id.rawValue)
        heldBytes -= requests[slot].held.count
        requests[slot].held = []
        requests[slot].isBlocked = false
        requests[slot].receiving = .ended
    }

    mutating func removeIfOver(_ slot: Int) {
        guard requests[slot].isOver else { return }
        requests.remove(slot)
        drainIfDone()
    }

    mutating func resetRequest(_ id: StreamID, _ code: HTTP3ErrorCode) {
        guard let slot = requestSlot(id), requests[slot].receiving != .ended else { return }
        stopReading(slot)
        guard requests[slot].isKnown else { return dismiss(slot) }
        actions.append(.resetByPeer(id, code: code))
        removeIfOver(slot)
    }

    mutating func stopRequest(_ id: StreamID, _ code: HTTP3ErrorCode) {
        guard let slot = requestSlot(id), requests[slot].sending != .ended else { return }
        requests[slot].sending = .ended
        guard requests[slot].isKnown else { return dismiss(slot) }
        actions.append(.stoppedByPeer(id, code: code))
        removeIfOver(slot)
    }

    /// A client gave up a request before anybody heard of it (RFC 9114 section 4.1.1).
    private mutating func dismiss(_ slot: Int) {
        abandon(slot, .requestRejected)
        drainIfDone()
    }

    /// After a shutdown, tells that nothing is left to wait for (RFC 9114 section 5.2).
    mutating func drainIfDone() {
        let isGoing = shutdown.isComplete || role == .client && shutdown.receivedGoaway != nil
        guard isGoing, !shutdown.isDrained, requests.count == 0 else { return }
        shutdown.isDrained = true
        actions.append(.drained)
    }
}
