import GodwitCore
import GodwitWire

/// What the two ends of a run's connections have agreed on beforehand, and how far each has come.
///
/// Streams carry nothing but the bytes of a ``PayloadPattern``, so what a request asks for stands here.
final class WorkloadBook {
    private struct Account {
        var plan: SessionPlan
        var streams: [StreamID: (plan: StreamPlan, opener: Role)] = [:]
        /// Announced before the client knew that the connection lasts.
        var announced: [(direction: StreamDirection, end: StreamEnd)] = []
        /// The streams that the server has yet to open, the last one first.
        var owed: [StreamPlan]
        /// How many datagrams each end has yet to send.
        var datagramsToSend: [Role: Int] = [:]
        var isConfirmed = false
        var isLost = false
        /// Whether the server is to close as soon as everything is done.
        var awaitsServerClose = false
        var close: (code: UInt64, by: Role)?
        var earlyDataTakenBy: ConnectionHandle?
    }

    let payload = PayloadChecker()
    let datagrams = DatagramChecker()
    let agreement = AgreementChecker()
    /// The idle timeout that both ends come to.
    let idleTimeout: TimeSpan
    /// Whether a server that is started again says so to the clients of the one before.
    let lossIsTold: Bool
    /// Whether the transports of the two ends take datagrams.
    var serverTakesDatagrams = false
    var clientTakesDatagrams = false
    private(set) var features: Set<WorkloadFeature> = []
    private var accounts: [UInt64: Account] = [:]

    init(idleTimeout: TimeSpan, lossIsTold: Bool) {
        self.idleTimeout = idleTimeout
        self.lossIsTold = lossIsTold
    }

    func note(_ feature: WorkloadFeature) { features.insert(feature) }

    // MARK: Connections

    /// A client has begun a connection, which is to do this.
    func begin(_ connection: UInt64, _ plan: SessionPlan) {
        accounts[connection] = Account(plan: plan, owed: plan.serverStreams.reversed())
        for sender in [Role.client, .server] {
            accounts[connection]?.datagramsToSend[sender] = plan.datagrams?.count(sender) ?? 0
        }
    }

    func plan(of connection: UInt64) -> SessionPlan? { accounts[connection]?.plan }

    /// From now on the connection has to last, and everything announced on it to come to its end.
    ///
    /// - Parameter isFlawless: whether nothing on its way gets lost.
    func confirm(_ connection: UInt64, isFlawless: Bool) {
        accounts[connection]?.isConfirmed = true
        guard accounts[connection]?.isLost == false else { return }
        agreement.expect(connection: connection)
        for (direction, end) in accounts[connection]?.announced ?? [] { payload.expect(direction, end) }
        accounts[connection]?.announced = []
        if isFlawless { datagrams.expectAll(on: connection) }
    }

    /// A server's application was given early data of a connection.
    /// - Returns: false if another connection of that server was given it before, as when somebody sends a
    ///   client's first flight once more (RFC 8446 section 8).
    func takeEarlyData(of connection: UInt64, by server: ConnectionHandle) -> Bool {
        guard let first = accounts[connection]?.earlyDataTakenBy else {
            accounts[connection]?.earlyDataTakenBy = server
            return true
        }
        return first == server
    }

    func isConfirmed(_ connection: UInt64) -> Bool { accounts[connection]?.isConfirmed ?? false }

    /// The server has lost what it knew of the connection.
    func lose(_ connection: UInt64) {
        accounts[connection]?.isLost = true
        payload.release(connection: connection)
        datagrams.release(connection: connection)
        agreement.release(connection: connection)
    }

    func isLost(_ connection: UInt64) -> Bool { accounts[connection]?.isLost ?? false }

    /// Whether all that the ends of a connection are to do is done, and known to be at both.
    func isSettled(_ connection: UInt64) -> Bool {
        guard let account = accounts[connection], account.isConfirmed else { return false }
        return account.owed.isEmpty && account.datagramsToSend.values.allSatisfy { $0 == 0 }
            && payload.isComplete(connection: connection)
            && !datagrams.isWaiting(on: connection)
    }

    // MARK: Streams

    /// Announces what is to happen on a stream that was opened.
    func announce(_ stream: StreamID, of connection: UInt64, _ plan: StreamPlan, opener: Role) {
        accounts[connection]?.streams[stream] = (plan, opener)
        for sender in [Role.client, .server] {
            guard let end = plan.sent(by: sender, opener: opener)?.end else { continue }
            let direction = StreamDirection(connection: connection, stream: stream.rawValue, sender: sender)
            expect(direction, end)
        }
    }

    private func expect(_ direction: StreamDirection, _ end: StreamEnd) {
        if isConfirmed(direction.connection) {
            payload.expect(direction, end)
        } else {
            accounts[direction.connection]?.announced.append((direction, end))
        }
    }

    /// What an end of a connection sends on a stream.
    func sent(by sender: Role, on stream: StreamID, of connection: UInt64) -> DirectionPlan? {
        guard let (plan, opener) = accounts[connection]?.streams[stream] else { return nil }
        return plan.sent(by: sender, opener: opener)
    }

    func plan(of stream: StreamID, of connection: UInt64) -> StreamPlan? {
        accounts[connection]?.streams[stream]?.plan
    }

    /// The stream that the server is to open next.
    func owed(by connection: UInt64) -> StreamPlan? { accounts[connection]?.owed.last }

    func notePaid(by connection: UInt64) { _ = accounts[connection]?.owed.popLast() }

    // MARK: Datagrams

    func datagramsToSend(by sender: Role, on connection: UInt64) -> Int {
        accounts[connection]?.datagramsToSend[sender] ?? 0
    }

    /// The datagram, if there was one, was taken by the transport; else the peer doesn't take any.
    func noteDatagram(_ bytes: [UInt8]?, by sender: Role, on connection: UInt64) {
        guard let bytes else {
            accounts[connection]?.datagramsToSend[sender] = 0
            return
        }
        accounts[connection]?.datagramsToSend[sender, default: 1] -= 1
        datagrams.send(bytes, on: connection, by: sender)
    }

    // MARK: Ends

    /// Has the server close the connection.
    func askServerToClose(_ connection: UInt64) { accounts[connection]?.awaitsServerClose = true }

    /// The code that the server is to close with now.
    func codeToClose(_ connection: UInt64) -> UInt64? {
        guard let account = accounts[connection], account.awaitsServerClose, account.close == nil,
            case .closedByServer(let code) = account.plan.ending
        else { return nil }
        return code
    }

    func noteClosed(_ connection: UInt64, code: UInt64, by role: Role) {
        if accounts[connection]?.close == nil { accounts[connection]?.close = (code, role) }
    }

    /// The code that the other end closed with, which may never have arrived (RFC 9000 section 10.2.1).
    func closeCode(of connection: UInt64, by role: Role) -> UInt64? {
        accounts[connection]?.close.flatMap { $0.by == role ? $0.code : nil }
    }
}
