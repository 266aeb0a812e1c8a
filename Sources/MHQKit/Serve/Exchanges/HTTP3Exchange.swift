import GodwitHTTP3
import HTTPTypes
import NIOCore

/// An exchange over HTTP/3.
final class HTTP3Exchange: WebExchange {
    let request: HTTPRequest
    private(set) var tally = ExchangeTally()
    private let body: HTTP3Body
    private let response: HTTP3ResponseWriter
    private var writer: HTTP3BodyWriter?

    init(_ request: HTTPRequest, _ body: HTTP3Body, _ response: HTTP3ResponseWriter) {
        self.request = request
        self.body = body
        self.response = response
    }

    nonisolated(nonsending) func nextContent() async throws -> ByteBuffer? {
        var iterator = body.makeAsyncIterator()
        let chunk = try await iterator.next(isolation: #isolation)
        tally.bytesReceived += Int64(chunk?.readableBytes ?? 0)
        return chunk
    }

    nonisolated(nonsending) func respond(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, _ content: ByteBuffer
    ) async throws {
        tally.status = status.code
        // HTTP/3 leaves content out of answers to HEAD, and so does the tally.
        if request.method != .head { tally.bytesSent = Int64(content.readableBytes) }
        try await response.respond(status, fields: fields, body: content)
    }

    nonisolated(nonsending) func begin(_ status: HTTPResponse.Status, _ fields: HTTPFields) async throws {
        tally.status = status.code
        writer = try await response.send(status, fields: fields)
    }

    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws {
        guard let writer else { return }
        try await writer.write(content)
        tally.bytesSent += Int64(content.readableBytes)
    }

    nonisolated(nonsending) func finish() async throws { try await writer?.finish() }
}
