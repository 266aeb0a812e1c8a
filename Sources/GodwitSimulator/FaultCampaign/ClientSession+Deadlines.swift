import GodwitCore
import GodwitWire

// When a session has something to do of its own accord.
extension ClientSession {
    var nextDeadline: Instant {
        switch state {
        case .dormant, .over: return .distantFuture
        case .waiting(let until): return until
        case .running: return nextWork
        }
    }

    private var nextWork: Instant {
        guard let traffic, let datagrams else { return confirmBy }
        let own = min(nextHeartbeat, nextKeyUpdate, confirmBy)
        if case .ending = step { return own }
        var earliest = min(own, traffic.nextDeadline, datagrams.nextDeadline)
        if case .pausing(let until) = step { earliest = min(earliest, until) }
        for stream in remainingStreams { earliest = min(earliest, stream.time) }
        return earliest
    }

    func handleDeadline(_ program: EndpointProgram) {
        switch state {
        case .dormant, .over: return
        case .waiting(let until): if until <= program.now { connect(program) }
        case .running:
            doWhatIsDue(program)
            endIfDone(program)
        }
    }

    func doWhatIsDue(_ program: EndpointProgram) {
        guard traffic != nil, let connection else { return }
        if confirmBy <= program.now { return giveUp() }
        if case .pausing(let until) = step, until <= program.now { endPause(program) }
        do { try traffic?.handleDeadline(of: connection, now: program.now) } catch {
            program.complain("client: a reset: \(error)")
        }
        datagrams?.handleDeadline(of: connection, program)
        openFurtherStreams(program)
        if nextKeyUpdate <= program.now, let interval = context.habits.keyUpdateInterval {
            connection.updateKeys()
            nextKeyUpdate = program.now + interval
        }
        if nextHeartbeat <= program.now { beat(program) }
        migrateIfWanted(program)
    }

    private func endPause(_ program: EndpointProgram) {
        if context.habits.heartbeatInterval == nil, lastPause > book.idleTimeout { book.note(.keepAlive) }
        takeNextStep(program)
    }

    /// The server has not confirmed the handshake: it does not know, and can't be told, where we are.
    private func giveUp() {
        confirmBy = .distantFuture
        connection?.close(code: 0)
    }
}
