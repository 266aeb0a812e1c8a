import Godwit
public import GodwitHTTP3Core
public import HTTPTypes
public import NIOCore

/// Answers a request: with any number of interim responses, then either a whole response in one call or a
/// head and the content piece by piece.
///
/// ```swift
/// try await response.respond(.ok, fields: [.contentType: "text/plain"], body: "hello\n")
///
/// let writer = try await response.send(HTTPResponse(status: .ok))
/// for try await piece in pieces { try await writer.write(piece) }
/// try await writer.finish()
/// ```
///
/// If the handler returns without an answer, or throws before it has begun one, the answer is 500. A response
/// that was begun is finished when the handler returns, and broken off (H3_INTERNAL_ERROR) when it throws.
public struct HTTP3ResponseWriter: Sendable {
    let exchange: ServerExchange

    // MARK: Answering

    /// Sends an interim response (1xx), as 103 (Early Hints). A 100 is sent by itself when the handler first
    /// waits for content that the client holds back.
    ///
    /// - Throws: ``HTTP3Failure``.
    nonisolated(nonsending) public func sendInformational(_ response: HTTPResponse) async throws {
        try await exchange.onLoop { try exchange.sendInformational(response) }
    }

    /// Sends the head of the response; its content goes through the writer.
    ///
    /// - Parameter response: the status, 200 or above, and the fields. A Date is added if there is none.
    /// - Throws: ``HTTP3Failure``: the client went away or wants no answer any more, there was one already,
    ///   or the fields can't be sent.
    nonisolated(nonsending) public func send(_ response: HTTPResponse) async throws -> HTTP3BodyWriter {
        try await send(response.status, fields: response.headerFields)
    }

    /// Sends the head of the response; as ``send(_:)``.
    nonisolated(nonsending) public func send(
        _ status: HTTPResponse.Status, fields: HTTPFields = [:]
    ) async throws -> HTTP3BodyWriter {
        try await exchange.onLoop { try exchange.sendHead(status.code, fields) }
        return HTTP3BodyWriter(exchange: exchange)
    }

    /// Sends a whole response. For content that is at hand this is the fastest way: head, content and end go
    /// into the same packet if they fit. A Content-Length is added if there is none.
    ///
    /// - Throws: as ``send(_:)``.
    nonisolated(nonsending) public func respond(
        _ status: HTTPResponse.Status, fields: HTTPFields = [:], body: ByteBuffer = ByteBuffer()
    ) async throws {
        guard exchange.port.isCurrent else {
            return try await exchange.port.run { try await self.respond(status, fields: fields, body: body) }
        }
        try exchange.respond(status.code, fields, body)
        if exchange.outbound.hasBacklog { try await exchange.waitForRoom() }
    }

    /// Sends a whole response; as ``respond(_:fields:body:)-(_,_,ByteBuffer)``.
    nonisolated(nonsending) public func respond(
        _ status: HTTPResponse.Status, fields: HTTPFields = [:], body: String
    ) async throws { try await respond(status, fields: fields, body: ByteBuffer(string: body)) }

    /// Sends a whole response; as ``respond(_:fields:body:)-(_,_,ByteBuffer)``.
    nonisolated(nonsending) public func respond(
        _ status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8]
    ) async throws { try await respond(status, fields: fields, body: ByteBuffer(bytes: body)) }

    /// Sends a whole response; as ``respond(_:fields:body:)-(_,_,ByteBuffer)``.
    nonisolated(nonsending) public func respond(
        _ response: HTTPResponse, body: ByteBuffer = ByteBuffer()
    ) async throws { try await respond(response.status, fields: response.headerFields, body: body) }

    /// Gives the request up: nothing more is sent or received on its stream.
    ///
    /// - Parameter code: tells the client why.
    nonisolated(nonsending) public func cancel(_ code: HTTP3ErrorCode = .requestCancelled) async {
        await exchange.onLoop {
            exchange.driver.cancel(exchange, .cancelled(stream: exchange.id), code: code)
        }
    }

    // MARK: More about the request

    /// What the request's head does not say.
    public var context: HTTP3RequestContext { HTTP3RequestContext(exchange: exchange) }

    /// The request's datagrams (RFC 9297).
    public var datagrams: HTTP3Datagrams { HTTP3Datagrams(exchange: exchange) }
}
