import GodwitCore
import GodwitWire

/// A client of a fault campaign: does the steps of its plan one after the other and closes.
///
/// A connection that comes to nothing before it is confirmed is begun anew, since addresses must not change
/// until then (RFC 9000 section 9). Once it is confirmed it has to last.
final class WorkloadClient: EndpointApplication {
    private let plan: ClientPlan
    private let server: NetworkAddress
    private let book: WorkloadBook
    private let habits: ClientHabits

    private var connection: SimulatedConnection?
    private var traffic: PatternTraffic!
    private var version: QUICVersion?
    private var remainingSteps: ArraySlice<WorkloadStep>
    private var step = Step.connecting
    /// The stream of the request that keeps the server informed of where we are.
    private var heartbeat: StreamID?
    private var nextHeartbeat = Instant.distantFuture
    private var nextKeyUpdate = Instant.distantFuture
    private var confirmBy = Instant.distantFuture
    private var attempts = 0
    /// Where to migrate to, as soon as it is allowed.
    var migration: NetworkAddress?
    /// Whether the work is done, or can't be.
    private(set) var isOver = false

    private enum Step {
        case connecting
        case waiting(until: Instant)
        /// Until the stream is done for.
        case transferring(StreamID)
        /// Until a stream can be opened.
        case blocked(WorkloadStep)
        case requesting(StreamID, left: WorkloadStep)
        case closing
    }

    private static let heartbeatSize: UInt64 = 8
    private static let confirmationTimeout = TimeSpan.seconds(20)

    init(_ plan: ClientPlan, server: NetworkAddress, book: WorkloadBook, habits: ClientHabits) {
        self.plan = plan
        self.server = server
        self.book = book
        self.habits = habits
        remainingSteps = plan.workload[...]
    }

    func start(_ program: EndpointProgram) { connect(program) }

    private func connect(_ program: EndpointProgram) {
        attempts += 1
        step = .connecting
        do {
            let local = habits.namesItsAddress ? program.host.addresses.first : nil
            connection = try program.connect(to: server, from: local)
        } catch {
            program.complain("client: \(error)")
            isOver = true
        }
    }

    // MARK: Events

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        switch event {
        case .handshakeCompleted: begin(program)
        case .handshakeConfirmed:
            book.confirm(connection.number)
            if isClosing { finish(program) }
        case .stream(let event):
            do { try happened(event, program) } catch { program.complain("client: \(event): \(error)") }
        case .closed(let reason): closed(reason, program)
        default: break
        }
    }

    private func begin(_ program: EndpointProgram) {
        guard let connection else { return }
        traffic = PatternTraffic(connection: connection.number, role: .client)
        version = connection.core?.version
        remainingSteps = plan.workload[...]
        confirmBy = program.now + Self.confirmationTimeout
        nextHeartbeat = program.now + habits.heartbeatInterval
        if let interval = habits.keyUpdateInterval { nextKeyUpdate = program.now + interval }
        takeNextStep(program)
    }

    private func happened(_ event: StreamEvent, _ program: EndpointProgram) throws {
        guard let connection, traffic != nil else { return }
        switch event {
        case .readable(let stream):
            if try traffic.receive(stream, of: connection, reportingTo: program.host) {
                ended(stream, program)
            }
        case .writable(let stream): try traffic.goOn(stream, of: connection)
        case .finished(let stream): if stream.direction == .unidirectional { ended(stream, program) }
        case .streamsAvailable: retry(program)
        case .opened, .resetByPeer, .stopSendingByPeer:
            program.complain("client: \(event), which nobody asked for")
        }
    }

    private func ended(_ stream: StreamID, _ program: EndpointProgram) {
        if stream == heartbeat {
            heartbeat = nil
            nextHeartbeat = program.now + habits.heartbeatInterval
            if isClosing { finish(program) }
            return
        }
        switch step {
        case .transferring(stream): takeNextStep(program)
        case .requesting(stream, let left):
            guard case .requests(let count, _, _, let pause) = left, count > 0 else {
                return takeNextStep(program)
            }
            remainingSteps = [left] + remainingSteps
            step = .waiting(until: program.now + pause)
        default: program.complain("client: \(stream) ended, which was none of ours")
        }
    }

    private func closed(_ reason: ConnectionCloseReason, _ program: EndpointProgram) {
        guard traffic != nil, book.isConfirmed(traffic.connection) else { return reconnect(reason, program) }
        let number = traffic.connection
        if case .application(let code, _, _) = reason { book.noteClosed(number, code: code) }
        let end = WorkloadEnd(
            version: version, upwards: traffic.sentTotal, downwards: traffic.receivedTotal, reason: reason,
            closeCode: nil)
        program.host.report(.ended(connection: number, role: .client, outcome: end.description))
        if !isClosing { program.complain("client: the connection was lost: \(reason)") }
        isOver = true
    }

    private func reconnect(_ reason: ConnectionCloseReason, _ program: EndpointProgram) {
        guard attempts < 20 else {
            program.complain("client: no connection came about: \(reason)")
            isOver = true
            return
        }
        (connection, traffic, heartbeat) = (nil, nil, nil)
        step = .waiting(until: program.now + .milliseconds(200))
    }

    // MARK: Steps

    private func takeNextStep(_ program: EndpointProgram) {
        guard let next = remainingSteps.popFirst() else { return finish(program) }
        take(next, program)
    }

    private func take(_ next: WorkloadStep, _ program: EndpointProgram) {
        switch next {
        case .idle(let span): step = .waiting(until: program.now + span)
        case .upload(let bytes):
            transfer(next, .unidirectional, UInt64(bytes), response: nil, program) { .transferring($0) }
        case .download(let bytes):
            transfer(next, .bidirectional, Self.heartbeatSize, response: UInt64(bytes), program) {
                .transferring($0)
            }
        case .requests(let count, let requestBytes, let responseBytes, let pause):
            let left = WorkloadStep.requests(
                count: count - 1, requestBytes: requestBytes, responseBytes: responseBytes, pause: pause)
            transfer(next, .bidirectional, UInt64(requestBytes), response: UInt64(responseBytes), program) {
                .requesting($0, left: left)
            }
        }
    }

    private func transfer(
        _ work: WorkloadStep, _ direction: StreamID.Direction, _ size: UInt64, response: UInt64?,
        _ program: EndpointProgram, _ follow: (StreamID) -> Step
    ) {
        guard let stream = open(direction, size, response: response, program) else {
            step = .blocked(work)
            return
        }
        step = follow(stream)
    }

    private func open(
        _ direction: StreamID.Direction, _ size: UInt64, response: UInt64?, _ program: EndpointProgram
    ) -> StreamID? {
        guard let connection, let stream = connection.openStream(direction) else { return nil }
        book.announce(stream, of: connection.number, size: size, response: response)
        do { try traffic.send(size, on: stream, of: connection) } catch {
            program.complain("client: \(stream): \(error)")
        }
        return stream
    }

    private func retry(_ program: EndpointProgram) {
        if case .blocked(let work) = step { take(work, program) }
    }

    private func finish(_ program: EndpointProgram) {
        step = .closing
        guard heartbeat == nil, book.isConfirmed(traffic.connection) else { return }
        connection?.close(code: habits.closeCode)
    }

    // MARK: Deadlines

    var nextDeadline: Instant? {
        guard !isOver else { return nil }
        if case .waiting(let until) = step, traffic == nil { return until }
        guard traffic != nil else { return nil }
        if isClosing { return min(confirmBy, nextHeartbeat) }
        var earliest = min(nextKeyUpdate, confirmBy, nextHeartbeat)
        if case .waiting(let until) = step { earliest = min(earliest, until) }
        return earliest
    }

    func handleDeadline(_ program: EndpointProgram) {
        if case .waiting(let until) = step, until <= program.now {
            if connection == nil { connect(program) } else { takeNextStep(program) }
        }
        guard traffic != nil else { return }
        if confirmBy <= program.now { return judgeConfirmation() }
        if nextKeyUpdate <= program.now, let interval = habits.keyUpdateInterval {
            connection?.updateKeys()
            nextKeyUpdate = program.now + interval
        }
        if nextHeartbeat <= program.now { beat(program) }
        migrateIfWanted()
    }

    private var isClosing: Bool {
        if case .closing = step { true } else { false }
    }

    private func judgeConfirmation() {
        confirmBy = .distantFuture
        if !book.isConfirmed(traffic.connection) { connection?.close(code: habits.closeCode) }
    }

    private func beat(_ program: EndpointProgram) {
        let mayAsk = heartbeat == nil && !isClosing
        if mayAsk {
            heartbeat = open(.bidirectional, Self.heartbeatSize, response: Self.heartbeatSize, program)
        }
        // What is under way, and what keeps a stream from being opened, may wait for a server that looks for
        // us elsewhere.
        if !mayAsk || heartbeat == nil { connection?.ping() }
        nextHeartbeat = program.now + habits.heartbeatInterval
    }

    func resume(_ program: EndpointProgram) { migrateIfWanted() }

    private func migrateIfWanted() {
        guard let address = migration, let connection, connection.migrate(to: address) else { return }
        migration = nil
    }
}

/// What a client does besides its work.
struct ClientHabits {
    /// How often it sends a small request, so that the server learns where it is.
    var heartbeatInterval: TimeSpan
    /// How often it updates its keys.
    var keyUpdateInterval: TimeSpan?
    /// Whether it connects from an address that it names, or leaves that to the host.
    var namesItsAddress: Bool
    /// What it closes with when its work is done.
    var closeCode: UInt64
}
