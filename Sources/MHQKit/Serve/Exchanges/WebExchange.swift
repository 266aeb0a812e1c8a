import HTTPTypes
import NIOCore

/// A request and the way to answer it, whichever HTTP it came over. One task uses it.
protocol WebExchange: AnyObject {
    var request: HTTPRequest { get }
    /// What has become of it so far.
    var tally: ExchangeTally { get }

    /// The next piece of the request's content; nil at its end.
    nonisolated(nonsending) func nextContent() async throws -> ByteBuffer?

    /// Sends a whole answer. A Content-Length is added if there is none.
    nonisolated(nonsending) func respond(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, _ content: ByteBuffer) async throws

    /// Sends the head of an answer whose content is written piece by piece.
    nonisolated(nonsending) func begin(_ status: HTTPResponse.Status, _ fields: HTTPFields) async throws
    /// Sends a piece of content, and waits while the client takes no more.
    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws
    /// Ends the answer.
    nonisolated(nonsending) func finish() async throws
}

/// What logs and metrics want to know of an exchange.
struct ExchangeTally: Hashable, Sendable {
    /// Nil before an answer was begun.
    var status: Int?
    /// Bytes of content.
    var bytesSent: Int64 = 0
    var bytesReceived: Int64 = 0
}

extension WebExchange {
    /// Answers with a line that says what the status means.
    nonisolated(nonsending) func refuse(
        _ status: HTTPResponse.Status, _ fields: HTTPFields = [:]
    ) async throws {
        var fields = fields
        fields[.contentType] = "text/plain; charset=utf-8"
        try await respond(status, fields, ByteBuffer(string: "\(status.code) \(status.reasonPhrase)\n"))
    }

    /// Answers to a method that the resource does not have (RFC 9110 section 15.5.6).
    nonisolated(nonsending) func refuseMethod(allowing methods: String) async throws {
        if request.method == .options {
            return try await respond(.noContent, [.allow: methods], ByteBuffer())
        }
        try await refuse(.methodNotAllowed, [.allow: methods])
    }
}
