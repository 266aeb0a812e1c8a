import Godwit
import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import HTTPTypes
import NIOCore

/// A request that a server answers.
final class ServerExchange: Exchange, @unchecked Sendable {
    let server: ServerConnection
    /// Nil before the header section has come, and once the handler has it.
    var request: HTTPRequest?
    var isEarlyData = false
    let openedAt: Instant
    /// The request's head, if somebody wants a record of it.
    var recordedRequest: HTTPRequest?
    /// Whether the client waits for a 100 before it sends content (RFC 9110 section 10.1.1).
    var awaitsContinue = false
    var priority = HTTP3Priority.default
    /// The task that answers the request, while it does.
    var worker: RequestWorker?
    /// Whether a handler has the request or is about to get it.
    var isDispatched = false
    /// Whether it was counted that the client cancelled it.
    var isCountedAsCancelled = false
    /// The status that was sent; 0 before.
    var status = 0

    init(_ id: StreamID, of server: ServerConnection, openedAt: Instant) {
        self.server = server
        self.openedAt = openedAt
        super.init(
            id, of: server, contentIdleTime: server.contentIdleTime, sendingIdleTime: server.sendingIdleTime)
    }

    // MARK: Answering

    /// Sends an interim response.
    func sendInformational(_ response: HTTPResponse) throws(HTTP3Failure) {
        guard outbound.isHead else { throw .notSent(.outOfOrder) }
        driver.section.removeAll(keepingCapacity: true)
        driver.section.begin(status: response.status.code)
        driver.section.append(response.headerFields)
        let section = driver.section
        try driver.send(on: self, fin: false) { machine, frames throws(HTTP3SendError) in
            try machine.sendInformational(section, on: id, into: &frames)
        }
        awaitsContinue = false
    }

    /// Sends the head of the response.
    func sendHead(_ status: Int, _ fields: HTTPFields) throws(HTTP3Failure) {
        try startHead(status, fields, length: nil)
        try driver.send(on: self, fin: false) { machine, frames throws(HTTP3SendError) in
            try machine.sendResponse(server.section, on: id, fin: false, into: &frames)
        }
        outbound.state = .content
    }

    /// Sends a whole response in one piece.
    func respond(_ status: Int, _ fields: HTTPFields, _ content: ByteBuffer) throws(HTTP3Failure) {
        try startHead(status, fields, length: content.readableBytes)
        if let status = outbound.contentlessStatus, content.readableBytes > 0 {
            throw .contentNotAllowed(status: status)
        }
        let content = outbound.omitsContent ? ByteBuffer() : content
        let (count, isSmall) = (content.readableBytes, content.readableBytes <= ServerConnection.smallContent)
        try driver.send(on: self, fin: count == 0 || isSmall) { machine, frames throws(HTTP3SendError) in
            try machine.sendResponse(server.section, on: id, fin: count == 0, into: &frames)
            guard count > 0, isSmall else { return }
            try machine.beginData(count, on: id, fin: true, into: &frames)
            content.withUnsafeReadableBytes { frames.append(contentsOf: $0) }
            outbound.sent += count
        }
        if !isSmall { try driver.sendContent(content, fin: true, on: self) }
    }

    private func startHead(_ status: Int, _ fields: HTTPFields, length: Int?) throws(HTTP3Failure) {
        if let failure = outbound.failure { throw failure }
        guard outbound.isHead, status >= 200 else { throw .notSent(.outOfOrder) }
        if status == 204 || status == 304 { outbound.contentlessStatus = status }
        server.fillSection(status, fields, length: length)
        self.status = status
        awaitsContinue = false
    }

    // MARK: Ending

    /// The handler has returned. What it did not finish is finished.
    func handlerReturned() {
        switch outbound.state {
        case .head: answerInstead(500)
        case .content:
            if (try? end()) == nil { server.cancel(self, .cancelled(stream: id), code: .internalError) }
        case .ended, .failed: break
        }
        handlerEnded()
    }

    /// The handler has thrown: the answer is an error, or breaks off.
    func handlerFailed(_ error: any Error) {
        switch outbound.state {
        case .head: answerInstead(Self.status(for: error))
        case .content: server.cancel(self, .cancelled(stream: id), code: .internalError)
        case .ended, .failed: break
        }
        handlerEnded()
    }

    /// Answers in place of the handler, unless the client has gone.
    private func answerInstead(_ status: Int) {
        if case .reset? = inbound.failure { return server.cancel(self, .cancelled(stream: id)) }
        try? respond(status, [:], ByteBuffer())
    }

    /// What a handler that did not care about these failures can answer.
    private static func status(for error: any Error) -> Int {
        switch error {
        case HTTP3Failure.contentTooLarge: 413
        case HTTP3Failure.timedOut(.content): 408
        default: 500
        }
    }

    private func handlerEnded() {
        worker = nil
        isDispatched = false
        server.handlerEnded(self)
    }

    /// Has the handler know that nobody wants its answer.
    func cancelHandler() {
        worker?.cancel()
    }
}
