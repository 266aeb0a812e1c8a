import GodwitCore
import GodwitWire

/// What was reported last, and when.
struct MetricsReport {
    var time = Instant.zero
    var traffic = TrafficCounts()
    var statistics: EndpointStatistics?
}

extension EndpointLoop {
    /// Reports what has been counted, once a second at most: a report costs as much as a packet.
    func reportMetrics(isLast: Bool = false) {
        guard isLast || clock.latest - lastReport.time > .seconds(1) else { return }
        settings.metrics.add(traffic, since: lastReport.traffic)
        settings.metrics.add(endpoint.statistics, since: lastReport.statistics)
        lastReport = MetricsReport(time: clock.latest, traffic: traffic, statistics: endpoint.statistics)
    }
}
