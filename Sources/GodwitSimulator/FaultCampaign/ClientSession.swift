import GodwitCore
import GodwitCrypto
import GodwitWire

/// One connection of a client of a fault campaign, and what it does: its steps one after the other, further
/// streams and datagrams besides, and the end.
///
/// A connection that comes to nothing before it is confirmed is begun anew, since addresses must not change
/// until then (RFC 9000 section 9), and so is one whose server has lost it. Else it has to last.
final class ClientSession {
    enum State {
        /// Until another session is over.
        case dormant
        /// Until it is time to connect.
        case waiting(until: Instant)
        case running
        case over
    }

    enum Step {
        case connecting
        case pausing(until: Instant)
        /// Until the stream is done for.
        case transferring(StreamID)
        /// Until a stream can be opened.
        case blocked(WorkloadStep)
        case requesting(StreamID, left: WorkloadStep)
        /// Until the server, too, is done.
        case closing
        /// Until the other end, or silence, ends the connection.
        case ending
    }

    let plan: SessionPlan
    let context: ClientContext
    var book: WorkloadBook { context.book }
    private(set) var state = State.dormant
    private(set) var connection: SimulatedConnection?
    var traffic: StreamTraffic?
    var datagrams: DatagramTraffic?
    var step = Step.connecting
    var remainingSteps: ArraySlice<WorkloadStep> = []
    var remainingStreams: [(time: Instant, plan: StreamPlan)] = []
    var lastPause = TimeSpan.zero
    /// The stream of the request that keeps the server informed of where we are.
    var heartbeat: StreamID?
    var nextHeartbeat = Instant.distantFuture
    var nextKeyUpdate = Instant.distantFuture
    var confirmBy = Instant.distantFuture
    /// Where the connection was asked to migrate to last.
    var migratedTo: NetworkAddress?
    private var attempts = 0
    private var hasOfferedEarlyData = false
    /// When the present connection was begun, on the network's clock.
    private var beganAt = Instant.zero
    private var version: QUICVersion?
    /// The version of the first flight.
    private var firstVersion: QUICVersion?

    init(_ plan: SessionPlan, _ context: ClientContext) {
        self.plan = plan
        self.context = context
    }

    var isOver: Bool { if case .over = state { true } else { false } }
    var isRunning: Bool { if case .running = state { true } else { false } }
    /// Whether the connection is there for good.
    var isConfirmed: Bool { traffic.map { book.isConfirmed($0.connection) } ?? false }

    func wait(until time: Instant) { state = .waiting(until: time) }

    // MARK: The beginning

    func connect(_ program: EndpointProgram) {
        attempts += 1
        let ticket = plan.resumes ? context.tickets.popLast() : nil
        hasOfferedEarlyData = plan.offersEarlyData && ticket != nil
        do {
            let local = context.habits.namesItsAddress ? program.host.addresses.first : nil
            let connection = try program.connect(
                to: context.server, from: local, resumption: ticket, offersEarlyData: hasOfferedEarlyData,
                token: plan.resumes ? context.token : [])
            (self.connection, state, step) = (connection, .running, .connecting)
            firstVersion = connection.core?.version
            beganAt = program.host.networkTime
            book.begin(connection.number, plan)
            if hasOfferedEarlyData, plan.isReplayed { context.replay() }
            if hasOfferedEarlyData { begin(program) }
        } catch {
            program.complain("client: \(error)")
            state = .over
        }
    }

    private func begin(_ program: EndpointProgram) {
        guard let connection, traffic == nil else { return }
        let number = connection.number
        traffic = StreamTraffic(connection: number, role: .client, book: book, holdsReports: false)
        datagrams = DatagramTraffic(
            connection: number, role: .client, book: book,
            isSupported: hasOfferedEarlyData ? nil : book.serverTakesDatagrams,
            random: program.host.random("datagrams \(number)"))
        remainingSteps = plan.steps[...]
        remainingStreams = plan.furtherStreams.map { (program.now + $0.delay, $0.plan) }
        if let interval = context.habits.heartbeatInterval { nextHeartbeat = program.now + interval }
        if let interval = context.habits.keyUpdateInterval { nextKeyUpdate = program.now + interval }
        datagrams?.begin(now: program.now)
        takeNextStep(program)
        doWhatIsDue(program)
    }

    private func onHandshakeCompleted(_ summary: HandshakeSummary, _ program: EndpointProgram) {
        if summary.isResumed { book.note(.resumption) }
        if summary.earlyDataAccepted { book.note(.earlyDataAccepted) }
        if summary.earlyDataAccepted, !hasOfferedEarlyData {
            program.complain("client: early data was accepted, but there was none")
        }
        noteVersion()
        confirmBy = program.now + Self.confirmationTimeout
        begin(program)
    }

    private func noteVersion() {
        version = connection?.core?.version
        if version == .v2 { book.note(.version2) }
        if let firstVersion, version != firstVersion, context.habits.serverVersions.contains(firstVersion) {
            book.note(.compatibleVersion)
        }
    }

    private static let confirmationTimeout = TimeSpan.seconds(20)

    // MARK: Events

    func happened(_ event: ConnectionEvent, _ program: EndpointProgram) {
        switch event {
        case .handshakeCompleted(let summary): onHandshakeCompleted(summary, program)
        case .handshakeConfirmed: onConfirmed()
        case .earlyDataRejected: book.note(.earlyDataRejected)
        case .stream(let event):
            do { try happened(event, program) } catch { program.complain("client: \(event): \(error)") }
        case .datagramsReadable: if let connection { datagrams?.receive(of: connection, program) }
        case .resumptionTicket(let ticket): context.keep(ticket)
        case .addressToken(let token): context.token = token
        case .pathChanged(let local, let remote): onPathChanged(local, remote)
        case .closed(let reason): closed(reason, program)
        }
        endIfDone(program)
    }

    private func onConfirmed() {
        guard let traffic else { return }
        confirmBy = .distantFuture
        book.confirm(traffic.connection, isFlawless: isFlawless)
    }

    /// Whether datagrams of this connection get where they go; those in early data go nowhere if the server
    /// refuses it.
    var isFlawless: Bool { context.habits.isFlawless && !hasOfferedEarlyData }

    private func onPathChanged(_ local: NetworkAddress, _ remote: NetworkAddress) {
        if remote == context.habits.preferredRemote { book.note(.preferredAddress) }
        if local == migratedTo { book.note(.migration) }
    }

    private func happened(_ event: StreamEvent, _ program: EndpointProgram) throws {
        guard let connection, traffic != nil else { return }
        if let done = try traffic?.happened(event, of: connection, program) { ended(done, program) }
        if case .streamsAvailable = event { retry(program) }
    }

    // MARK: The end

    private func closed(_ reason: ConnectionCloseReason, _ program: EndpointProgram) {
        noteLife()
        guard let connection, let traffic, isConfirmed else { return reconnect(after: reason, program) }
        if book.isLost(traffic.connection) { return closedByLoss(reason, program) }
        if case .application(let code, _, byPeer: false) = reason {
            book.noteClosed(traffic.connection, code: code, by: .client)
        }
        let end = WorkloadEnd(
            book, role: .client, reason, version: version, traffic: traffic,
            silence: program.silence(of: connection))
        program.host.report(
            .ended(connection: traffic.connection, role: .client, outcome: end.description))
        if let complaint = end.complaint { program.complain("client: \(complaint)") }
        if !isExpected(reason) { program.complain("client: the connection was lost: \(reason)") }
        state = .over
    }

    private func noteLife() {
        guard let core = connection?.core else { return }
        if core.statistics.keyUpdates > 0 { book.note(.keyUpdate) }
    }

    /// Whether this is an end that the plan has come to.
    private func isExpected(_ reason: ConnectionCloseReason) -> Bool {
        guard case .ending = step else { return false }
        switch (plan.ending, reason) {
        case (.closedByClient(let wanted), .application(let code, _, byPeer: false)): return code == wanted
        case (.closedByServer(let wanted), .application(let code, _, byPeer: true)): return code == wanted
        case (.closedByServer, .statelessReset), (.closedByServer, .idleTimeout):
            // A CONNECTION_CLOSE that is lost is not repeated for long (RFC 9000 section 10.2.1).
            return traffic.flatMap { book.closeCode(of: $0.connection, by: .server) } != nil
        case (.silence, .idleTimeout), (.oversleep, .statelessReset): return true
        default: return false
        }
    }

    /// The server had lost the connection, and the client has come to know it.
    private func closedByLoss(_ reason: ConnectionCloseReason, _ program: EndpointProgram) {
        switch reason {
        case .statelessReset:
            book.note(.statelessReset)
            // RFC 9000 section 21.11.
            if !book.lossIsTold {
                program.complain("client: reset by a server that can't know the connection")
            }
        case .idleTimeout:
            book.note(.idleTimeout)
            if book.lossIsTold, !isEnding, beganAt >= ServerLoss.knownFrom {
                program.complain("client: not told that its connection is lost")
            }
        case .application(_, _, byPeer: false): break
        default: program.complain("client: a lost connection ended otherwise: \(reason)")
        }
        if isEnding { state = .over } else { reconnect(after: reason, program) }
    }

    private var isEnding: Bool { if case .ending = step { true } else { false } }

    private func reconnect(after reason: ConnectionCloseReason, _ program: EndpointProgram) {
        guard attempts < 20 else {
            program.complain("client: no connection came about: \(reason)")
            state = .over
            return
        }
        (connection, traffic, datagrams, heartbeat, migratedTo) = (nil, nil, nil, nil, nil)
        (nextHeartbeat, nextKeyUpdate, confirmBy) = (.distantFuture, .distantFuture, .distantFuture)
        (remainingSteps, remainingStreams) = ([], [])
        state = .waiting(until: program.now + .milliseconds(200))
    }

    func resume(_ program: EndpointProgram) {
        migrateIfWanted(program)
        guard isEnding, case .oversleep = plan.ending else { return }
        nextHeartbeat = program.now
    }
}
