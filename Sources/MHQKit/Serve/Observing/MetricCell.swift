import Metrics
import NIOConcurrencyHelpers

/// The value of a metric.
final class MetricCell: CounterHandler, RecorderHandler, MeterHandler, TimerHandler {
    enum Kind: String {
        case counter, gauge, summary, histogram
    }

    private struct Value {
        var sum = 0.0
        var count = 0
        /// How many fell into each bucket.
        var buckets: [Int]
    }

    let kind: Kind
    private let value: NIOLockedValueBox<Value>

    /// The upper ends of a histogram's buckets, in seconds: from a round trip on the same machine to the
    /// longest wait for a handshake.
    private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    init(_ kind: Kind) {
        self.kind = kind
        let buckets = kind == .histogram ? Self.bounds.count : 0
        value = NIOLockedValueBox(Value(buckets: Array(repeating: 0, count: buckets)))
    }

    // MARK: What swift-metrics calls

    func increment(by amount: Int64) { add(Double(amount)) }
    func reset() { set(0.0) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLockedValue { $0.sum = value } }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { kind == .gauge ? set(value) : add(value) }
    func recordNanoseconds(_ duration: Int64) { add(Double(duration) / 1e9) }

    private func add(_ amount: Double) {
        value.withLockedValue { value in
            value.sum += amount
            value.count += 1
            guard kind == .histogram, let bucket = Self.bounds.firstIndex(where: { amount <= $0 }) else {
                return
            }
            value.buckets[bucket] += 1
        }
    }

    // MARK: Writing it down

    func text(name: String, labels: [PrometheusRegistry.Label]) -> String {
        let value = value.withLockedValue { $0 }
        switch kind {
        case .counter, .gauge: return Self.line(name, labels, value.sum)
        case .summary: return sumAndCount(name, labels, value)
        case .histogram: return buckets(name, labels, value) + sumAndCount(name, labels, value)
        }
    }

    private func sumAndCount(_ name: String, _ labels: [PrometheusRegistry.Label], _ value: Value) -> String {
        Self.line(name + "_sum", labels, value.sum) + Self.line(name + "_count", labels, Double(value.count))
    }

    private func buckets(_ name: String, _ labels: [PrometheusRegistry.Label], _ value: Value) -> String {
        var (text, count) = ("", 0)
        for (bound, more) in zip(Self.bounds, value.buckets) {
            count += more
            text += Self.line(
                name + "_bucket", labels + [.init(name: "le", value: "\(bound)")], Double(count))
        }
        return text
            + Self.line(name + "_bucket", labels + [.init(name: "le", value: "+Inf")], Double(value.count))
    }

    private static func line(_ name: String, _ labels: [PrometheusRegistry.Label], _ value: Double) -> String
    {
        let set = labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
        // Whole numbers without a point, as far as they are exact.
        let number = value.rounded() == value && abs(value) < 0x1p53 ? "\(Int64(value))" : "\(value)"
        return name + (set.isEmpty ? "" : "{\(set)}") + " " + number + "\n"
    }

    private static func escaped(_ value: String) -> String {
        value.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
