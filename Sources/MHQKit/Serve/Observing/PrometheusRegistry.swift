import Metrics
import NIOConcurrencyHelpers

/// Keeps what is reported to swift-metrics, and writes it down in the text format of Prometheus (version
/// 0.0.4).
final class PrometheusRegistry: MetricsFactory {
    /// A metric of one name and one set of labels.
    private struct Key: Hashable {
        var name: String
        var labels: [Label]
    }

    struct Label: Hashable {
        var name: String
        var value: String
    }

    private let cells = NIOLockedValueBox<[Key: MetricCell]>([:])

    /// How many sets of labels there may be in all. What comes beyond is not kept.
    private static let capacity = 10_000

    // MARK: Making metrics

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter, suffix: "_total")
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        cell(label, dimensions, aggregate ? .summary : .gauge)
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .gauge)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .histogram, suffix: "_seconds")
    }

    private func cell(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricCell.Kind, suffix: String = ""
    ) -> MetricCell {
        let name = Self.sanitized(label, alsoAllows: ":")
        let key = Key(
            name: name.hasSuffix(suffix) ? name : name + suffix,
            labels: dimensions.map { Label(name: Self.sanitized($0, alsoAllows: ""), value: $1) })
        return cells.withLockedValue { cells in
            // One name is of one kind; the other kind is counted apart, and in vain.
            if let cell = cells[key] { return cell.kind == kind ? cell : MetricCell(kind) }
            let cell = MetricCell(kind)
            if cells.count < Self.capacity { cells[key] = cell }
            return cell
        }
    }

    // Metrics live as long as the process: counters that begin anew would look like a restart.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private static func sanitized(_ name: String, alsoAllows others: String) -> String {
        let characters = name.unicodeScalars.map { scalar -> Character in
            let isAllowed =
                scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar || scalar == "_")
                || others.unicodeScalars.contains(scalar)
            return isAllowed ? Character(scalar) : "_"
        }
        let text = String(characters)
        return text.first.map { "0"..."9" ~= $0 } == true ? "_" + text : text
    }

    // MARK: Writing them down

    /// All metrics in the text format.
    var text: String {
        let cells = cells.withLockedValue { $0 }
        var text = ""
        for (name, group) in Dictionary(grouping: cells, by: \.key.name).sorted(by: { $0.key < $1.key }) {
            text += "# TYPE \(name) \(group[0].value.kind.rawValue)\n"
            let lines = group.map { key, cell in cell.text(name: key.name, labels: key.labels) }
            text += lines.sorted().joined()
        }
        return text
    }
}
