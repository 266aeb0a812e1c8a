import GodwitCore
import GodwitWire

/// A stream on its event loop: its name in the core, and the tasks that wait for it.
final class StreamDriver: @unchecked Sendable {
    // But for what never changes, all of it is touched on the event loop alone; that makes the class
    // `Sendable`.

    let id: StreamID
    let connection: ConnectionDriver
    /// Whether the stream was opened before the handshake was complete.
    let isEarly: Bool

    /// Whether the application has it; until then it is in the connection's queue.
    var isTaken = false
    var readers = Waiters()
    var writers = Waiters()
    var deliveryWaiters = Waiters()

    // The core forgets a stream that is over in both directions; here it is remembered how it ended.

    private(set) var sendingEnd: End?
    private(set) var receivingEnd: End?
    /// Whether nobody uses the stream any more.
    private var isAbandoned = false

    enum End {
        /// The end was written or read.
        case finished
        /// Everything up to the end was acknowledged.
        case delivered
        case failed(QUICError)
    }

    init(_ id: StreamID, of connection: ConnectionDriver, isEarly: Bool) {
        self.id = id
        self.connection = connection
        self.isEarly = isEarly
        // A direction that does not exist needs no ending.
        guard id.direction == .unidirectional else { return }
        if id.initiator == connection.role {
            receivingEnd = .failed(.streamUnusable(.sendOnly))
        } else {
            sendingEnd = .failed(.streamUnusable(.receiveOnly))
        }
    }

    var driver: LoopDriver { connection.driver }
    private var core: Connection { connection.core }

    func wakeEveryone() {
        readers.wakeAll()
        writers.wakeAll()
        deliveryWaiters.wakeAll()
    }

    func onAllAcknowledged() { endDelivery(.delivered) }

    /// For an end behind which nothing waits to be delivered.
    private func endDelivery(_ end: End) {
        let awaited = isAwaitingDelivery
        sendingEnd = end
        deliveryWaiters.wakeAll()
        if isAbandoned { connection.streams[id] = nil }
        if awaited { connection.onStreamSettled() }
    }

    /// Whether the end was written and is not known to have arrived.
    var isAwaitingDelivery: Bool { if case .finished? = sendingEnd { true } else { false } }

    /// Whether everything has arrived; throws if it can't any more.
    func hasDelivered() throws -> Bool {
        switch sendingEnd {
        case .delivered: return true
        case .failed(let error): throw error
        case nil, .finished:
            if let reason = connection.closeReason { throw QUICError.connectionClosed(reason) }
            return false
        }
    }

    // MARK: Writing

    /// Hands bytes to the core, and the end of the stream if all of them are taken. Returns how many were
    /// taken.
    func write(_ bytes: UnsafeRawBufferPointer, fin: Bool) throws -> Int {
        try checkSending()
        do {
            let count = try core.write(bytes, to: id, fin: fin)
            if fin, count == bytes.count { noteFinished() }
            connection.loop.markBusy()
            return count
        } catch {
            throw failSending(error)
        }
    }

    private func noteFinished() {
        sendingEnd = .finished
        connection.awaitedDeliveries += 1
    }

    func onStoppedByPeer(code: UInt64) {
        switch sendingEnd {
        case nil, .finished: endDelivery(.failed(.streamStoppedByPeer(code: code)))
        case .delivered, .failed: break
        }
        writers.wakeAll()
    }

    func reset(code: UInt64) {
        switch sendingEnd {
        case nil, .finished: break
        case .delivered, .failed: return
        }
        // A stream that the core has forgotten needs no reset.
        try? core.reset(id, code: code)
        connection.loop.markBusy()
        endDelivery(.failed(.streamUnusable(.sendingReset)))
        writers.wakeAll()
    }

    func checkSending() throws {
        switch sendingEnd {
        case nil: try connection.checkOpen()
        case .finished, .delivered: throw QUICError.streamUnusable(.sendingEnded)
        case .failed(let error): throw error
        }
    }

    private func failSending(_ error: StreamError) -> QUICError {
        let failure = describe(error)
        sendingEnd = .failed(failure)
        return failure
    }

    // MARK: Reading

    /// How many bytes can be read at once.
    var readableBytes: Int { core.readableBytes(of: id) }

    /// Shows what has come to `body`, until it wants no more or there is no more.
    ///
    /// - Parameter body: returns how much it has consumed; less than it was given if it wants no more.
    /// - Returns: how many bytes were consumed; nil at the end of the stream.
    func read(_ body: (UnsafeRawBufferPointer) -> Int) throws -> Int? {
        switch receivingEnd {
        case nil: break
        case .finished, .delivered: return nil
        case .failed(let error): throw error
        }
        do { return try readFromCore(body) } catch { throw failReceiving(error) }
    }

    private func readFromCore(_ body: (UnsafeRawBufferPointer) -> Int) throws(StreamError) -> Int? {
        var total = 0
        let now = connection.loop.now()
        while true {
            var isFull = false
            let result = try core.read(from: id, now: now) { bytes in
                let count = body(bytes)
                isFull = count < bytes.count
                return count
            }
            total += result.consumed
            if result.isFinished { receivingEnd = .finished }
            if isFull || result.remaining == 0 || result.isFinished { break }
        }
        if total > 0 { connection.loop.markBusy() }
        return total == 0 && isReceivingFinished ? nil : total
    }

    private var isReceivingFinished: Bool { if case .finished? = receivingEnd { true } else { false } }

    func onResetByPeer(code: UInt64) {
        if receivingEnd == nil { receivingEnd = .failed(.streamResetByPeer(code: code)) }
        readers.wakeAll()
    }

    /// Asks the peer to send no more.
    func stop(code: UInt64) {
        guard receivingEnd == nil else { return }
        try? core.stopSending(id, code: code)
        receivingEnd = .failed(.streamUnusable(.receivingStopped))
        connection.loop.markBusy()
        readers.wakeAll()
    }

    private func failReceiving(_ error: StreamError) -> QUICError {
        let failure = describe(error)
        receivingEnd = .failed(failure)
        return failure
    }

    // MARK: Letting go

    /// Nobody uses the stream any more: what is unfinished ends here, what is finished is still delivered.
    func abandon() {
        isAbandoned = true
        let code = connection.loop.settings.cancellationCode
        stop(code: code)
        if sendingEnd == nil { reset(code: code) }
        if !isAwaitingDelivery { connection.streams[id] = nil }
    }

    private func describe(_ error: StreamError) -> QUICError {
        switch error {
        case .stoppedByPeer(let code): .streamStoppedByPeer(code: code)
        case .resetByPeer(let code): .streamResetByPeer(code: code)
        default: connection.closeReason.map { .connectionClosed($0) } ?? .streamUnusable(error)
        }
    }
}
