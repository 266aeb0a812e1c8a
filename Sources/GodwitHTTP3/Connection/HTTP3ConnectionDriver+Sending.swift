import Godwit
import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import HTTPTypes
import NIOCore

// Messages on their way out. What the transport does not take at once waits in the exchange's backlog;
// whoever sends more waits until that is gone.
extension HTTP3ConnectionDriver {
    /// Content up to this size is sent in one piece with the header before it; copying more would cost more
    /// than a second call.
    private static let smallContent = 16 << 10

    // MARK: Parts of a message

    /// Puts frames together and sends them.
    ///
    /// - Parameters:
    ///   - fin: whether the message ends behind them.
    ///   - fill: has the machine write frames.
    func send(
        on exchange: Exchange, fin: Bool,
        _ fill: (inout HTTP3Connection, inout [UInt8]) throws(HTTP3SendError) -> Void
    ) throws(HTTP3Failure) {
        if let failure = exchange.outbound.failure { throw failure }
        scratch.removeAll(keepingCapacity: true)
        do throws(HTTP3SendError) { try fill(&machine, &scratch) } catch { throw .notSent(error) }
        writePending()
        try scratch.withUnsafeBufferPointer { (bytes) throws(HTTP3Failure) in
            try write(UnsafeRawBufferPointer(bytes), fin: fin, on: exchange)
        }
    }

    /// Sends content that nothing waits before.
    func sendContent(_ content: ByteBuffer, fin: Bool, on exchange: Exchange) throws(HTTP3Failure) {
        exchange.outbound.sent += content.readableBytes
        try content.withUnsafeReadableBytes { (bytes) throws(HTTP3Failure) in
            if bytes.count <= Self.smallContent {
                return try send(on: exchange, fin: fin) { machine, frames throws(HTTP3SendError) in
                    try machine.beginData(bytes.count, on: exchange.id, fin: fin, into: &frames)
                    frames.append(contentsOf: bytes)
                }
            }
            try send(on: exchange, fin: false) { machine, frames throws(HTTP3SendError) in
                try machine.beginData(bytes.count, on: exchange.id, fin: fin, into: &frames)
            }
            guard !exchange.outbound.hasBacklog else { return queue(content, fin: fin, on: exchange) }
            let count = try hand(bytes, fin: fin, on: exchange)
            if count < bytes.count { queue(content.dropping(count), fin: fin, on: exchange) }
        }
    }

    private func queue(_ content: ByteBuffer, fin: Bool, on exchange: Exchange) {
        if exchange.outbound.backlog.readableBytes == 0 {
            exchange.outbound.backlog = content
        } else {
            exchange.outbound.backlog.writeImmutableBuffer(content)
        }
        exchange.outbound.endsBehindBacklog = fin
        if fin { noteEnd(exchange) }
    }

    // MARK: To the transport

    private func write(_ bytes: UnsafeRawBufferPointer, fin: Bool, on exchange: Exchange) throws(HTTP3Failure)
    {
        let count = exchange.outbound.hasBacklog ? 0 : try hand(bytes, fin: fin, on: exchange)
        guard count < bytes.count else { return }
        exchange.outbound.backlog.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[count...]))
        exchange.outbound.endsBehindBacklog = fin
        if fin { noteEnd(exchange) }
    }

    /// Hands bytes to the transport; returns how many it took.
    private func hand(
        _ bytes: UnsafeRawBufferPointer, fin: Bool, on exchange: Exchange
    ) throws(HTTP3Failure) -> Int {
        do {
            let count = try port.write(bytes, to: exchange.id, fin: fin)
            if fin, count == bytes.count {
                noteEnd(exchange)
                noteHandedOver(exchange)
            }
            return count
        } catch {
            throw failSending(exchange, error)
        }
    }

    private func failSending(_ exchange: Exchange, _ error: StreamError) -> HTTP3Failure {
        let failure: HTTP3Failure =
            switch error {
            case .stoppedByPeer(let code): .stopped(stream: exchange.id, code: HTTP3ErrorCode(rawValue: code))
            default: closeReason.map { .connectionClosed($0) } ?? .cancelled(stream: exchange.id)
            }
        exchange.outbound.fail(failure)
        return failure
    }

    private func noteEnd(_ exchange: Exchange) {
        if exchange.outbound.failure == nil { exchange.outbound.state = .ended }
    }

    private func noteHandedOver(_ exchange: Exchange) {
        exchange.outbound.isAwaitingDelivery = true
        exchange.outbound.endsBehindBacklog = false
        undelivered += 1
        settle(exchange)
    }

    /// Goes on with what the transport had no room for.
    func writeBacklog(_ exchange: Exchange) {
        guard exchange.outbound.hasBacklog, exchange.outbound.failure == nil else { return }
        let fin = exchange.outbound.endsBehindBacklog
        let backlog = exchange.outbound.backlog
        let count = try? backlog.withUnsafeReadableBytes { (bytes) throws(HTTP3Failure) in
            try hand(bytes, fin: fin, on: exchange)
        }
        guard let count else { return }
        exchange.outbound.backlog.moveReaderIndex(forwardBy: count)
        if exchange.outbound.backlog.readableBytes == 0 {
            exchange.outbound.backlog = ByteBuffer()
            exchange.outbound.deadline = .distantFuture
            exchange.outbound.writers.wakeAll()
        } else {
            extendDeadline(exchange)
        }
    }

    /// The peer has taken something, so it gets all of its time again.
    private func extendDeadline(_ exchange: Exchange) {
        guard exchange.outbound.deadline < .distantFuture, let span = exchange.sendingIdleTime else { return }
        exchange.outbound.deadline = port.now + span
    }
}

extension ByteBuffer {
    fileprivate func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}

// MARK: Tasks that send

extension Exchange {
    /// Waits until the transport has taken everything that was sent so far. To be called on the event loop.
    nonisolated(nonsending) func waitForRoom() async throws {
        while port.isCurrent {
            if let failure = outbound.failure { throw failure }
            guard outbound.hasBacklog else { return }
            try Task.checkCancellation()
            if outbound.deadline == .distantFuture, let sendingIdleTime {
                outbound.deadline = port.now + sendingIdleTime
                driver.arm(outbound.deadline)
            }
            await port.suspend({ outbound.writers.append($0) }) { [self] in outbound.writers.wakeAll() }
        }
        try await port.run { try await self.waitForRoom() }
    }

    /// Sends content once there is room, and waits until the transport has taken it.
    nonisolated(nonsending) func write(_ content: ByteBuffer, fin: Bool) async throws {
        guard port.isCurrent else { return try await port.run { try await self.write(content, fin: fin) } }
        if outbound.hasBacklog { try await waitForRoom() }
        guard port.isCurrent else { return try await port.run { try await self.write(content, fin: fin) } }
        try checkSending()
        if fin || content.readableBytes > 0 { try sendNow(content, fin: fin) }
        if outbound.hasBacklog { try await waitForRoom() }
    }

    func checkSending() throws(HTTP3Failure) {
        switch outbound.state {
        case .content: return
        case .head: throw .notSent(.outOfOrder)
        case .ended: throw .notSent(.sendingEnded)
        case .failed(let failure): throw failure
        }
    }

    private func sendNow(_ content: ByteBuffer, fin: Bool) throws(HTTP3Failure) {
        if let status = outbound.contentlessStatus, content.readableBytes > 0 {
            throw .contentNotAllowed(status: status)
        }
        let content = outbound.omitsContent ? ByteBuffer() : content
        if content.readableBytes > 0 { return try driver.sendContent(content, fin: fin, on: self) }
        if fin { try end() }
    }

    /// Ends the message where it is.
    func end() throws(HTTP3Failure) {
        try driver.send(on: self, fin: true) { machine, _ throws(HTTP3SendError) in try machine.finish(id) }
    }

    /// Ends the message with trailers, once there is room.
    nonisolated(nonsending) func finish(_ trailers: HTTPFields) async throws {
        guard port.isCurrent else { return try await port.run { try await self.finish(trailers) } }
        if outbound.hasBacklog { try await waitForRoom() }
        guard port.isCurrent else { return try await port.run { try await self.finish(trailers) } }
        try checkSending()
        try sendTrailers(trailers)
        if outbound.hasBacklog { try await waitForRoom() }
    }

    private func sendTrailers(_ trailers: HTTPFields) throws(HTTP3Failure) {
        driver.section.removeAll(keepingCapacity: true)
        driver.section.append(trailers)
        let section = driver.section
        try driver.send(on: self, fin: true) { machine, frames throws(HTTP3SendError) in
            try machine.sendTrailers(section, on: id, into: &frames)
        }
    }
}
