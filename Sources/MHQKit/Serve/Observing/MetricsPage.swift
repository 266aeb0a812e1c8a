import HTTPTypes
import Metrics
import NIOCore

extension PrometheusRegistry {
    /// The one that this process reports to, from when it is first asked for. What reports was made later.
    static let shared: PrometheusRegistry = {
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }()
}

/// What the metrics' address has to offer.
enum MetricsPage {
    nonisolated(nonsending) static func answer(_ exchange: HTTP1Exchange, _ remote: String) async throws {
        guard exchange.request.method == .get || exchange.request.method == .head else {
            return try await exchange.refuseMethod(allowing: "GET, HEAD")
        }
        guard exchange.request.path?.prefix(while: { $0 != "?" }) == "/metrics" else {
            return try await exchange.refuse(.notFound)
        }
        let text = PrometheusRegistry.shared.text + ProcessMetrics.text
        try await exchange.respond(
            .ok, [.contentType: "text/plain; version=0.0.4; charset=utf-8"], ByteBuffer(string: text))
    }
}

/// Counts requests over TCP as the library counts those over HTTP/3.
struct RequestCounters: Sendable {
    private let counters = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"].map { status in
        Counter(label: "mhq_http1_requests", dimensions: [("status", status)])
    }

    /// - Parameter status: nil for a request that got no answer.
    func note(_ status: Int?) { counters[min((status ?? 0) / 100, 5)].increment() }
}
