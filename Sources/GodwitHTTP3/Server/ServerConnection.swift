import Godwit
import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import HTTPTypes
import Logging
import NIOCore

/// A client's connection: turns what comes into requests for handlers.
final class ServerConnection: HTTP3ConnectionDriver, @unchecked Sendable {
    let loop: ServerLoop
    let contentIdleTime: TimeSpan?
    let sendingIdleTime: TimeSpan?
    private let headerTime: TimeSpan
    private let limits: HTTP3ServerLimits

    static let smallContent = 16 << 10

    /// How many handlers have a request of this connection.
    private var runningHandlers = 0
    private var cancellations: TokenBucket
    private var limitsHit: Set<String> = []

    init(_ quic: QUICConnection, on loop: ServerLoop) {
        self.loop = loop
        limits = loop.configuration.limits
        headerTime = TimeSpan(limits.requestHeaderTime)
        contentIdleTime = TimeSpan(limits.contentIdleTime)
        sendingIdleTime = TimeSpan(limits.sendingIdleTime)
        cancellations = TokenBucket(
            capacity: limits.cancelledRequests, refillsPerSecond: limits.cancelledRequestsPerSecond)
        super.init(
            quic, HTTP3Connection(role: .server, configuration: loop.configuration.machine),
            datagramLimit: limits.waitingDatagrams, logger: loop.configuration.logger)
    }

    // MARK: What the machine tells

    override func perform(_ action: HTTP3Action) {
        switch action {
        case .request(let id, let head): onRequest(id, head)
        case .fieldSectionTooLarge(let id): onFieldSectionTooLarge(id)
        case .priority(let id, let priority): setPriority(priority, of: id)
        case .resetByPeer(let id, let code): onReset(id, code)
        case .stoppedByPeer(let id, let code): onStopped(id, code)
        default: break
        }
    }

    override func requestOpened(_ id: StreamID, isEarly: Bool) {
        let now = port.now
        let exchange = ServerExchange(id, of: self, openedAt: now)
        exchanges[id] = exchange
        exchange.inbound.deadline = now + headerTime
        arm(exchange.inbound.deadline)
    }

    private func exchange(_ id: StreamID) -> ServerExchange? {
        exchanges[id].map { unsafeDowncast($0, to: ServerExchange.self) }
    }

    private func onRequest(_ id: StreamID, _ head: RequestHead) {
        guard let exchange = exchange(id) else { return }
        exchange.inbound.state = .content
        exchange.inbound.deadline = .distantFuture
        exchange.inbound.contentLength = head.contentLength.map { Int(clamping: $0) }
        exchange.isEarlyData = head.isEarlyData
        setPriority(head.priority, of: id)
        if head.method == .head { exchange.outbound.omitsContent = true }
        if let limit = limits.contentSize { exchange.inbound.limit = limit }
        if loop.configuration.onRequestEnd != nil { exchange.recordedRequest = HTTPRequest(head) }
        if let status = refusal(head) { return refuse(exchange, status) }
        guard runningHandlers < limits.runningHandlers else { return rejectForWantOfHandlers(exchange) }
        exchange.awaitsContinue = expectsContinue(head)
        exchange.request = exchange.recordedRequest ?? HTTPRequest(head)
        exchange.isDispatched = true
        runningHandlers += 1
        loop.dispatch(exchange)
    }

    /// The status for a request that no handler gets to see.
    private func refusal(_ head: borrowing RequestHead) -> Int? {
        // RFC 8470 section 5.2.
        if head.isEarlyData, !takesEarly(head.method) { return 425 }
        if head.fields.count > HTTPFields.largestCount { return noteLimit("fieldSectionSize", 431) }
        if let limit = limits.contentSize, let length = head.contentLength, length > UInt64(limit) {
            return noteLimit("contentSize", 413)
        }
        return nil
    }

    private func takesEarly(_ method: RequestMethod) -> Bool {
        switch loop.configuration.earlyData {
        case .safeRequests: method.isSafe
        case .allRequests: true
        case .noRequests: false
        }
    }

    /// Whether the client waits for a 100 before it sends content; whoever has sent all of it does not.
    private func expectsContinue(_ head: borrowing RequestHead) -> Bool {
        guard head.method != .get, head.method != .head else { return false }
        return head.fields.contains { $0.nameIs("expect") && $0.valueIs("100-continue") }
    }

    private func onFieldSectionTooLarge(_ id: StreamID) {
        guard let exchange = exchange(id) else { return }
        _ = noteLimit("fieldSectionSize", 431)
        let failure = HTTP3Failure.fieldSectionTooLarge(stream: id, limit: limits.fieldSectionSize)
        let isTrailers = exchange.isDispatched
        exchange.inbound.fail(failure)
        // In a trailer section it is the handler's reading that fails, and with it the handler.
        if !isTrailers { refuse(exchange, 431) } else { settle(exchange) }
    }

    private func onReset(_ id: StreamID, _ code: HTTP3ErrorCode) {
        guard let exchange = exchange(id) else { return }
        exchange.inbound.fail(.reset(stream: id, code: code))
        onCancelled(exchange)
        // Nobody can answer a request that never comes.
        if !exchange.isDispatched { cancel(exchange, .reset(stream: id, code: code)) }
        settle(exchange)
    }

    private func onStopped(_ id: StreamID, _ code: HTTP3ErrorCode) {
        guard let exchange = exchange(id) else { return }
        exchange.outbound.fail(.stopped(stream: id, code: code))
        onCancelled(exchange)
        settle(exchange)
    }

    private func onCancelled(_ exchange: ServerExchange) {
        exchange.cancelHandler()
        guard !exchange.isCountedAsCancelled else { return }
        exchange.isCountedAsCancelled = true
        loop.metrics.cancelled += 1
        guard !cancellations.take(now: port.now) else { return }
        _ = noteLimit("cancelledRequests", 0)
        close(.excessiveLoad, "requests are cancelled too fast")
    }

    override func timedOut(_ exchange: Exchange, _ timeout: HTTP3Timeout) {
        let failure = HTTP3Failure.timedOut(timeout)
        switch timeout {
        case .requestHeaders:
            _ = noteLimit("requestHeaderTime", 0)
            cancel(exchange, failure)
        case .content:
            _ = noteLimit("contentIdleTime", 0)
            stopReceiving(exchange, failure, code: .requestCancelled)
        default:
            _ = noteLimit("sendingIdleTime", 0)
            cancel(exchange, failure, code: .requestCancelled)
        }
    }

    // MARK: Answers

    /// Answers without a handler.
    private func refuse(_ exchange: ServerExchange, _ status: Int) {
        try? exchange.respond(status, [:], ByteBuffer())
        leaveRest(exchange)
    }

    private func rejectForWantOfHandlers(_ exchange: ServerExchange) {
        _ = noteLimit("runningHandlers", 0)
        cancel(exchange, .rejected(stream: exchange.id), code: .requestRejected)
    }

    /// Fills ``section`` with a response's head.
    func fillSection(_ status: Int, _ fields: HTTPFields, length: Int?) {
        section.removeAll(keepingCapacity: true)
        section.begin(status: status)
        var (hasDate, hasLength) = (false, false)
        for field in fields {
            if field.name == .date { hasDate = true }
            if field.name == .contentLength {
                // RFC 9110 section 8.6.
                if status == 204 { continue }
                hasLength = true
            }
            section.append(field)
        }
        if !hasDate, loop.configuration.addsDate { section.append(name: "date", value: loop.date.text) }
        guard let length, !hasLength, status != 204, status != 304 else { return }
        section.append(name: "content-length", value: String(length))
    }

    func setPriority(_ priority: HTTP3Priority, of id: StreamID) {
        guard let exchange = exchange(id) else { return }
        exchange.priority = priority
        port.setPriority(
            StreamPriority(urgency: priority.urgency, isIncremental: priority.isIncremental), of: id)
    }

    // MARK: Handlers

    func handlerEnded(_ exchange: ServerExchange) {
        runningHandlers -= 1
        leaveRest(exchange)
    }

    /// The response is complete, so the rest of the request is of no use (RFC 9114 section 4.1).
    private func leaveRest(_ exchange: ServerExchange) {
        if !exchange.inbound.isOver { read(exchange.id, upTo: Self.contentPiece, for: exchange) }
        if !exchange.inbound.isOver { stopReceiving(exchange, .cancelled(stream: exchange.id)) }
        settle(exchange)
    }

    override func exchangeEnded(_ exchange: Exchange) {
        let exchange = unsafeDowncast(exchange, to: ServerExchange.self)
        loop.metrics.noteAnswered(exchange.status)
        if let onRequestEnd = loop.configuration.onRequestEnd { onRequestEnd(HTTP3RequestRecord(exchange)) }
        if closeReason != nil { return exchange.cancelHandler() }
        switch exchange.inbound.failure {
        case .reset?, .stopped?: onCancelled(exchange)
        default: break
        }
    }

    override func contentAwaited(_ exchange: Exchange) {
        let exchange = unsafeDowncast(exchange, to: ServerExchange.self)
        guard exchange.awaitsContinue, exchange.outbound.isHead else { return }
        try? exchange.sendInformational(HTTPResponse(status: .continue))
    }

    override func onClosed(_ reason: ConnectionCloseReason) { loop.connectionClosed(self) }

    // MARK: Limits

    /// Says that a limit was hit; returns `status`.
    private func noteLimit(_ name: String, _ status: Int) -> Int {
        loop.metrics.noteLimit(name)
        guard limitsHit.insert(name).inserted else { return status }
        logger.notice("limit hit", metadata: ["limit": "\(name)", "remote": "\(port.remoteAddress)"])
        return status
    }
}
