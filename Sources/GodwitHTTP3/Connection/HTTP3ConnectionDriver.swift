import Godwit
import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import HTTPTypes
import Logging
import NIOCore

/// An HTTP/3 connection on its event loop: carries bytes and news between the transport and the protocol's
/// machine, and carries out what the machine wants.
class HTTP3ConnectionDriver: ConnectionHandler, @unchecked Sendable {
    // But for what never changes, all of it is touched on the event loop alone; that makes the class
    // `Sendable`.

    let quic: QUICConnection
    let port: ConnectionPort
    let logger: Logger
    let datagramLimit: Int

    var machine: HTTP3Connection
    var exchanges: [StreamID: Exchange] = [:]
    /// Frames on their way to the transport; kept so that none is allocated for each message.
    var scratch: [UInt8] = []
    /// As ``scratch``, for field lines.
    var section = FieldSection()

    /// Why the connection ended; nil while it has not.
    private(set) var closeReason: ConnectionCloseReason?
    /// How many messages were sent to their end that the peer has not acknowledged.
    var undelivered = 0
    /// Whether the connection is closed as soon as everything is delivered.
    private(set) var closesWhenDelivered = false
    var closeWaiters = Waiters()

    private var ownStreams: [StreamID] = []
    private var hasStarted = false
    /// What the machine wants, as far as it could not be done at once.
    private var actions: ContiguousArray<HTTP3Action?> = []
    private var isPerforming = false
    private var resumed: [StreamID] = []
    private var alarm = Instant.distantFuture
    private var alarmTask: Scheduled<Void>?

    /// How much is read of a stream at a time. Before the header section has come that is little, so that no
    /// more content than this is taken before somebody asks for it.
    static let headPiece = 4 << 10
    static let contentPiece = 64 << 10

    init(_ quic: QUICConnection, _ machine: HTTP3Connection, datagramLimit: Int, logger: Logger) {
        self.quic = quic
        self.machine = machine
        self.logger = logger
        self.datagramLimit = datagramLimit
        port = ConnectionPort(quic)
    }

    // MARK: For the roles

    /// What the machine tells of requests and the connection.
    func perform(_ action: HTTP3Action) {}
    /// The peer opened a bidirectional stream.
    func requestOpened(_ id: StreamID, isEarly: Bool) {}
    /// Nothing more happens on an exchange.
    func exchangeEnded(_ exchange: Exchange) {}
    /// The peer took too long.
    func timedOut(_ exchange: Exchange, _ timeout: HTTP3Timeout) {}
    /// A task begins to wait for content.
    func contentAwaited(_ exchange: Exchange) {}
    /// A task that was cancelled has tried to read content.
    func readingCancelled(_ exchange: Exchange) {}
    /// Nobody has the body of a response any more.
    func bodyDropped(_ exchange: Exchange) {}
    func onHandshakeCompleted() {}
    func onStreamCredit() {}
    func onResumption() {}
    func onClosed(_ reason: ConnectionCloseReason) {}

    // MARK: Life

    /// Takes the connection over; to be called on its event loop.
    func begin() {
        port.install(self)
        openOwnStreams()
    }

    /// Opens our control and QPACK streams, as soon as the peer allows (RFC 9114 section 6.2).
    private func openOwnStreams() {
        guard !hasStarted, closeReason == nil else { return }
        while ownStreams.count < 3 {
            guard let id = port.openStream(.unidirectional) else { return }
            port.setPriority(StreamPriority(urgency: 0), of: id)
            ownStreams.append(id)
        }
        hasStarted = true
        machine.start(
            OwnStreams(
                control: ownStreams[0], encoder: ownStreams[1], decoder: ownStreams[2],
                reserved: port.openStream(.unidirectional)))
        performActions()
        writePending()
    }

    /// Sends what waits for our control and QPACK streams.
    func writePending() {
        guard hasStarted, machine.hasPendingBytes else { return }
        machine.writePendingBytes { id, bytes, fin in (try? port.write(bytes, to: id, fin: fin)) ?? 0 }
    }

    /// Closes the connection; the peer is told at the end of the turn.
    func close(_ code: HTTP3ErrorCode, _ reason: String = "") {
        guard closeReason == nil else { return }
        port.close(code: code.rawValue, reason: reason)
    }

    /// Closes the connection as soon as the peer has everything that was sent to its end.
    func closeWhenDelivered() {
        closesWhenDelivered = true
        closeIfDelivered()
    }

    private func closeIfDelivered() {
        if closesWhenDelivered, undelivered <= 0 { close(.noError) }
    }

    /// Begins to take no more requests, and tells the peer (RFC 9114 section 5.2). When the peer has heard of
    /// it and what is under way has ended, the connection is closed.
    func drain() {
        guard closeReason == nil else { return }
        machine.beginShutdown()
        afterCall()
        // Requests that are on their way now are still taken: the second step comes when they must have
        // arrived.
        let pause = TimeAmount.nanoseconds(max(1_000_000, TimeSpan(port.roundTripTime).nanoseconds))
        port.eventLoop.scheduleTask(in: pause) {
            guard self.closeReason == nil else { return }
            self.machine.completeShutdown()
            self.afterCall()
        }
    }

    /// After the machine was called: does what it wants, and sends what it has.
    func afterCall() {
        performActions()
        writePending()
    }

    // MARK: ConnectionHandler

    func streamOpened(_ id: StreamID, isEarly: Bool) {
        machine.streamOpened(id, inEarlyData: isEarly)
        if id.direction == .bidirectional { requestOpened(id, isEarly: isEarly) }
        performActions()
    }

    func streamReadable(_ id: StreamID) {
        guard id.direction == .bidirectional else { return readAll(id) }
        guard let exchange = exchanges[id] else { return }
        if exchange.inbound.isHead { return readHead(exchange) }
        exchange.inbound.readers.wakeAll()
    }

    func streamWritable(_ id: StreamID) {
        if let exchange = exchanges[id] { writeBacklog(exchange) } else { writePending() }
    }

    func streamReset(_ id: StreamID, code: UInt64) {
        dropUnheard(id, .reset(stream: id, code: HTTP3ErrorCode(rawValue: code)))
        machine.receiveReset(of: id, code: code)
        performActions()
    }

    func streamStopped(_ id: StreamID, code: UInt64) {
        noteSettled(id)
        dropUnheard(id, .stopped(stream: id, code: HTTP3ErrorCode(rawValue: code)))
        machine.receiveStopSending(of: id, code: code)
        performActions()
        // For the machine a message has ended before the transport has taken all of it.
        if let exchange = exchanges[id], !exchange.outbound.isOver {
            perform(.stoppedByPeer(id, code: HTTP3ErrorCode(rawValue: code)))
        }
    }

    func streamDelivered(_ id: StreamID) { noteSettled(id) }

    func streamsAvailable(_ direction: StreamID.Direction) {
        if direction == .unidirectional { openOwnStreams() } else { onStreamCredit() }
    }

    func datagramsReadable() {
        while let bytes = port.readDatagram() {
            bytes.withUnsafeBytes { bytes in
                machine.receiveDatagram(bytes)
                collect(from: bytes, for: nil)
            }
        }
        performActions()
    }

    func handshakeCompleted(_ summary: HandshakeSummary) {
        // Nothing is told of early data that was not even offered, and the server's settings need not fit any.
        if !summary.earlyDataAccepted { machine.earlyDataRejected() }
        openOwnStreams()
        onHandshakeCompleted()
    }

    func earlyDataRejected() {
        machine.earlyDataRejected()
        performActions()
    }

    func resumptionAvailable() { onResumption() }

    func eventsTold() { writePending() }

    func connectionClosed(_ reason: ConnectionCloseReason) {
        closeReason = reason
        alarmTask?.cancel()
        alarmTask = nil
        for exchange in exchanges.values { exchange.fail(.connectionClosed(reason)) }
        let ended = exchanges.values
        exchanges.removeAll()
        for exchange in ended { exchangeEnded(exchange) }
        closeWaiters.wakeAll()
        onClosed(reason)
    }

    private func noteSettled(_ id: StreamID) {
        // An exchange that is over is forgotten here before its end was acknowledged.
        if let exchange = exchanges[id], !exchange.outbound.isAwaitingDelivery { return }
        exchanges[id]?.outbound.isAwaitingDelivery = false
        guard id.direction == .bidirectional else { return }
        undelivered -= 1
        closeIfDelivered()
    }

    // MARK: Actions

    /// Does what the machine wants.
    func performActions() {
        guard !isPerforming else { return }
        isPerforming = true
        repeat {
            var index = 0
            while index < actions.count {
                // Out of its place, so that its fields have one owner and their memory can be used again.
                var action: HTTP3Action?
                swap(&action, &actions[index])
                if let action { carryOut(action) }
                recycle(action.take())
                index += 1
            }
            actions.removeAll(keepingCapacity: true)
            while let action = machine.nextAction() { actions.append(action) }
        } while !actions.isEmpty
        isPerforming = false
        while let id = resumed.popLast() { streamReadable(id) }
    }

    /// Gives fields back that were converted.
    private func recycle(_ action: consuming HTTP3Action?) {
        switch action {
        case .request(_, let head)?: machine.recycle(head.fields)
        case .response(_, let head)?, .informationalResponse(_, let head)?: machine.recycle(head.fields)
        case .trailers(_, let fields)?: machine.recycle(fields)
        default: break
        }
    }

    /// Takes from the machine what it made of bytes, while they are still there.
    private func collect(from bytes: UnsafeRawBufferPointer, for exchange: Exchange?) {
        while let action = machine.nextAction() {
            switch action {
            case .data(_, let range): exchange?.inbound.append(UnsafeRawBufferPointer(rebasing: bytes[range]))
            case .datagram(let id, let range):
                exchanges[id]?.datagrams.append(ByteBuffer(bytes: bytes[range]), limit: datagramLimit)
            default: actions.append(action)
            }
        }
    }

    private func carryOut(_ action: HTTP3Action) {
        switch action {
        case .trailers(let id, let fields): exchanges[id]?.inbound.trailers = HTTPFields(fields)
        case .end(let id): if let exchange = exchanges[id] { onEnd(exchange) }
        case .resume(let id): resumed.append(id)
        case .resetStream(let id, let code): reset(id, code)
        case .stopSending(let id, let code): port.stopSending(id, code: code.rawValue)
        case .closeConnection(let error): close(error.code, error.reason)
        case .drained: closeWhenDelivered()
        case .failed(let id, let error): if let exchange = exchanges[id] { onFailed(exchange, error) }
        case .data, .datagram: break
        default: perform(action)
        }
    }

    private func onEnd(_ exchange: Exchange) {
        exchange.inbound.end()
        settle(exchange)
    }

    private func onFailed(_ exchange: Exchange, _ error: HTTP3Error) {
        let isRejected = machine.role == .client && error.code == .requestRejected
        exchange.fail(
            isRejected ? .rejected(stream: exchange.id) : .malformed(stream: exchange.id, error))
        logger.debug("request failed", metadata: metadata(of: exchange, ["error": "\(error)"]))
        settle(exchange)
    }

    private func reset(_ id: StreamID, _ code: HTTP3ErrorCode) {
        if let exchange = exchanges[id], exchange.outbound.isAwaitingDelivery { noteSettled(id) }
        port.reset(id, code: code.rawValue)
        dropUnheard(id, .rejected(stream: id))
    }

    /// Forgets a request that was given up before its header section came; of those the machine says no more.
    private func dropUnheard(_ id: StreamID, _ failure: HTTP3Failure) {
        guard machine.role == .server, let exchange = exchanges[id], exchange.inbound.isHead else { return }
        exchange.fail(failure)
        settle(exchange)
    }

    /// Forgets an exchange that is over.
    func settle(_ exchange: Exchange) {
        guard exchange.isOver, exchanges.removeValue(forKey: exchange.id) != nil else { return }
        exchangeEnded(exchange)
    }

    func metadata(of exchange: Exchange, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        ["remote": "\(port.remoteAddress)", "stream": "\(exchange.id)"].merging(more) { $1 }
    }
}

// MARK: Reading

extension HTTP3ConnectionDriver {
    /// Reads one of the peer's control and QPACK streams.
    private func readAll(_ id: StreamID) { while read(id, upTo: Self.contentPiece, for: nil) {} }

    /// Reads until the header section is there, and little more.
    func readHead(_ exchange: Exchange) {
        while read(exchange.id, upTo: Self.headPiece, for: exchange), exchange.inbound.isHead {}
    }

    /// Gives the machine what has come on a stream, and does what it wants. Returns whether there may be
    /// more.
    @discardableResult
    func read(_ id: StreamID, upTo limit: Int, for exchange: Exchange?) -> Bool {
        var mayHaveMore = false
        do {
            var isStuck = false
            let result = try port.read(from: id) { bytes in
                let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(limit))
                let count = machine.receive(piece, on: id, fin: false)
                collect(from: piece, for: exchange)
                isStuck = count < piece.count
                return count
            }
            mayHaveMore = result.remaining > 0 && !isStuck && result.consumed > 0
            if result.isFinished {
                _ = machine.receive(UnsafeRawBufferPointer(start: nil, count: 0), on: id, fin: true)
            }
        } catch {
            if case .resetByPeer(let code) = error { return receiveReset(id, code) }
        }
        performActions()
        return mayHaveMore && closeReason == nil
    }

    private func receiveReset(_ id: StreamID, _ code: UInt64) -> Bool {
        streamReset(id, code: code)
        return false
    }
}

// MARK: Time

extension HTTP3ConnectionDriver {
    /// Has ``checkDeadlines()`` called when an instant has come.
    func arm(_ deadline: Instant) {
        guard deadline < alarm else { return }
        alarm = deadline
        alarmTask?.cancel()
        let span = TimeAmount.nanoseconds(max(0, (deadline - port.now).nanoseconds))
        alarmTask = port.eventLoop.scheduleTask(in: span) {
            self.alarm = .distantFuture
            self.checkDeadlines()
        }
    }

    private func checkDeadlines() {
        guard closeReason == nil else { return }
        let now = port.now
        var next = Instant.distantFuture
        for exchange in exchanges.values {
            if exchange.inbound.deadline <= now {
                expire(exchange, \.inbound.deadline, exchange.inbound.isHead ? headTimeout : .content)
            }
            if exchange.outbound.deadline <= now { expire(exchange, \.outbound.deadline, .sending) }
            next = min(next, exchange.inbound.deadline, exchange.outbound.deadline)
        }
        if next < .distantFuture { arm(next) }
    }

    private var headTimeout: HTTP3Timeout { machine.role == .server ? .requestHeaders : .responseHeaders }

    private func expire(
        _ exchange: Exchange, _ deadline: ReferenceWritableKeyPath<Exchange, Instant>, _ timeout: HTTP3Timeout
    ) {
        exchange[keyPath: deadline] = .distantFuture
        timedOut(exchange, timeout)
    }
}
