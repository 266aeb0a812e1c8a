import GodwitWire

// Serving programs: what they send goes out, what arrives goes in, and their deadlines become events.
extension SimulatedNetwork {
    /// More datagrams at one instant than any program has reason to send.
    private static var datagramsAtOnceLimit: Int { 20_000 }

    func start(_ id: HostID) {
        guard hosts[Int(id.index)].condition == .waiting else { return }
        hosts[Int(id.index)].condition = .running
        hosts[Int(id.index)].starts += 1
        let program = hosts[Int(id.index)].program
        program.start(on: SimulatedHost(network: self, id: id), now: localTime(of: id))
        serve(id.index)
    }

    /// Sends all that the program of a host has to send and sets its timer.
    func serve(_ host: UInt32) {
        guard hosts[Int(host)].isRunning else { return }
        let program = hosts[Int(host)].program
        let localNow = now + hosts[Int(host)].clockOffset
        var count = 0
        while let transmission = program.transmit(into: outbox, now: localNow) {
            count += send(transmission, from: host)
            guard count < Self.datagramsAtOnceLimit else {
                return halt(host, "sent \(count) datagrams at one instant and would go on")
            }
        }
        arm(host)
    }

    /// How many datagrams it was, at least one.
    private func send(_ transmission: SimulatedTransmission, from host: UInt32) -> Int {
        let total = transmission.count
        let size = max(1, transmission.segmentSize)
        precondition(total >= 0 && total <= Self.trainCapacity, "a program wrote beyond its buffer")
        let departure = hosts[Int(host)].departure(of: transmission)
        var start = 0
        var count = 0
        repeat {
            let end = min(start + size, total)
            send(UnsafeRawBufferPointer(rebasing: outbox[start..<end]), transmission, host, departure)
            start = end
            count += 1
        } while start < total
        return count
    }

    private func send(
        _ payload: UnsafeRawBufferPointer, _ transmission: SimulatedTransmission, _ host: UInt32,
        _ departure: HostState.Departure?
    ) {
        let slot = pool.insert(payload)
        pool[slot].serial = nextSerial
        pool[slot].source = departure?.source ?? transmission.local
        pool[slot].destination = transmission.remote
        pool[slot].ecn = transmission.ecn
        nextSerial += 1
        let place = TraceEvent.Place.host(HostID(index: host))
        record(.sent, slot, at: place)
        guard let departure else { return drop(slot, .sourceNotLocal, at: place) }
        carry(slot, over: departure.link, to: .realm(departure.realm))
    }

    // MARK: Receiving

    func reach(_ host: UInt32, interface: Int, _ slot: UInt32) {
        let place = TraceEvent.Place.host(HostID(index: host))
        let interfaces = hosts[Int(host)].interfaces
        guard interfaces.indices.contains(interface), interfaces[interface].address == pool[slot].destination,
            hosts[Int(host)].condition != .removed
        else { return drop(slot, .noRoute, at: place) }
        guard hosts[Int(host)].isRunning else { return drop(slot, .hostFrozen, at: place) }
        guard hosts[Int(host)].collecting > .zero else {
            record(.delivered, slot, at: place)
            deliver(pool[slot].bytes, segmentSize: pool[slot].size, like: slot, to: host)
            return serve(host)
        }
        if hosts[Int(host)].inbox.isEmpty {
            events.schedule(.batch, host, at: now + hosts[Int(host)].collecting)
        }
        hosts[Int(host)].inbox.append(slot)
    }

    /// Gives a program bytes that came with the addresses of the datagram in `slot`, and frees that.
    private func deliver(
        _ train: UnsafeMutableRawBufferPointer, segmentSize: Int, like slot: UInt32, to host: UInt32
    ) {
        let datagram = pool[slot]
        let program = hosts[Int(host)].program
        program.receive(
            train, segmentSize: max(1, segmentSize), from: datagram.source, to: datagram.destination,
            ecn: datagram.ecn, now: now + hosts[Int(host)].clockOffset)
        pool.free(slot)
    }

    /// Gives a program what its host has collected.
    func handOver(to host: UInt32) {
        // The two arrays take turns, so that neither is copied or allocated anew.
        swap(&hosts[Int(host)].inbox, &collected)
        defer { collected.removeAll(keepingCapacity: true) }
        var start = 0
        while start < collected.count { start = handOverTrain(collected, from: start, to: host) }
        serve(host)
    }

    /// What waits at a host that stops is in its kernel, which doesn't go along.
    func dropCollected(by host: HostID) {
        for slot in hosts[Int(host.index)].inbox { drop(slot, .hostFrozen, at: .host(host)) }
        hosts[Int(host.index)].inbox.removeAll(keepingCapacity: true)
    }

    /// Delivers the datagrams from `start` on that make one train; where the next train starts.
    private func handOverTrain(_ inbox: ContiguousArray<UInt32>, from start: Int, to host: UInt32) -> Int {
        let first = inbox[start]
        let segmentSize = pool[first].size
        var end = start
        var length = 0
        while end < inbox.count, length + pool[inbox[end]].size <= Self.trainCapacity,
            end == start || joins(inbox[end], after: inbox[end - 1], first)
        {
            let bytes = pool[inbox[end]].bytes
            UnsafeMutableRawBufferPointer(rebasing: outbox[length...]).copyMemory(
                from: UnsafeRawBufferPointer(bytes))
            record(.delivered, inbox[end], at: .host(HostID(index: host)))
            length += bytes.count
            end += 1
        }
        let train = UnsafeMutableRawBufferPointer(rebasing: outbox[..<length])
        deliver(train, segmentSize: segmentSize, like: first, to: host)
        for slot in inbox[(start + 1)..<end] { pool.free(slot) }
        return end
    }

    /// Kernels join what has the same addresses, mark and size; a shorter datagram ends the train.
    private func joins(_ slot: UInt32, after previous: UInt32, _ first: UInt32) -> Bool {
        let (datagram, head) = (pool[slot], pool[first])
        return datagram.source == head.source && datagram.destination == head.destination
            && datagram.ecn == head.ecn && datagram.size > 0 && datagram.size <= head.size
            && pool[previous].size == head.size
    }

    // MARK: Deadlines

    private func arm(_ host: UInt32) {
        let program = hosts[Int(host)].program
        guard let deadline = program.nextDeadline, deadline != .distantFuture else { return }
        let time = max(now, deadline - hosts[Int(host)].clockOffset)
        // An event that comes too early costs less than taking it out of the queue.
        if let armed = hosts[Int(host)].armed, armed <= time { return }
        hosts[Int(host)].armed = time
        events.schedule(.timer, host, at: time)
    }

    func fireTimer(of host: UInt32) {
        guard hosts[Int(host)].armed == now else { return }
        hosts[Int(host)].armed = nil
        guard hosts[Int(host)].isRunning else { return }
        let localNow = now + hosts[Int(host)].clockOffset
        let program = hosts[Int(host)].program
        guard let deadline = program.nextDeadline, deadline <= localNow else { return arm(host) }
        guard !hosts[Int(host)].isSpinning(now: now) else {
            return halt(host, "keeps a deadline that has passed")
        }
        program.handleDeadline(now: localNow)
        serve(host)
    }

    private func halt(_ host: UInt32, _ message: String) {
        hosts[Int(host)].condition = .removed
        dropCollected(by: HostID(index: host))
        complain("network", "\(hosts[Int(host)].name) \(message); it is stopped")
    }
}
