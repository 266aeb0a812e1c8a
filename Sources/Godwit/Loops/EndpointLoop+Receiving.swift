import GodwitCore
import GodwitWire

// What comes in, and which event loop it is for.
extension EndpointLoop {
    /// Takes a datagram or a train, and writes into it.
    func receive(_ train: UnsafeMutableRawBufferPointer, _ arrival: Arrival) {
        traffic.noteReceived(train.count, segmentSize: arrival.segmentSize)
        guard !arrival.isTruncated, !train.isEmpty else { return traffic.noteUnusable() }
        settings.tap?.received(UnsafeRawBufferPointer(train), arrival)
        let segmentSize = arrival.segmentSize ?? train.count
        guard let place else { return deliver(train, segmentSize, arrival) }
        // A train comes from one address, behind which there may be several connections.
        var rest = train[...]
        while !rest.isEmpty {
            let (run, shard) = firstRun(
                of: UnsafeMutableRawBufferPointer(rebasing: rest), segmentSize, arrival, place)
            rest = rest.dropFirst(run.count)
            guard let shard else { deliver(run, segmentSize, arrival); continue }
            place.handOver(HandedTrain(run, segmentSize, arrival, origin: place.index), to: shard)
        }
    }

    private func deliver(_ train: UnsafeMutableRawBufferPointer, _ segmentSize: Int, _ arrival: Arrival) {
        guard !isClosed, !isHeld else { return }
        if let acceptQueue { endpoint.isClosedToNewConnections = acceptQueue.refusesClients }
        endpoint.receive(
            train, segmentSize: segmentSize, from: arrival.remote, to: arrival.local, ecn: arrival.ecn,
            now: now())
        markBusy()
    }

    // MARK: Sharding

    /// The datagrams from the start of a train that go to the same connection, and the event loop to ask
    /// first for it; nil for this one.
    private func firstRun(
        of train: UnsafeMutableRawBufferPointer, _ segmentSize: Int, _ arrival: Arrival, _ place: RingPlace
    ) -> (run: UnsafeMutableRawBufferPointer, shard: Int?) {
        let first = UnsafeRawBufferPointer(rebasing: train.prefix(segmentSize))
        var end = first.count
        while end < train.count {
            let next = UnsafeRawBufferPointer(rebasing: train[end...].prefix(segmentSize))
            guard next.startsLike(first) else { break }
            end += next.count
        }
        let run = UnsafeMutableRawBufferPointer(rebasing: train[..<end])
        return (run, foreignShard(first, arrival, place))
    }

    private func foreignShard(_ datagram: UnsafeRawBufferPointer, _ arrival: Arrival, _ place: RingPlace)
        -> Int?
    {
        if endpoint.owns(datagram, from: arrival.remote) { return nil }
        guard let shard = endpoint.shard(of: datagram) else { return nil }
        return place.firstToAsk(for: Int(shard))
    }

    /// Takes what other event loops have handed over.
    func receiveHandedTrains() {
        guard let place else { return }
        for var handed in place.takeHandedTrains() {
            let isOurs = handed.bytes.withUnsafeBytes { train in
                endpoint.owns(
                    UnsafeRawBufferPointer(rebasing: train.prefix(handed.segmentSize)),
                    from: handed.arrival.remote)
            }
            if isOurs || handed.origin == place.index {
                let (segmentSize, arrival) = (handed.segmentSize, handed.arrival)
                handed.bytes.withUnsafeMutableBytes { deliver($0, segmentSize, arrival) }
            } else {
                place.passOn(handed)
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the connection ids of two datagrams with short headers begin alike. Ids are encrypted, so that
    /// those of different connections don't; if an attacker makes them, that datagram ends up nowhere.
    fileprivate func startsLike(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count > 8, other.count > 8, (self[0] | other[0]) & 0x80 == 0 else { return false }
        return loadUnaligned(fromByteOffset: 1, as: UInt64.self)
            == other.loadUnaligned(fromByteOffset: 1, as: UInt64.self)
    }
}
