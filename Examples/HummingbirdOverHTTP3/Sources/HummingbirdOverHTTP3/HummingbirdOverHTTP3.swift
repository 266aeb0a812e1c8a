import GodwitHTTP3
import Hummingbird
import Logging
import ServiceLifecycle

/// Serves one Hummingbird router over HTTP/3.
@main
struct HummingbirdOverHTTP3 {
    static func main() async throws {
        let router = Router(context: HTTP3RouterContext.self)
        router.get("/") { _, _ in "hello from Hummingbird\n" }
        router.get("/greet/:name") { _, context in "hello \(try context.parameters.require("name"))\n" }
        router.post("/echo") { request, _ in Response(status: .ok, body: .init(asyncSequence: request.body)) }

        let identity = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"]).identity()
        let server = try await HTTP3Server.bind(to: NetworkAddress("127.0.0.1:4433")!, certificate: identity)
        let service = HTTP3Service(server, serving: router, logger: Logger(label: "HummingbirdOverHTTP3"))
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigint, .sigterm],
            logger: Logger(label: "services")
        ).run()
    }
}
