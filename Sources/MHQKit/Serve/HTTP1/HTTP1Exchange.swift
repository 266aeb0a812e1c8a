import HTTPTypes
import NIOCore
import NIOHTTP1

/// An exchange over HTTP/1.1.
final class HTTP1Exchange: WebExchange {
    typealias Requests = NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    typealias Responses = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    let request: HTTPRequest
    private(set) var tally = ExchangeTally()
    private var requests: Requests
    private let responses: Responses
    /// Fields that every answer gets.
    private let commonFields: HTTPHeaders
    private var awaitsContinue: Bool
    private var hasWholeRequest = false
    private(set) var hasWholeResponse = false
    /// Whether the connection may be used for another request.
    private(set) var keepsAlive: Bool

    /// What is read at most of content that nobody wanted, to get to the next request.
    private static let largestRest = 64 << 10

    /// - Parameters:
    ///   - commonFields: fields that every answer gets.
    ///   - keepsAlive: false if the connection is to end behind this answer.
    init(
        _ head: HTTPRequestHead, scheme: String, _ requests: Requests, _ responses: Responses,
        commonFields: HTTPHeaders, keepsAlive: Bool
    ) {
        request = HTTPRequest(head, scheme: scheme)
        self.requests = requests
        self.responses = responses
        self.commonFields = commonFields
        self.keepsAlive = keepsAlive && head.isKeepAlive
        awaitsContinue = head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
    }

    // MARK: The request

    nonisolated(nonsending) func nextContent() async throws -> ByteBuffer? {
        guard !hasWholeRequest else { return nil }
        try await sendContinue()
        switch try await requests.next(isolation: #isolation) {
        case .body(let chunk)?:
            tally.bytesReceived += Int64(chunk.readableBytes)
            return chunk
        case .end?, .head?:
            hasWholeRequest = true
            return nil
        case nil: throw HTTP1Failure.connectionClosed
        }
    }

    /// RFC 9110 section 10.1.1.
    nonisolated(nonsending) private func sendContinue() async throws {
        guard awaitsContinue, tally.status == nil else { return }
        awaitsContinue = false
        try await responses.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
    }

    /// Reads what is left of the request, and says whether the next one can follow.
    nonisolated(nonsending) func skipRest() async throws -> Bool {
        // A client that still waits for a 100 may send its content or leave it: nobody can tell what follows.
        guard keepsAlive, !awaitsContinue || hasWholeRequest else { return false }
        var left = Self.largestRest
        while left > 0, let chunk = try await nextContent() { left -= chunk.readableBytes }
        return hasWholeRequest
    }

    // MARK: The answer

    nonisolated(nonsending) func respond(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, _ content: ByteBuffer
    ) async throws {
        var fields = fields
        if fields[.contentLength] == nil, status.code != 204, status.code != 304 {
            fields[.contentLength] = String(content.readableBytes)
        }
        try await begin(status, fields)
        if content.readableBytes > 0 { try await write(content) }
        try await finish()
    }

    nonisolated(nonsending) func begin(_ status: HTTPResponse.Status, _ fields: HTTPFields) async throws {
        tally.status = status.code
        var headers = commonFields
        headers.add(name: "Date", value: HTTPTimestamp.text(WallClock.seconds))
        for field in fields { headers.add(name: field.name.rawName, value: field.value) }
        if !keepsAlive { headers.add(name: "Connection", value: "close") }
        let status = HTTPResponseStatus(statusCode: status.code, reasonPhrase: status.reasonPhrase)
        try await responses.write(
            .head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
    }

    nonisolated(nonsending) func write(_ content: ByteBuffer) async throws {
        // RFC 9110 section 9.3.2.
        guard request.method != .head else { return }
        try await responses.write(.body(.byteBuffer(content)))
        tally.bytesSent += Int64(content.readableBytes)
    }

    nonisolated(nonsending) func finish() async throws {
        try await responses.write(.end(nil))
        hasWholeResponse = true
    }

    /// Takes back what the next request is read from.
    func takeRequests() -> Requests { requests }
}

/// Why an exchange comes to nothing.
enum HTTP1Failure: Error, Hashable {
    case connectionClosed
}

extension HTTPRequest {
    /// The request that a head of HTTP/1.1 describes.
    init(_ head: HTTPRequestHead, scheme: String) {
        var (target, authority) = (head.uri, head.headers.first(name: "host"))
        // The absolute form (RFC 9112 section 3.2.2).
        if !target.hasPrefix("/"), let start = target.firstRange(of: "://")?.upperBound {
            let end = target[start...].firstIndex(of: "/") ?? target.endIndex
            authority = String(target[start..<end])
            target = end < target.endIndex ? String(target[end...]) : "/"
        }
        var fields = HTTPFields()
        for (name, value) in head.headers {
            if let name = HTTPField.Name(name), name != .host {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        self.init(
            method: Method(head.method.rawValue) ?? .trace, scheme: scheme, authority: authority,
            path: target,
            headerFields: fields)
    }
}

extension HTTPField.Name {
    static let host = HTTPField.Name("Host")!
}
