import GodwitHTTP3
import HTTPTypes
import Logging
import ServiceLifecycle

/// Says hello at `/`, and sends back at `/echo` whatever is posted there. Ctrl-C lets requests come to an end
/// first.
@main
struct HelloServer {
    static func main() async throws {
        let identity = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"]).identity()
        let server = try await HTTP3Server.bind(to: NetworkAddress("127.0.0.1:4433")!, certificate: identity)
        let service = HTTP3Service(server) { request, body, response in
            switch (request.method, request.path) {
            case (.get, "/"):
                try await response.respond(.ok, fields: [.contentType: "text/plain"], body: "hello\n")
            case (.post, "/echo"): try await echo(body, response)
            default: try await response.respond(.notFound)
            }
        }
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigint, .sigterm],
            logger: Logger(label: "HTTP3Server")
        ).run()
    }

    static func echo(_ body: HTTP3Body, _ response: HTTP3ResponseWriter) async throws {
        let writer = try await response.send(.ok)
        for try await chunk in body { try await writer.write(chunk) }
        try await writer.finish()
    }
}
