import Godwit
import GodwitHTTP3Core
import GodwitWire
import HTTPTypes
import NIOCore

// Tasks that read what comes in on an exchange.
extension Exchange {
    private enum Outcome {
        case chunk(ByteBuffer)
        case end
        case nothingYet
    }

    /// The next piece of content; nil when the message has ended.
    nonisolated(nonsending) func nextChunk() async throws -> ByteBuffer? {
        while port.isCurrent {
            switch try takeChunk() {
            case .chunk(let chunk): return chunk
            case .end: return nil
            case .nothingYet: try checkCancellation()
            }
            awaitContent()
            await port.suspend({ inbound.readers.append($0) }) { [self] in inbound.readers.wakeAll() }
            inbound.deadline = .distantFuture
        }
        return try await port.run { try await self.nextChunk() }
    }

    private func takeChunk() throws(HTTP3Failure) -> Outcome {
        // A piece may be a frame's header alone, where the transport shows no more at once: who would then wait
        // for news of what is there already waits for ever.
        while inbound.content.readableBytes == 0, !inbound.isOver {
            guard driver.read(id, upTo: HTTP3ConnectionDriver.contentPiece, for: self) else { break }
        }
        try checkSize()
        if inbound.content.readableBytes > 0 {
            defer { inbound.content = ByteBuffer() }
            return .chunk(inbound.content)
        }
        if let failure = inbound.failure { throw failure }
        return inbound.isEnded ? .end : .nothingYet
    }

    private func checkSize() throws(HTTP3Failure) {
        guard inbound.received > inbound.limit else { return }
        let failure = HTTP3Failure.contentTooLarge(limit: inbound.limit)
        if !inbound.isOver { driver.stopReceiving(self, failure) }
        throw failure
    }

    private func checkCancellation() throws {
        guard Task.isCancelled else { return }
        driver.readingCancelled(self)
        throw CancellationError()
    }

    private func awaitContent() {
        driver.contentAwaited(self)
        guard let contentIdleTime else { return }
        inbound.deadline = port.now + contentIdleTime
        driver.arm(inbound.deadline)
    }

    /// Reads to the end, and the whole must not be larger than `limit`.
    nonisolated(nonsending) func collect(upTo limit: Int) async throws -> ByteBuffer {
        guard port.isCurrent else { return try await port.run { try await self.collect(upTo: limit) } }
        // Nobody waits for what can't fit.
        if let length = inbound.contentLength, length > limit { throw tooLarge(limit) }
        guard var whole = try await nextChunk() else { return ByteBuffer() }
        while whole.readableBytes <= limit {
            guard var chunk = try await nextChunk() else { return whole }
            whole.writeBuffer(&chunk)
        }
        throw await onLoop { tooLarge(limit) }
    }

    private func tooLarge(_ limit: Int) -> HTTP3Failure {
        let failure = HTTP3Failure.contentTooLarge(limit: limit)
        if !inbound.isOver { driver.stopReceiving(self, failure) }
        return failure
    }

    /// The next datagram; nil when no more will come or the task is cancelled.
    nonisolated(nonsending) func nextDatagram() async -> ByteBuffer? {
        while port.isCurrent {
            if let datagram = datagrams.take() { return datagram }
            if isOver || inbound.failure != nil || driver.closeReason != nil || Task.isCancelled {
                return nil
            }
            await port.suspend({ datagrams.readers.append($0) }) { [self] in datagrams.readers.wakeAll() }
        }
        return await port.run { await self.nextDatagram() }
    }
}

extension HTTP3ConnectionDriver {
    /// Wants no more of what the peer sends, while our side goes on (RFC 9114 section 4.1).
    func stopReceiving(_ exchange: Exchange, _ failure: HTTP3Failure, code: HTTP3ErrorCode = .noError) {
        machine.stopReceiving(exchange.id, code: code)
        exchange.inbound.fail(failure)
        afterCall()
        settle(exchange)
    }

    /// Gives up an exchange in both directions.
    func cancel(_ exchange: Exchange, _ failure: HTTP3Failure, code: HTTP3ErrorCode? = nil) {
        guard !exchange.isOver else { return }
        machine.cancel(exchange.id, code: code)
        // For the machine a message has ended before the transport has taken all of it.
        if exchange.outbound.isEnded, exchange.outbound.hasBacklog {
            // It is a client's, or the server has worked on it: neither is rejected (RFC 9114 section 4.1.1).
            let code = code == .requestRejected ? nil : code
            port.reset(exchange.id, code: (code ?? .requestCancelled).rawValue)
        }
        exchange.fail(failure)
        afterCall()
        settle(exchange)
    }
}
