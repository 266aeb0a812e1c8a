import GodwitHTTP3
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// A context for requests that come over HTTP/3. It has what Hummingbird's own has but for a NIO channel, of
/// which there is none.
struct HTTP3RouterContext: RequestContext {
    /// What a context is made of.
    struct Source: RequestContextSource {
        let logger: Logger
        let http3: HTTP3RequestContext
    }

    var coreContext: CoreRequestContextStorage
    /// Where the request came from, and how.
    let http3: HTTP3RequestContext

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        http3 = source.http3
    }
}

extension HTTP3Service {
    /// A service that has a Hummingbird router answer the requests of an HTTP/3 server.
    init(_ server: HTTP3Server, serving router: Router<HTTP3RouterContext>, logger: Logger) {
        let responder = router.buildResponder()
        self.init(server) { head, body, response in
            let source = HTTP3RouterContext.Source(logger: logger, http3: response.context)
            let request = Request(head: head, body: RequestBody(asyncSequence: body))
            let answer = try await responder.respond(to: request, context: HTTP3RouterContext(source: source))
            let writer = try await response.send(
                HTTPResponse(status: answer.status, headerFields: answer.headers))
            try await answer.body.write(RouterBodyWriter(writer: writer))
        }
    }
}

/// Gives Hummingbird's response bodies to HTTP/3.
private struct RouterBodyWriter: ResponseBodyWriter {
    let writer: HTTP3BodyWriter

    func write(_ buffer: ByteBuffer) async throws { try await writer.write(buffer) }

    func finish(_ trailers: HTTPFields?) async throws { try await writer.finish(trailers: trailers) }
}
