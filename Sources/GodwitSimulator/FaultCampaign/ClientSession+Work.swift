import GodwitCore
import GodwitWire

// The steps of a session, and how it ends.
extension ClientSession {
    private static let heartbeatSize: UInt64 = 8
    /// How often a session that is done looks whether the server is, if it has no heartbeat.
    private static let patience = TimeSpan.seconds(1)

    func takeNextStep(_ program: EndpointProgram) {
        guard let next = remainingSteps.popFirst() else {
            step = .closing
            nextHeartbeat = min(nextHeartbeat, program.now + Self.patience)
            return
        }
        take(next, program)
    }

    private func take(_ next: WorkloadStep, _ program: EndpointProgram) {
        switch next {
        case .idle(let span):
            lastPause = span
            step = .pausing(until: program.now + span)
        case .upload(let bytes):
            transfer(next, UInt64(bytes), response: nil, program) { .transferring($0) }
        case .download(let bytes):
            transfer(next, Self.heartbeatSize, response: UInt64(bytes), program) { .transferring($0) }
        case .requests(let count, let requestBytes, let responseBytes, let pause):
            let left = WorkloadStep.requests(
                count: count - 1, requestBytes: requestBytes, responseBytes: responseBytes, pause: pause)
            transfer(next, UInt64(requestBytes), response: UInt64(responseBytes), program) {
                .requesting($0, left: left)
            }
        }
    }

    private func transfer(
        _ work: WorkloadStep, _ size: UInt64, response: UInt64?, _ program: EndpointProgram,
        _ follow: (StreamID) -> Step
    ) {
        let plan = StreamPlan(
            direction: response == nil ? .unidirectional : .bidirectional, request: .complete(size: size),
            response: response.map { .complete(size: $0) })
        guard let stream = open(plan, program) else {
            step = .blocked(work)
            return
        }
        step = follow(stream)
    }

    private func open(_ plan: StreamPlan, _ program: EndpointProgram) -> StreamID? {
        guard let connection else { return nil }
        do {
            return try traffic?.open(plan, on: connection, now: program.now)
        } catch {
            program.complain("client: a stream: \(error)")
            return nil
        }
    }

    func retry(_ program: EndpointProgram) {
        if case .blocked(let work) = step { take(work, program) }
        for index in remainingStreams.indices where remainingStreams[index].time == .distantFuture {
            remainingStreams[index].time = program.now
        }
        openFurtherStreams(program)
    }

    /// Opens those whose time has come. Those that the server does not allow wait until it does.
    func openFurtherStreams(_ program: EndpointProgram) {
        while let next = remainingStreams.firstIndex(where: { $0.time <= program.now }) {
            if open(remainingStreams[next].plan, program) != nil {
                remainingStreams.remove(at: next)
            } else {
                remainingStreams[next].time = .distantFuture
            }
        }
    }

    /// A stream of ours is through.
    func ended(_ stream: StreamID, _ program: EndpointProgram) {
        if stream == heartbeat {
            heartbeat = nil
            nextHeartbeat = program.now + (context.habits.heartbeatInterval ?? Self.patience)
            return
        }
        switch step {
        case .transferring(stream): takeNextStep(program)
        case .requesting(stream, let left):
            guard case .requests(let count, _, _, let pause) = left, count > 0 else {
                return takeNextStep(program)
            }
            remainingSteps = [left] + remainingSteps
            lastPause = pause
            step = .pausing(until: program.now + pause)
        default: break
        }
    }

    // MARK: The end

    /// Ends the connection in the way that the plan has for it, once both ends have done all there is to do.
    func endIfDone(_ program: EndpointProgram) {
        guard isRunning, case .closing = step, remainingStreams.isEmpty, heartbeat == nil, let connection,
            let traffic, book.isSettled(traffic.connection), plan.ending != .oversleep || isCalm(program)
        else { return }
        step = .ending
        if isFlawless, plan.datagrams != nil { book.note(.allDatagrams) }
        switch plan.ending {
        case .closedByClient(let code): connection.close(code: code)
        case .closedByServer:
            book.askServerToClose(traffic.connection)
            beat(program)
        case .silence: (nextHeartbeat, nextKeyUpdate) = (.distantFuture, .distantFuture)
        case .oversleep:
            (nextHeartbeat, nextKeyUpdate) = (.distantFuture, .distantFuture)
            context.freeze(book.idleTimeout + book.idleTimeout)
        }
    }

    /// Whether nothing else will thaw the client's host.
    private func isCalm(_ program: EndpointProgram) -> Bool { program.host.networkTime > context.calmFrom }

    // MARK: Heartbeats

    func beat(_ program: EndpointProgram) {
        let mayAsk: Bool
        switch step {
        case .closing, .ending: mayAsk = false
        default: mayAsk = heartbeat == nil
        }
        if mayAsk {
            let plan = StreamPlan(
                direction: .bidirectional, request: .complete(size: Self.heartbeatSize),
                response: .complete(size: Self.heartbeatSize))
            heartbeat = open(plan, program)
        }
        // What is under way, and what keeps a stream from being opened, may wait for a server that looks for
        // us elsewhere.
        if !mayAsk || heartbeat == nil { connection?.ping() }
        nextHeartbeat = program.now + (context.habits.heartbeatInterval ?? Self.patience)
    }

    /// Asks the transport to move to the address that the client wants to be at.
    func migrateIfWanted(_ program: EndpointProgram) {
        guard let wanted = context.migration, wanted != migratedTo, isConfirmed, let connection,
            let core = connection.core
        else { return }
        let isForbidden = core.remoteAddress == context.habits.forbiddenRemote
        if connection.migrate(to: wanted) {
            migratedTo = wanted
            if isForbidden { program.complain("client: migrated although the server forbids it") }
        } else if isForbidden {
            book.note(.migrationForbidden)
            migratedTo = wanted
        }
    }
}
