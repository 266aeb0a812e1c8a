import GodwitCore
import GodwitWire
import Metrics
import Synchronization

/// What a server's or a client's endpoints report to swift-metrics. The labels are listed in the
/// documentation.
final class QUICMetrics: Sendable {
    let factory: any MetricsFactory
    private let role: (String, String)

    private let opened: Counter
    private let active: Gauge
    private let handshake: Timer
    private let bytesReceived: Counter
    private let bytesSent: Counter
    private let datagramsReceived: Counter
    private let datagramsSent: Counter
    private let datagramsDropped: Counter
    private let datagramsNotSent: Counter
    private let retries: Counter
    private let statelessResets: Counter
    private let refused: Counter
    private let activeCount = Atomic<Int>(0)

    init(role: Role, factory: any MetricsFactory = MetricsSystem.factory) {
        let role = ("role", "\(role)")
        func counter(_ label: String, _ dimension: (String, String)? = nil) -> Counter {
            Counter(label: label, dimensions: [role] + [dimension].compactMap { $0 }, factory: factory)
        }
        self.factory = factory
        self.role = role
        opened = counter("godwit_connections_opened")
        active = Gauge(label: "godwit_connections_active", dimensions: [role], factory: factory)
        handshake = Timer(label: "godwit_handshake_duration", dimensions: [role], factory: factory)
        bytesReceived = counter("godwit_bytes", ("direction", "received"))
        bytesSent = counter("godwit_bytes", ("direction", "sent"))
        datagramsReceived = counter("godwit_datagrams", ("direction", "received"))
        datagramsSent = counter("godwit_datagrams", ("direction", "sent"))
        datagramsDropped = counter("godwit_datagrams_dropped", ("direction", "received"))
        datagramsNotSent = counter("godwit_datagrams_dropped", ("direction", "sent"))
        retries = counter("godwit_retries")
        statelessResets = counter("godwit_stateless_resets")
        refused = counter("godwit_connections_refused")
    }

    // MARK: Connections

    func noteOpened(handshake duration: TimeSpan) {
        opened.increment()
        handshake.recordNanoseconds(duration.nanoseconds)
        active.record(activeCount.add(1, ordering: .relaxed).newValue)
    }

    /// For a connection that was noted as opened.
    func noteClosed(_ reason: ConnectionCloseReason) {
        Counter(
            label: "godwit_connections_closed", dimensions: [role, ("reason", reason.metricsName)],
            factory: factory
        ).increment()
        active.record(activeCount.subtract(1, ordering: .relaxed).newValue)
    }

    // MARK: Traffic

    /// Adds what has come since an earlier report.
    func add(_ traffic: TrafficCounts, since earlier: TrafficCounts) {
        bytesReceived.increment(by: traffic.bytesReceived &- earlier.bytesReceived)
        bytesSent.increment(by: traffic.bytesSent &- earlier.bytesSent)
        datagramsReceived.increment(by: traffic.datagramsReceived &- earlier.datagramsReceived)
        datagramsSent.increment(by: traffic.datagramsSent &- earlier.datagramsSent)
        datagramsNotSent.increment(by: traffic.datagramsNotSent &- earlier.datagramsNotSent)
        datagramsDropped.increment(by: traffic.unusable &- earlier.unusable)
    }

    /// Adds what has come since an earlier report.
    func add(_ statistics: EndpointStatistics, since earlier: EndpointStatistics?) {
        retries.increment(by: statistics.retriesSent &- (earlier?.retriesSent ?? 0))
        statelessResets.increment(by: statistics.statelessResetsSent &- (earlier?.statelessResetsSent ?? 0))
        refused.increment(by: statistics.refused &- (earlier?.refused ?? 0))
        datagramsDropped.increment(by: statistics.datagramsDropped &- (earlier?.datagramsDropped ?? 0))
    }
}

extension ConnectionCloseReason {
    /// The value of the `reason` dimension.
    var metricsName: String {
        switch self {
        case .transport(.noError, _, _, _): "no_error"
        case .transport(_, _, _, let byPeer): byPeer ? "transport_error_by_peer" : "transport_error"
        case .application(_, _, let byPeer): byPeer ? "application_by_peer" : "application"
        case .idleTimeout: "idle_timeout"
        case .handshakeTimeout: "handshake_timeout"
        case .statelessReset: "stateless_reset"
        case .versionNegotiationFailed: "version_negotiation"
        case .noViablePath: "no_viable_path"
        }
    }
}
