import GodwitCore
import GodwitWire

/// How a connection ended, in words that are the same at both ends if they agree.
struct WorkloadEnd: CustomStringConvertible {
    let description: String
    /// What is wrong with the end, as far as one side can tell.
    let complaint: String?

    /// - Parameter silence: how long nothing has come.
    init(
        _ book: WorkloadBook, role: Role, _ reason: ConnectionCloseReason, version: QUICVersion?,
        traffic: StreamTraffic, silence: TimeSpan
    ) {
        let (up, down) =
            role == .client
            ? (traffic.sentTotal, traffic.receivedTotal) : (traffic.receivedTotal, traffic.sentTotal)
        let end = Self.outcome(reason, of: traffic.connection, role, book)
        description = "\(end) after \(up) B up and \(down) B down in \(version.map { "\($0)" } ?? "?")"
        complaint = Self.judge(reason, silence, book)
        if reason == .idleTimeout { book.note(.idleTimeout) }
        if reason == .statelessReset { book.note(.statelessReset) }
    }

    /// A CONNECTION_CLOSE that is lost is not repeated for long. Then a server finds out by silence, and a
    /// client by silence or a reset (RFC 9000 section 10.2.1).
    private static func outcome(
        _ reason: ConnectionCloseReason, of connection: UInt64, _ role: Role, _ book: WorkloadBook
    ) -> String {
        switch reason {
        case .application(let code, _, _): return "closed with \(code)"
        case .idleTimeout, .statelessReset:
            if let code = book.closeCode(of: connection, by: role.peer) { return "closed with \(code)" }
            let wanted = role == .server ? ConnectionCloseReason.idleTimeout : .statelessReset
            let isAsPlanned = book.plan(of: connection)?.ending == .oversleep && reason == wanted
            return isAsPlanned ? "overslept" : "\(reason)"
        default: return "\(reason)"
        }
    }

    /// RFC 9000 section 10.1: not before the timeout. Sending may put it off once by as much, and three probe
    /// timeouts are the least.
    private static func judge(
        _ reason: ConnectionCloseReason, _ silence: TimeSpan, _ book: WorkloadBook
    ) -> String? {
        guard reason == .idleTimeout else { return nil }
        let latest = book.idleTimeout + book.idleTimeout + .seconds(60)
        if silence < book.idleTimeout { return "idle after \(silence), \(book.idleTimeout) is the timeout" }
        return silence > latest ? "not idle until after \(silence)" : nil
    }
}
