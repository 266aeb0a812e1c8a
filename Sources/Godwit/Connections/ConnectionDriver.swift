import GodwitCore
import GodwitCrypto
import GodwitMigration
import GodwitWire
import Logging
import NIOCore
import Synchronization

/// A connection on its event loop: the core's, and the tasks that wait for it.
final class ConnectionDriver: @unchecked Sendable {
    // But for what never changes, all of it is touched on the event loop alone; that makes the class
    // `Sendable`.

    let loop: EndpointLoop
    let core: Connection
    let handle: ConnectionHandle
    let role: Role
    let startedAt: Instant
    /// Whether the connection has ended, for those who are not on the event loop; which may be gone by then.
    let isOver = Atomic<Bool>(false)

    var streams: [StreamID: StreamDriver] = [:]
    /// Streams that the peer opened and nobody has taken.
    var incoming = CircularBuffer<StreamDriver>(initialCapacity: 4)
    var resumptions: [QUICResumption] = []
    var addressToken: [UInt8] = []

    private(set) var summary: HandshakeSummary?
    private(set) var closeReason: ConnectionCloseReason?
    /// Whether the listener's application has been offered the connection.
    var isAnnounced: Bool

    var incomingWaiters = Waiters()
    var streamCreditWaiters = Waiters()
    var datagramWaiters = Waiters()
    var handshakeWaiters = Waiters()
    var closeWaiters = Waiters()
    var resumptionWaiters = Waiters()
    var pathWaiters = Waiters()
    var deliveryWaiters = Waiters()
    /// Gets to know when an attempt to connect has succeeded or failed.
    var race: ConnectionRace?
    /// The protocol that serves the streams, if not tasks do.
    var handler: (any ConnectionHandler)?

    /// Those who want to hear of the server's moves; nil at a server.
    let migrationAudience: EventAudience<ClientMigrationEvent>?

    /// How many streams are finished whose end the peer has not acknowledged.
    var awaitedDeliveries = 0
    /// Whether nobody uses the connection any more, nor any of its streams.
    private var isAbandoned = false

    /// How many tickets are kept for an application that does not ask for them.
    private static let ticketsKept = 8

    init(_ core: Connection, on loop: EndpointLoop, isAnnounced: Bool) {
        self.core = core
        self.loop = loop
        self.isAnnounced = isAnnounced
        handle = core.handle
        role = core.role
        migrationAudience = core.role == .client ? EventAudience() : nil
        startedAt = loop.now()
    }

    var driver: LoopDriver { loop.driver }
    var isHandshakeComplete: Bool { summary != nil }

    // MARK: Events

    func handle(_ event: ConnectionEvent) {
        if let handler, case .stream(let event) = event { return tell(event, to: handler) }
        switch event {
        case .handshakeCompleted(let summary): onHandshakeCompleted(summary)
        case .handshakeConfirmed: handshakeWaiters.wakeAll()
        case .earlyDataRejected: loop.logger.debug("early data was not taken", metadata: logMetadata)
        case .stream(let event): handle(event)
        case .datagramsReadable: datagramWaiters.wakeAll()
        case .resumptionTicket(let ticket): onTicket(ticket)
        case .addressToken(let token): addressToken = token
        case .pathChanged(let local, let remote): onPathChanged(local, remote)
        case .closed(let reason): onClosed(reason)
        }
        if let handler { tell(event, to: handler) }
    }

    private func onHandshakeCompleted(_ summary: HandshakeSummary) {
        self.summary = summary
        loop.settings.metrics.noteOpened(handshake: loop.now() - startedAt)
        loop.logger.debug(
            "connection opened",
            metadata: logMetadata.merging(
                ["protocol": "\(summary.applicationProtocol)", "resumed": "\(summary.isResumed)"]) { $1 })
        handshakeWaiters.wakeAll()
        race?.onSuccess(self)
        announce()
    }

    private func onTicket(_ ticket: ResumptionTicket) {
        if resumptions.count == Self.ticketsKept { resumptions.removeFirst() }
        resumptions.append(
            QUICResumption(ticket: ticket, addressToken: addressToken, remoteAddress: core.remoteAddress))
        resumptionWaiters.wakeAll()
    }

    func takeResumption() -> QUICResumption? { resumptions.isEmpty ? nil : resumptions.removeFirst() }

    private func onPathChanged(_ local: NetworkAddress, _ remote: NetworkAddress) {
        loop.logger.debug(
            "connection moved",
            metadata: logMetadata.merging(["local": "\(local)", "remote": "\(remote)"]) { $1 })
        loop.onPathChanged()
        pathWaiters.wakeAll()
    }

    private func onClosed(_ reason: ConnectionCloseReason) {
        closeReason = reason
        isOver.store(true, ordering: .relaxed)
        loop.connections[handle] = nil
        if isHandshakeComplete { loop.settings.metrics.noteClosed(reason) }
        loop.logger.debug("connection closed", metadata: logMetadata.merging(["reason": "\(reason)"]) { $1 })
        race?.onFailure(self, reason)
        wakeEveryone()
        loop.onConnectionClosed()
    }

    private func wakeEveryone() {
        incomingWaiters.wakeAll()
        streamCreditWaiters.wakeAll()
        datagramWaiters.wakeAll()
        handshakeWaiters.wakeAll()
        closeWaiters.wakeAll()
        resumptionWaiters.wakeAll()
        pathWaiters.wakeAll()
        deliveryWaiters.wakeAll()
        migrationAudience?.end()
        for stream in streams.values { stream.wakeEveryone() }
    }

    /// Offers a client's connection to the listener's application, once it is worth its while: when the
    /// handshake is complete, or early data has come before that.
    private func announce() {
        guard !isAnnounced else { return }
        isAnnounced = true
        loop.acceptQueue?.offer(self)
    }

    // MARK: Streams

    private func handle(_ event: StreamEvent) {
        switch event {
        case .opened(let id): onOpened(id)
        case .readable(let id): streams[id]?.readers.wakeAll()
        case .resetByPeer(let id, let code): onReset(id, code)
        case .writable(let id): streams[id]?.writers.wakeAll()
        case .stopSendingByPeer(let id, let code): streams[id]?.onStoppedByPeer(code: code)
        case .finished(let id): streams[id]?.onAllAcknowledged()
        case .streamsAvailable: streamCreditWaiters.wakeAll()
        }
    }

    private func onOpened(_ id: StreamID) {
        let stream = StreamDriver(id, of: self, isEarly: !isHandshakeComplete)
        streams[id] = stream
        incoming.append(stream)
        incomingWaiters.wakeAll()
        announce()
    }

    /// A stream that was reset before anybody took it is none any more. Otherwise a peer that opens and
    /// resets streams, of which the core forgets each at once, could fill the queue without end.
    private func onReset(_ id: StreamID, _ code: UInt64) {
        guard let stream = streams[id] else { return }
        if stream.isTaken { return stream.onResetByPeer(code: code) }
        incoming.removeAll { $0 === stream }
        stream.abandon()
    }

    /// The next stream that the peer opened; nil when there is none now.
    func takeIncoming() -> StreamDriver? {
        let stream = incoming.popFirst()
        stream?.isTaken = true
        return stream
    }

    /// Nil while the peer allows no more streams.
    func openStream(_ direction: StreamID.Direction) throws -> StreamDriver? {
        if let closeReason { throw QUICError.connectionClosed(closeReason) }
        loop.markBusy()
        guard let id = core.openStream(direction) else { return nil }
        let stream = StreamDriver(id, of: self, isEarly: !isHandshakeComplete)
        stream.isTaken = true
        streams[id] = stream
        return stream
    }

    // MARK: Ending

    /// A finished stream has been delivered, or never will be.
    func onStreamSettled() {
        awaitedDeliveries -= 1
        guard awaitedDeliveries == 0 else { return }
        deliveryWaiters.wakeAll()
        if isAbandoned { close(code: loop.settings.cancellationCode, reason: "") }
    }

    /// Nobody uses the connection any more. What was finished is still delivered.
    func abandon() {
        isAbandoned = true
        if awaitedDeliveries == 0 { close(code: loop.settings.cancellationCode, reason: "") }
    }

    func close(code: UInt64, reason: String) {
        guard closeReason == nil else { return }
        core.close(code: code, reason: reason, now: loop.now())
        loop.flush()
    }
}
