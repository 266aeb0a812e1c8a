import Godwit
import Logging
import ServiceLifecycle

/// Sends back whatever comes, on every stream of every connection. Ctrl-C lets connections come to an end first.
@main
struct EchoServer {
    static func main() async throws {
        let identity = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"]).identity()
        let configuration = try QUICServerConfiguration(applicationProtocols: ["echo"], identity: identity)
        let listener = try await QUICListener.bind(
            to: NetworkAddress("127.0.0.1:4433")!, configuration: configuration)
        let service = QUICService(listener) { connection in
            try await withThrowingDiscardingTaskGroup { streams in
                for try await stream in connection.incomingStreams {
                    streams.addTask { try await echo(stream) }
                }
            }
        }
        let logger = Logger(label: "EchoServer")
        try await ServiceGroup(
            services: [service], gracefulShutdownSignals: [.sigint, .sigterm], logger: logger
        ).run()
    }

    static func echo(_ stream: QUICStream) async throws {
        for try await bytes in stream { try await stream.write(bytes) }
        try await stream.finish()
    }
}
