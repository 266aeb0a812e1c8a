import GodwitCore
import GodwitWire

/// The server of a fault campaign: reads every stream to its end and answers those that can be answered.
final class WorkloadServer: EndpointApplication {
    private struct Session {
        var traffic: PatternTraffic
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

    func accepted(_ connection: SimulatedConnection, _ program: EndpointProgram) {
        let traffic = PatternTraffic(connection: connection.number, role: .server)
        sessions[connection.handle] = Session(traffic: traffic)
    }

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        switch event {
        case .handshakeConfirmed:
            sessions[connection.handle]?.isConfirmed = true
            sessions[connection.handle]?.version = connection.core?.version
        case .stream(let event):
            do { try happened(event, on: connection, program) } catch {
                program.complain("server: \(event) of \(connection.handle): \(error)")
            }
        case .closed(let reason): closed(reason, connection, program)
        default: break
        }
    }

    private func happened(
        _ event: StreamEvent, on connection: SimulatedConnection, _ program: EndpointProgram
    ) throws {
        switch event {
        case .opened(let stream), .readable(let stream): try read(stream, of: connection, program)
        case .writable(let stream): try sessions[connection.handle]?.traffic.goOn(stream, of: connection)
        case .finished, .streamsAvailable: break
        case .resetByPeer, .stopSendingByPeer: program.complain("server: \(event), which nobody asked for")
        }
    }

    private func read(_ stream: StreamID, of connection: SimulatedConnection, _ program: EndpointProgram)
        throws
    {
        guard var session = sessions[connection.handle] else { return }
        defer { sessions[connection.handle] = session }
        let hasEnded = try session.traffic.receive(stream, of: connection, reportingTo: program.host)
        guard hasEnded, stream.direction == .bidirectional else { return }
        let size = book.response(to: stream, of: session.traffic.connection)
        try session.traffic.send(size, on: stream, of: connection)
    }

    private func closed(
        _ reason: ConnectionCloseReason, _ connection: SimulatedConnection, _ program: EndpointProgram
    ) {
        guard let session = sessions.removeValue(forKey: connection.handle) else { return }
        let number = session.traffic.connection
        // Unless the client gave up before it could know of the server's view.
        guard session.isConfirmed, book.isConfirmed(number) else { return }
        let end = WorkloadEnd(
            version: session.version, upwards: session.traffic.receivedTotal,
            downwards: session.traffic.sentTotal,
            reason: reason, closeCode: book.closeCode(of: number))
        program.host.report(.ended(connection: number, role: .server, outcome: end.description))
    }

    // MARK: Key updates

    var nextDeadline: Instant? { sessions.isEmpty ? nil : nextKeyUpdate }

    func handleDeadline(_ program: EndpointProgram) {
        for connection in program.connections { connection.updateKeys() }
        nextKeyUpdate = keyUpdateInterval.map { program.now + $0 }
    }
}

/// How a connection ended, in words that are the same at both ends if they agree.
struct WorkloadEnd: CustomStringConvertible {
    let description: String

    /// - Parameter closeCode: what the client is known to have closed with. A CONNECTION_CLOSE that is lost is
    ///   not repeated for long, and then a server finds out by silence (RFC 9000 section 10.2.1).
    init(
        version: QUICVersion?, upwards: UInt64, downwards: UInt64, reason: ConnectionCloseReason,
        closeCode: UInt64?
    ) {
        let end =
            switch reason {
            case .application(let code, _, _): "closed with \(code)"
            case .idleTimeout: closeCode.map { "closed with \($0)" } ?? "\(reason)"
            default: "\(reason)"
            }
        description =
            "\(end) after \(upwards) B up and \(downwards) B down in \(version.map { "\($0)" } ?? "?")"
    }
}
