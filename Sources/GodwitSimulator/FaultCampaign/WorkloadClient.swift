import GodwitCore
import GodwitWire

/// A client of a fault campaign: several connections to the server, one after the other or at the same time.
final class WorkloadClient: EndpointApplication {
    private let sessions: [ClientSession]
    let context: ClientContext

    init(_ plans: [SessionPlan], _ context: ClientContext) {
        self.context = context
        sessions = plans.map { ClientSession($0, context) }
    }

    /// Whether the work is done, or can't be.
    var isOver: Bool { sessions.allSatisfy(\.isOver) }

    func start(_ program: EndpointProgram) {
        for session in sessions {
            if case .at(let delay) = session.plan.start { session.wait(until: program.now + delay) }
        }
        handleDeadline(program)
    }

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        guard let index = sessions.firstIndex(where: { $0.connection?.handle == connection.handle }) else {
            return
        }
        sessions[index].happened(event, program)
        if sessions[index].isOver { begin(after: index, program) }
        if sessions.count(where: \.isConfirmedAndRunning) > 1 { context.book.note(.severalConnections) }
    }

    private func begin(after finished: Int, _ program: EndpointProgram) {
        for session in sessions {
            if case .after(finished) = session.plan.start, case .dormant = session.state {
                session.wait(until: program.now)
            }
        }
    }

    var nextDeadline: Instant? { sessions.lazy.map(\.nextDeadline).min() }

    func handleDeadline(_ program: EndpointProgram) {
        for (index, session) in sessions.enumerated() where session.nextDeadline <= program.now {
            session.handleDeadline(program)
            if session.isOver { begin(after: index, program) }
        }
    }

    func resume(_ program: EndpointProgram) {
        for session in sessions { session.resume(program) }
    }
}

extension ClientSession {
    fileprivate var isConfirmedAndRunning: Bool { isRunning && isConfirmed }
}
