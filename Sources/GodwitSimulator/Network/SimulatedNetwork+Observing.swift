import GodwitWire

extension SimulatedNetwork {
    /// A checker that complains about every datagram must not fill the memory.
    private static var violationLimit: Int { 100 }

    /// Tells observers and checkers what a program did or saw.
    public func report(_ observation: Observation, from host: HostID) {
        for observer in observers { observer.observe(observation, from: host, at: now) }
        for checker in checkers {
            if let message = checker.check(observation, from: host, at: now) {
                complain(checker.name, message)
            }
        }
    }

    /// Asks every checker for its last word.
    ///
    /// - Returns: all violations of the run, also those found earlier.
    public func finish() -> [Violation] {
        for checker in checkers {
            for message in checker.checkEnd(at: now) { complain(checker.name, message) }
        }
        return violations
    }

    /// Adds a violation that someone other than a checker found.
    public func complain(_ checker: String, _ message: String) {
        guard violations.count < Self.violationLimit else { return }
        violations.append(Violation(checker: checker, time: now, message: message))
    }

    // MARK: Recording

    func record(
        _ kind: TraceEvent.Kind, _ slot: UInt32, at place: TraceEvent.Place, reason: DropReason? = nil
    ) {
        let datagram = pool[slot]
        let event = TraceEvent(
            time: now, kind: kind, reason: reason, place: place, serial: datagram.serial, size: datagram.size,
            source: datagram.source, destination: datagram.destination, ecn: datagram.ecn)
        record(event, UnsafeRawBufferPointer(datagram.bytes))
    }

    /// Records what happened to a node and not to a datagram.
    func record(
        _ kind: TraceEvent.Kind, at place: TraceEvent.Place, serial: UInt64 = 0,
        source: NetworkAddress = NetworkAddress(ip: .anyIPv6, port: 0)
    ) {
        let nowhere = NetworkAddress(ip: .anyIPv6, port: 0)
        let event = TraceEvent(
            time: now, kind: kind, place: place, serial: serial, size: 0, source: source,
            destination: nowhere,
            ecn: .notECT)
        record(event, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    func note(_ word: UInt64, from host: HostID) { record(.noted, at: .host(host), serial: word) }

    private func record(_ event: TraceEvent, _ payload: UnsafeRawBufferPointer) {
        trace.record(event, payload: payload)
        for observer in observers { observer.observe(event, payload: payload) }
        for checker in checkers {
            if let message = checker.check(event, payload: payload) { complain(checker.name, message) }
        }
    }
}
