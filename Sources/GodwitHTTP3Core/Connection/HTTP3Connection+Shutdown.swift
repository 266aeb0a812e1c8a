import GodwitWire

extension HTTP3Connection {
    /// Asks the peer for no more requests, while those under way are still taken (RFC 9114 section 5.2).
    ///
    /// The first of two steps; give the peer a round trip before ``completeShutdown()``. A client sends no
    /// more requests from here on.
    public mutating func beginShutdown() {
        guard !isClosed, shutdown.sentGoaway == nil else { return }
        // The largest ids that there can be: nothing under way is excluded.
        sendGoaway(role == .server ? VariableLengthInteger.max - 3 : VariableLengthInteger.max)
    }

    /// Takes no more requests: those that come from now on are rejected. ``HTTP3Action/drained`` follows when
    /// the last open one has ended. Includes the first step.
    public mutating func completeShutdown() {
        guard !isClosed, !shutdown.isComplete else { return }
        shutdown.isComplete = true
        sendGoaway(role == .server ? firstRejected.rawValue : 0)
        drainIfDone()
    }

    private var firstRejected: StreamID {
        StreamID(
            index: min(nextRequestIndex, StreamID.maxCount - 1), direction: .bidirectional, initiator: .client
        )
    }

    private mutating func sendGoaway(_ identifier: UInt64) {
        shutdown.sentGoaway = identifier
        outgoing.control.appendFrame(.goaway, identifier)
    }

    /// The peer is shutting down.
    mutating func takeGoaway(_ identifier: UInt64) throws(HTTP3Error) {
        // RFC 9114 section 7.2.6; a client's GOAWAY has a push id, which can be any number.
        guard role == .server || identifier & 0x3 == 0 else {
            throw HTTP3Error(.idError, "GOAWAY with \(identifier), which is no request stream")
        }
        // RFC 9114 section 5.2
        guard identifier <= shutdown.receivedGoaway ?? .max else {
            throw HTTP3Error(.idError, "GOAWAY raised from \(shutdown.receivedGoaway ?? 0) to \(identifier)")
        }
        shutdown.receivedGoaway = identifier
        actions.append(.goaway(identifier))
        if role == .client { dropRejected(from: identifier) }
        drainIfDone()
    }

    // RFC 9114 section 5.2: the server will not process them, and leaves it to us to clean up.
    private mutating func dropRejected(from identifier: UInt64) {
        for id in requests.ids where id.rawValue >= identifier {
            guard let slot = requests.slot(of: id) else { continue }
            abandon(slot, .requestCancelled)
            actions.append(.failed(id, HTTP3Error(.requestRejected, "the server is shutting down")))
        }
    }
}
