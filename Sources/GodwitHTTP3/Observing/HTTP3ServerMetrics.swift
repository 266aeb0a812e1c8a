import Metrics

/// What a server reports to swift-metrics of its requests. The labels are listed in the documentation.
final class HTTP3ServerMetrics: Sendable {
    private let factory: any MetricsFactory
    private let answered: [Counter]
    private let cancelled: Counter

    init(factory: any MetricsFactory = MetricsSystem.factory) {
        self.factory = factory
        answered = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"].map { status in
            Counter(label: "godwit_http3_requests", dimensions: [("status", status)], factory: factory)
        }
        cancelled = Counter(label: "godwit_http3_requests_cancelled", dimensions: [], factory: factory)
    }

    fileprivate func add(_ tally: ServerTally) {
        for (counter, count) in zip(answered, tally.answered) where count > 0 { counter.increment(by: count) }
        if tally.cancelled > 0 { cancelled.increment(by: tally.cancelled) }
        for (name, count) in tally.limits {
            Counter(label: "godwit_http3_limits_hit", dimensions: [("limit", name)], factory: factory)
                .increment(by: count)
        }
    }
}

/// What has happened on one event loop since the last report: counters are not touched for each request.
struct ServerTally {
    private let metrics: HTTP3ServerMetrics
    /// By the first digit of the status; at 0 those that got none.
    fileprivate var answered = [Int](repeating: 0, count: 6)
    var cancelled = 0
    fileprivate var limits: [String: Int] = [:]

    init(_ metrics: HTTP3ServerMetrics) { self.metrics = metrics }

    mutating func noteAnswered(_ status: Int) { answered[min(status / 100, 5)] += 1 }

    mutating func noteLimit(_ name: String) { limits[name, default: 0] += 1 }

    mutating func report() {
        metrics.add(self)
        self = ServerTally(metrics)
    }
}
