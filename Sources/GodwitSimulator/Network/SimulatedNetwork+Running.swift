public import GodwitWire

extension SimulatedNetwork {
    /// Runs all that happens up to and including an instant, which is then the time.
    ///
    /// A run that a violation stops (``stopsAtViolation``) ends at the time of the violation.
    public func run(until end: Instant) {
        run(until: end) { false }
    }

    /// Runs all that happens in the next so and so long.
    public func run(for span: TimeSpan) { run(until: now + span) }

    /// Runs until a condition holds, and no further than an instant.
    ///
    /// - Parameters:
    ///   - end: where the run ends at the latest.
    ///   - isDone: asked before every event; keep it cheap.
    /// - Returns: whether the condition holds.
    @discardableResult
    public func run(until end: Instant, orWhen isDone: () -> Bool) -> Bool {
        while !isDone() {
            if stopsAtViolation, !violations.isEmpty { return false }
            guard let next = events.nextTime, next <= end else {
                now = max(now, end)
                return isDone()
            }
            step()
        }
        return true
    }

    /// When something happens next; nil when nothing ever will.
    public var nextEventTime: Instant? { events.nextTime }

    /// Does something to the network at an instant, or at once if that has passed.
    public func schedule(at time: Instant, _ action: @escaping (SimulatedNetwork) -> Void) {
        let slot = freeActions.popLast() ?? UInt32(actions.count)
        if slot == actions.count { actions.append(nil) }
        actions[Int(slot)] = action
        events.schedule(.action, slot, at: max(time, now))
    }

    /// Does something to the network so and so long from now.
    public func schedule(after span: TimeSpan, _ action: @escaping (SimulatedNetwork) -> Void) {
        schedule(at: now + span, action)
    }

    private func step() {
        guard let event = events.popFirst() else { return }
        now = event.time
        switch event.kind {
        case .arrival: arrive(event.subject)
        case .transmission: finishTransmission(on: event.subject)
        case .timer: fireTimer(of: event.subject)
        case .batch: handOver(to: event.subject)
        case .action: perform(event.subject)
        }
    }

    private func perform(_ slot: UInt32) {
        let action = actions[Int(slot)]
        actions[Int(slot)] = nil
        freeActions.append(slot)
        action?(self)
    }
}
