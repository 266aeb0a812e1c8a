public import ServiceLifecycle

/// A listener as a service of swift-service-lifecycle: it serves until the group of services is shut down,
/// and then lets its connections come to an end.
///
/// ```swift
/// let service = QUICService(listener) { connection in … }
/// try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm], logger: logger).run()
/// ```
public struct QUICService: Service {
    private let listener: QUICListener
    private let gracePeriod: Duration
    private let handler: @Sendable (QUICConnection) async throws -> Void

    /// A service that serves connections until its group shuts down.
    ///
    /// - Parameters:
    ///   - listener: where the connections come from.
    ///   - gracePeriod: how long connections may go on when the group is shut down.
    ///   - handler: serves a connection, as for ``QUICListener/run(_:)``.
    public init(
        _ listener: QUICListener, gracePeriod: Duration = .seconds(10),
        handler: @escaping @Sendable (QUICConnection) async throws -> Void
    ) {
        self.listener = listener
        self.gracePeriod = gracePeriod
        self.handler = handler
    }

    /// Serves until the group is shut down and the connections have ended, or were closed after the grace
    /// period.
    public func run() async throws {
        try await GracefulRun.run {
            try await listener.run(handler)
        } shutdown: { isGraceful in
            await listener.shutdown(gracePeriod: isGraceful ? gracePeriod : .zero)
        }
    }
}
