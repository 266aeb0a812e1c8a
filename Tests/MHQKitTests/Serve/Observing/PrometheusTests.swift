import Metrics
import Testing

@testable import MHQKit

@Suite struct PrometheusTests {
    private let registry = PrometheusRegistry()

    private func counter(_ label: String, _ dimensions: [(String, String)] = []) -> Counter {
        Counter(label: label, dimensions: dimensions, factory: registry)
    }

    @Test("Counters end in _total and add up, whoever counts")
    func counters() {
        counter("a_b").increment()
        counter("a_b").increment(by: 41)
        counter("already_total").increment()
        #expect(
            registry.text
                == "# TYPE a_b_total counter\na_b_total 42\n# TYPE already_total counter\nalready_total 1\n")
    }

    @Test("Labels tell the values of one metric apart, and are escaped")
    func labels() {
        counter("x", [("role", "server")]).increment()
        counter("x", [("role", "a\"b\\c\nd")]).increment(by: 2)
        let expected = """
            # TYPE x_total counter
            x_total{role="a\\"b\\\\c\\nd"} 2
            x_total{role="server"} 1

            """
        #expect(registry.text == expected)
    }

    @Test("Gauges have the last value")
    func gauges() {
        let gauge = Gauge(label: "g", dimensions: [], factory: registry)
        gauge.record(7)
        gauge.record(2.5)
        #expect(registry.text == "# TYPE g gauge\ng 2.5\n")
    }

    @Test("Timers are histograms in seconds")
    func timers() {
        let timer = Timer(label: "t", dimensions: [("role", "x")], factory: registry)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(30_000_000_000)
        let text = registry.text
        #expect(text.hasPrefix("# TYPE t_seconds histogram\n"))
        #expect(text.contains("t_seconds_bucket{role=\"x\",le=\"0.001\"} 0\n"))
        #expect(text.contains("t_seconds_bucket{role=\"x\",le=\"0.0025\"} 1\n"))
        #expect(text.contains("t_seconds_bucket{role=\"x\",le=\"10.0\"} 1\n"))
        #expect(text.contains("t_seconds_bucket{role=\"x\",le=\"+Inf\"} 2\n"))
        #expect(text.contains("t_seconds_sum{role=\"x\"} 30.002\n"))
        #expect(text.contains("t_seconds_count{role=\"x\"} 2\n"))
    }

    @Test("Names keep to what the format allows")
    func names() {
        counter("9.a-b:c ä").increment()
        #expect(registry.text.contains("_9_a_b:c___total 1\n"))
    }

    @Test("There is an end to how many sets of labels are kept")
    func bound() {
        for index in 0..<10_050 { counter("m", [("peer", "\(index)")]).increment() }
        #expect(registry.text.split(separator: "\n").count == 10_001)
    }
}
