import GodwitWire

/// Something of a connection that a peer or a network could make grow, and how far it may.
package struct ConnectionMeasurement {
    package var name: StaticString
    package var value: Int
    package var bound: Int
}

extension Connection {
    /// Everything that has a bound, as it stands; for simulations that hold connections to their bounds.
    package var measurements: [ConnectionMeasurement] {
        let limits = streams.limits
        let credit = streams.receiveCredit
        let streamBound = Int(clamping: limits.maxStreamsBidirectional + limits.maxStreamsUnidirectional)
        return [
            measure("paths", paths.all.count, paths.configuration.maximumPaths),
            measure("own connection ids", localIDs.live.count, Self.mostLiveIDs),
            measure("the peer's connection ids", paths.remoteIDs.activeCount, paths.remoteIDs.limit),
            measure("ranges to acknowledge", received.application.rangeCount, ReceivedPackets.maximumRanges),
            measure("the peer's streams", streams.peersOpenCount, streamBound),
            measure("unread bytes", Int(credit.used - credit.consumed), Int(limits.maximumConnectionWindow)),
            measure("bytes in a send buffer", streams.largestSendBuffer, limits.sendBufferLimit),
            measure("packets of open fate", loss[.application].entries.count, Self.mostOpenPackets),
            measure("packets before their keys", undecryptable.count, UndecryptablePackets.maxPackets),
            measure("datagrams in a queue", datagrams.longestQueue, DatagramQueue.countLimit),
            measure("events not taken", events.count, Self.mostEvents),
        ]
    }

    private func measure(_ name: StaticString, _ value: Int, _ bound: Int) -> ConnectionMeasurement {
        ConnectionMeasurement(name: name, value: value, bound: bound)
    }

    /// Those in use, and what the pace of issuing lets retire within the time that late packets are waited
    /// for.
    private static var mostLiveIDs: Int { LocalConnectionIDs.mostIssued + 128 }
    /// What the largest windows hold in small packets.
    private static var mostOpenPackets: Int { 1 << 17 }
    /// Applications take events after every call into the endpoint.
    private static var mostEvents: Int { 64 }
}
