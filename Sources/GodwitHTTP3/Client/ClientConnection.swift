import Godwit
import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import HTTPTypes
import Logging
import NIOCore
import Synchronization

/// A connection to a server: sends requests and hands out what comes back.
final class ClientConnection: HTTP3ConnectionDriver, @unchecked Sendable {
    let limits: HTTP3ClientLimits
    /// Whether new requests can be sent, for those who are not on the event loop.
    let isUsable = Atomic<Bool>(true)

    private(set) var settings: HTTP3Settings?
    private(set) var isGoingAway = false
    /// Tasks that wait for what they can't do without: another stream, the handshake, the server's settings;
    /// or for what ends it all.
    private var creditWaiters = Waiters()
    /// Whether the configuration leaves it to us to keep the connection alive.
    private let managesKeepAlive: Bool
    private var resumptionWaiters = Waiters()
    private var emptyWaiters = Waiters()

    init(_ quic: QUICConnection, _ configuration: HTTP3ClientConfiguration, remembered: HTTP3Settings?) {
        limits = configuration.limits
        managesKeepAlive = configuration.quic.transport.keepAliveInterval == nil
        super.init(
            quic,
            HTTP3Connection(
                role: .client, configuration: configuration.machine, rememberedSettings: remembered),
            datagramLimit: configuration.limits.waitingDatagrams, logger: configuration.logger)
    }

    // MARK: What the machine tells

    override func perform(_ action: HTTP3Action) {
        switch action {
        case .informationalResponse(let id, let head): exchange(id)?.onInformational?(HTTPResponse(head))
        case .response(let id, let head): onResponse(id, head)
        case .fieldSectionTooLarge(let id): onFieldSectionTooLarge(id)
        case .resetByPeer(let id, let code): onReset(id, code)
        case .stoppedByPeer(let id, let code): onStopped(id, code)
        case .settings(let settings): onSettings(settings)
        case .goaway: onGoaway()
        default: break
        }
    }

    private func exchange(_ id: StreamID) -> ClientExchange? {
        exchanges[id].map { unsafeDowncast($0, to: ClientExchange.self) }
    }

    private func onResponse(_ id: StreamID, _ head: ResponseHead) {
        guard let exchange = exchange(id) else { return }
        guard head.fields.count <= HTTPFields.largestCount else { return onFieldSectionTooLarge(id) }
        exchange.answer = HTTPResponse(head)
        exchange.inbound.state = .content
        exchange.inbound.contentLength = head.contentLength.map { Int(clamping: $0) }
        exchange.inbound.deadline = .distantFuture
        exchange.inbound.readers.wakeAll()
    }

    private func onFieldSectionTooLarge(_ id: StreamID) {
        guard let exchange = exchange(id) else { return }
        cancel(
            exchange, .fieldSectionTooLarge(stream: id, limit: limits.fieldSectionSize), code: .excessiveLoad)
    }

    private func onReset(_ id: StreamID, _ code: HTTP3ErrorCode) {
        guard let exchange = exchange(id) else { return }
        cancel(exchange, code == .requestRejected ? .rejected(stream: id) : .reset(stream: id, code: code))
    }

    private func onStopped(_ id: StreamID, _ code: HTTP3ErrorCode) {
        guard let exchange = exchange(id) else { return }
        exchange.outbound.fail(.stopped(stream: id, code: code))
        exchange.uploader?.cancel()
        settle(exchange)
    }

    private func onSettings(_ settings: HTTP3Settings) {
        self.settings = settings
        resumptionWaiters.wakeAll()
        // Requests of extended CONNECT wait for it.
        creditWaiters.wakeAll()
    }

    private func onGoaway() {
        isGoingAway = true
        isUsable.store(false, ordering: .relaxed)
        creditWaiters.wakeAll()
    }

    override func onHandshakeCompleted() {
        creditWaiters.wakeAll()
        // Only now the server's idle timeout is known.
        keepAlive()
    }

    /// While a response is awaited the connection must not end for want of traffic (RFC 9114 section 5.1).
    private func keepAlive() {
        if managesKeepAlive { port.keepAlive(!exchanges.isEmpty) }
    }

    override func onStreamCredit() { creditWaiters.wakeAll() }
    override func onResumption() { resumptionWaiters.wakeAll() }

    override func onClosed(_ reason: ConnectionCloseReason) {
        isUsable.store(false, ordering: .relaxed)
        creditWaiters.wakeAll()
        resumptionWaiters.wakeAll()
        emptyWaiters.wakeAll()
    }

    override func exchangeEnded(_ exchange: Exchange) {
        let exchange = unsafeDowncast(exchange, to: ClientExchange.self)
        exchange.uploader?.cancel()
        exchange.uploader = nil
        exchange.datagrams.readers.wakeAll()
        guard exchanges.isEmpty else { return }
        emptyWaiters.wakeAll()
        if closeReason == nil { keepAlive() }
    }

    override func timedOut(_ exchange: Exchange, _ timeout: HTTP3Timeout) {
        cancel(exchange, .timedOut(timeout))
    }

    override func readingCancelled(_ exchange: Exchange) { cancel(exchange, .cancelled(stream: exchange.id)) }

    override func bodyDropped(_ exchange: Exchange) {
        if !exchange.inbound.isOver { cancel(exchange, .cancelled(stream: exchange.id)) }
    }

    // MARK: Sending

    /// Sends a request, once the peer allows another stream. To be called on the event loop.
    nonisolated(nonsending) func start(
        _ request: HTTPRequest, _ content: HTTP3Content, _ options: HTTP3RequestOptions
    ) async throws -> ClientExchange {
        try Self.checkScheme(request)
        while port.isCurrent {
            try checkUsable()
            try Task.checkCancellation()
            if mayStart(request), let id = port.openStream(.bidirectional) {
                return try start(request, content, options, on: id)
            }
            await port.suspend({ creditWaiters.append($0) }) { [self] in creditWaiters.wakeAll() }
        }
        return try await port.run { try await self.start(request, content, options) }
    }

    // Whether a server is willing to serve another scheme there is no way to know (RFC 9114 section 3.1.2).
    private static func checkScheme(_ request: HTTPRequest) throws(HTTP3Failure) {
        guard let scheme = request.scheme, scheme != "https", scheme.lowercased() != "https" else { return }
        throw .notSent(.malformed(field: ":scheme", reason: "servers are known to serve https only"))
    }

    private func checkUsable() throws(HTTP3Failure) {
        if let closeReason { throw .connectionClosed(closeReason) }
        if isGoingAway { throw .goingAway }
    }

    /// Whether the request can go out now. In early data only those with a safe method can, because it may be
    /// repeated (RFC 8470 section 4); and extended CONNECT waits for the server to have said that it takes it
    /// (RFC 8441 section 3).
    private func mayStart(_ request: HTTPRequest) -> Bool {
        if !port.isHandshakeComplete { return request.isSafe }
        return !request.isExtendedConnect || settings != nil
    }

    private func start(
        _ request: HTTPRequest, _ content: HTTP3Content, _ options: HTTP3RequestOptions, on id: StreamID
    ) throws -> ClientExchange {
        let exchange = ClientExchange(id, of: self, limits: limits)
        exchange.onInformational = options.onInformational
        exchanges[id] = exchange
        if exchanges.count == 1 { keepAlive() }
        do throws(HTTP3Failure) {
            try sendHead(request, content, options, on: exchange)
        } catch {
            forget(exchange, error)
            throw error
        }
        awaitHead(exchange, options)
        return exchange
    }

    private func sendHead(
        _ request: HTTPRequest, _ content: HTTP3Content, _ options: HTTP3RequestOptions,
        on exchange: ClientExchange
    ) throws(HTTP3Failure) {
        fillSection(request, content, options)
        switch content.kind {
        case .none: try sendHead(exchange, content: nil)
        case .bytes(let bytes): try sendHead(exchange, content: bytes)
        case .toCome: try sendHead(exchange, content: nil, mayFollow: true)
        case .stream(let write):
            try sendHead(exchange, content: nil, mayFollow: true)
            exchange.upload(write)
        }
    }

    private func sendHead(
        _ exchange: ClientExchange, content: ByteBuffer?, mayFollow: Bool = false
    ) throws(HTTP3Failure) {
        let hasContent = (content?.readableBytes ?? 0) > 0
        let fin = !hasContent && !mayFollow
        exchange.outbound.state = .content
        try send(on: exchange, fin: fin) { machine, frames throws(HTTP3SendError) in
            try machine.sendRequest(section, on: exchange.id, fin: fin, into: &frames)
        }
        if hasContent, let content { try sendContent(content, fin: true, on: exchange) }
    }

    private func fillSection(_ request: HTTPRequest, _ content: HTTP3Content, _ options: HTTP3RequestOptions)
    {
        section.removeAll(keepingCapacity: true)
        section.begin(request)
        section.append(request.headerFields)
        if let length = content.length(for: request.method), !request.headerFields.contains(.contentLength) {
            section.append(name: "content-length", value: String(length))
        }
        if let priority = options.priority, !request.headerFields.contains(.priority) {
            section.append(name: "priority", value: priority.fieldText)
        }
    }

    /// Lets go of a stream on which nothing could be sent.
    private func forget(_ exchange: ClientExchange, _ failure: HTTP3Failure) {
        cancel(exchange, failure)
        port.reset(exchange.id, code: HTTP3ErrorCode.requestCancelled.rawValue)
        port.stopSending(exchange.id, code: HTTP3ErrorCode.requestCancelled.rawValue)
        exchange.fail(failure)
        settle(exchange)
    }

    private func awaitHead(_ exchange: ClientExchange, _ options: HTTP3RequestOptions) {
        guard let time = options.responseHeaderTime ?? limits.responseHeaderTime else { return }
        exchange.inbound.deadline = port.now + TimeSpan(time)
        arm(exchange.inbound.deadline)
    }

    /// Asks for another priority of a response (RFC 9218 section 7.2).
    func setPriority(_ priority: HTTP3Priority, of exchange: ClientExchange) throws(HTTP3Failure) {
        do throws(HTTP3SendError) {
            try machine.updatePriority(priority, of: exchange.id)
        } catch {
            throw .notSent(error)
        }
        afterCall()
    }

    // MARK: Waiting

    /// Waits until the handshake is complete.
    nonisolated(nonsending) func waitForHandshake() async throws {
        while port.isCurrent {
            if let closeReason { throw HTTP3Failure.connectionClosed(closeReason) }
            if port.isHandshakeComplete { return }
            try Task.checkCancellation()
            await port.suspend({ creditWaiters.append($0) }) { [self] in creditWaiters.wakeAll() }
        }
        try await port.run { try await self.waitForHandshake() }
    }

    /// Waits until no request is open, or the connection is over.
    nonisolated(nonsending) func waitUntilEmpty() async {
        while port.isCurrent {
            if exchanges.isEmpty || closeReason != nil || Task.isCancelled { return }
            await port.suspend({ emptyWaiters.append($0) }) { [self] in emptyWaiters.wakeAll() }
        }
        await port.run { await self.waitUntilEmpty() }
    }

    /// Waits until no more requests can be sent.
    nonisolated(nonsending) func waitUntilUnusable() async {
        while port.isCurrent {
            if isGoingAway || closeReason != nil || Task.isCancelled { return }
            await port.suspend({ creditWaiters.append($0) }) { [self] in creditWaiters.wakeAll() }
        }
        await port.run { await self.waitUntilUnusable() }
    }

    /// The next thing to resume with; nil when the connection is over or the task cancelled.
    nonisolated(nonsending) func nextResumption() async -> HTTP3Resumption? {
        while port.isCurrent {
            if let settings, let quic = port.takeResumption() {
                return HTTP3Resumption(quic: quic, settings: settings)
            }
            if closeReason != nil || Task.isCancelled { return nil }
            await port.suspend({ resumptionWaiters.append($0) }) { [self] in resumptionWaiters.wakeAll() }
        }
        return await port.run { await self.nextResumption() }
    }

    /// Sends no more requests, lets those under way come to an end, and closes the connection.
    nonisolated(nonsending) func shutdown() async {
        guard port.isCurrent else { return await port.run { await self.shutdown() } }
        onGoaway()
        await waitUntilEmpty()
        await closeNow()
    }

    /// Closes the connection; the server has been told when the call returns.
    nonisolated(nonsending) func closeNow() async {
        guard port.isCurrent else { return await port.run { await self.closeNow() } }
        close(.noError)
        port.flush()
    }
}

extension HTTPRequest {
    /// Whether a repetition does no harm (RFC 9110 section 9.2.1).
    var isSafe: Bool { method == .get || method == .head || method == .options || method == .trace }
    /// Whether the same request twice is the same as once (RFC 9110 section 9.2.2).
    var isIdempotent: Bool { isSafe || method == .put || method == .delete }
}

extension HTTPField.Name {
    static let priority = HTTPField.Name("Priority")!
}

extension HTTP3Priority {
    /// As the Priority field has it (RFC 9218 section 4).
    var fieldText: String { isIncremental ? "u=\(urgency), i" : "u=\(urgency)" }
}
