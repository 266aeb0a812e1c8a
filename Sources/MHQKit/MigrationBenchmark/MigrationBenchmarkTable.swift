import GodwitSimulator

/// What a benchmark of moving servers prints.
enum MigrationBenchmarkTable {
    static func lines(_ row: MigrationBenchmark.Row, _ figures: [MigrationBenchmark.Figure]) -> [String] {
        let width = (figures.map(\.series.count).max() ?? 0) + 2
        let asked = (figures.map(\.asked.count).max() ?? 0) + 2
        let reached = (figures.map(\.reached.count).max() ?? 0) + 2
        let head =
            left("  series", width + 2) + right("n", 7) + right("p50", 8) + right("p90", 8) + right("p99", 8)
            + right("max", 9) + "  " + left("asked", asked) + left("reached", reached)
        let body = figures.flatMap { figure -> [String] in
            var line = left("  " + figure.series, width + 2) + right("\(figure.distribution.count)", 7)
            for percent in [50.0, 90, 99] {
                line += right(number(figure.distribution.percentile(percent)), 8)
            }
            line += right(number(figure.distribution.max), 9) + "  " + left(figure.asked, asked)
            line += left(figure.reached, reached) + (figure.isMet ? "met" : "MISSED")
            return [line] + figure.faults.map { "      " + $0 }
        }
        return ["", "\(row.name): \(row.summary)", head] + body
    }

    private static func number(_ value: Double?) -> String { value.map { DemoTable.places($0, 1) } ?? "-" }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }

    // MARK: JSON

    static func json(_ figures: [MigrationBenchmark.Figure], seed: UInt64) -> String {
        "[" + figures.map { json($0, seed: seed) }.joined(separator: ",\n") + "]"
    }

    private static func json(_ figure: MigrationBenchmark.Figure, seed: UInt64) -> String {
        var line = JSONLine()
        line.add("row", figure.row)
        line.add("series", figure.series)
        line.add("asked", figure.asked)
        line.add("reached", figure.reached)
        line.add("met", figure.isMet)
        line.add("connections", figure.connections)
        line.add("lost", figure.lost)
        line.add("unconnected", figure.unconnected)
        line.add("measured", figure.distribution.count)
        line.add("p50_ms", json: json(figure.distribution.percentile(50)))
        line.add("p90_ms", json: json(figure.distribution.percentile(90)))
        line.add("p99_ms", json: json(figure.distribution.percentile(99)))
        line.add("max_ms", json: json(figure.distribution.max))
        if figure.plain != nil {
            line.add("p50_over_plain_ms", json: json(figure.excess(percentile: 50)))
            line.add("p99_over_plain_ms", json: json(figure.excess(percentile: 99)))
        }
        line.add("faults", figure.faults)
        line.add("seed", seed)
        return line.finished()
    }

    private static func json(_ value: Double?) -> String { value.map { DemoTable.places($0, 3) } ?? "null" }
}
