import GodwitCore
import GodwitWire

/// What a server without the state of a connection can say about it.
enum ServerLoss {
    /// Connection ids tell when they were made, to the second. About those of the second in which it started
    /// itself a server keeps silent: they may be another's (RFC 9000 section 21.11).
    static let knownFrom = Instant.zero + .milliseconds(1100)
}

/// The server of a fault campaign: reads every stream to its end, or as far as it is to, answers those that
/// can be answered, and opens those that it is to open.
final class WorkloadServer: EndpointApplication {
    private struct Session {
        var traffic: StreamTraffic
        var datagrams: DatagramTraffic
        var isConfirmed = false
        var version: QUICVersion?
    }

    private let book: WorkloadBook
    private let keyUpdateInterval: TimeSpan?
    private var nextKeyUpdate: Instant?
    private var sessions: [ConnectionHandle: Session] = [:]

    init(book: WorkloadBook, keyUpdateInterval: TimeSpan?) {
        self.book = book
        self.keyUpdateInterval = keyUpdateInterval
    }

    func start(_ program: EndpointProgram) { nextKeyUpdate = keyUpdateInterval.map { program.now + $0 } }

    /// Forgets everything, as the process does whose program this is.
    func lose() {
        let numbers = sessions.values.lazy.filter(\.isConfirmed).map(\.traffic.connection)
        for number in numbers.sorted() { book.lose(number) }
        sessions = [:]
    }

    // MARK: Events

    func accepted(_ connection: SimulatedConnection, _ program: EndpointProgram) {
        let number = connection.number
        let datagrams = DatagramTraffic(
            connection: number, role: .server, book: book, isSupported: book.clientTakesDatagrams,
            random: program.host.random("datagrams \(number)"))
        sessions[connection.handle] = Session(
            traffic: StreamTraffic(connection: number, role: .server, book: book, holdsReports: true),
            datagrams: datagrams)
    }

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        switch event {
        case .handshakeConfirmed: begin(connection, program)
        case .stream(let event):
            do { try happened(event, on: connection, program) } catch {
                program.complain("server: \(event) of \(connection.handle): \(error)")
            }
        case .datagramsReadable: sessions[connection.handle]?.datagrams.receive(of: connection, program)
        case .closed(let reason): closed(reason, connection, program)
        default: break
        }
    }

    private func begin(_ connection: SimulatedConnection, _ program: EndpointProgram) {
        sessions[connection.handle]?.isConfirmed = true
        sessions[connection.handle]?.traffic.release(to: program.host)
        sessions[connection.handle]?.version = connection.core?.version
        sessions[connection.handle]?.datagrams.begin(now: program.now)
        openOwnStreams(connection, program)
    }

    /// Opens the streams that the server is to open, as far as the client allows.
    private func openOwnStreams(_ connection: SimulatedConnection, _ program: EndpointProgram) {
        guard let session = sessions[connection.handle], session.isConfirmed else { return }
        let number = session.traffic.connection
        do {
            while let plan = book.owed(by: number),
                try sessions[connection.handle]?.traffic.open(plan, on: connection, now: program.now) != nil
            {
                book.notePaid(by: number)
            }
        } catch {
            program.complain("server: a stream of its own: \(error)")
        }
    }

    private func happened(
        _ event: StreamEvent, on connection: SimulatedConnection, _ program: EndpointProgram
    ) throws {
        _ = try sessions[connection.handle]?.traffic.happened(event, of: connection, program)
        if let traffic = sessions[connection.handle]?.traffic, traffic.hasHeld,
            !book.takeEarlyData(of: traffic.connection, by: connection.handle)
        {
            program.complain("server: the early data of connection \(traffic.connection) came twice")
        }
        if case .streamsAvailable = event { openOwnStreams(connection, program) }
    }

    private func closed(
        _ reason: ConnectionCloseReason, _ connection: SimulatedConnection, _ program: EndpointProgram
    ) {
        guard let session = sessions.removeValue(forKey: connection.handle) else { return }
        let number = session.traffic.connection
        // Unless the client gave up before it could know of the server's view.
        guard session.isConfirmed, book.isConfirmed(number) else { return }
        if case .application(let code, _, byPeer: false) = reason {
            book.noteClosed(number, code: code, by: .server)
            book.note(.serverClose)
        }
        let end = WorkloadEnd(
            book, role: .server, reason, version: session.version, traffic: session.traffic,
            silence: program.silence(of: connection))
        program.host.report(.ended(connection: number, role: .server, outcome: end.description))
        if let complaint = end.complaint { program.complain("server: \(complaint)") }
    }

    // MARK: Deadlines

    var nextDeadline: Instant? {
        var earliest = Instant.distantFuture
        for session in sessions.values {
            earliest = min(earliest, session.traffic.nextDeadline, session.datagrams.nextDeadline)
            if book.codeToClose(session.traffic.connection) != nil { earliest = .zero }
        }
        return sessions.isEmpty ? nil : min(earliest, nextKeyUpdate ?? .distantFuture)
    }

    func handleDeadline(_ program: EndpointProgram) {
        for connection in program.connections { work(on: connection, program) }
        guard let next = nextKeyUpdate, next <= program.now else { return }
        for connection in program.connections { connection.updateKeys() }
        nextKeyUpdate = keyUpdateInterval.map { program.now + $0 }
    }

    private func work(on connection: SimulatedConnection, _ program: EndpointProgram) {
        guard let number = sessions[connection.handle]?.traffic.connection else { return }
        do {
            try sessions[connection.handle]?.traffic.handleDeadline(of: connection, now: program.now)
        } catch {
            program.complain("server: a reset: \(error)")
        }
        sessions[connection.handle]?.datagrams.handleDeadline(of: connection, program)
        if let code = book.codeToClose(number) { connection.close(code: code) }
    }
}
