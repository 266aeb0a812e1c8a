import Godwit
public import ServiceLifecycle

/// A server as a service of swift-service-lifecycle: it serves until the group of services is shut down, and
/// then lets its requests come to an end.
///
/// ```swift
/// let service = HTTP3Service(server) { request, body, response in … }
/// try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
public struct HTTP3Service: Service {
    private let server: HTTP3Server
    private let gracePeriod: Duration
    private let handler: HTTP3Server.Handler

    /// A service that serves requests until its group shuts down.
    ///
    /// - Parameters:
    ///   - server: where the requests come to.
    ///   - gracePeriod: how long requests may go on when the group is shut down.
    ///   - handler: answers a request, as for ``HTTP3Server/run(_:)``.
    public init(
        _ server: HTTP3Server, gracePeriod: Duration = .seconds(10), handler: @escaping HTTP3Server.Handler
    ) {
        self.server = server
        self.gracePeriod = gracePeriod
        self.handler = handler
    }

    /// Serves until the group is shut down and the requests have ended, or were cut off after the grace
    /// period.
    public func run() async throws {
        try await GracefulRun.run {
            try await server.run(handler)
        } shutdown: { isGraceful in
            await server.shutdown(gracePeriod: isGraceful ? gracePeriod : .zero)
        }
    }
}
