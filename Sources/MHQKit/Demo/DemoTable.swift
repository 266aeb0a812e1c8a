/// The table at the end of a demo.
enum DemoTable {
    /// The head, of two lines.
    static let head = [
        "                                                   service time (ms)              stall beyond",
        "strategy                requests  failed  checked   before  first after   later  the freeze (ms)",
    ]

    static func line(_ row: DemoRow) -> String {
        var line = Columns.padded(row.strategy.title, to: 22)
        line += right(grouped(row.requests), 10) + right(grouped(row.failed), 8)
        line += right(Quantities.bytes(Int64(row.bytesChecked)), 9)
        line += right(milliseconds(row.serviceTimeBefore), 9)
        line += right(milliseconds(row.firstServiceTimeAfter), 13)
        line += right(milliseconds(row.serviceTimeLater), 8)
        return line + right(milliseconds(row.stallBeyondFreeze), 17)
    }

    private static func milliseconds(_ value: Double?) -> String { value.map { places($0, 2) } ?? "never" }

    /// A number with so many places behind the point.
    static func places(_ value: Double, _ count: Int) -> String {
        let scale = (0..<count).reduce(1) { scale, _ in scale * 10 }
        let whole = Int((max(0, value) * Double(scale)).rounded())
        let fraction = String(whole % scale)
        return "\(whole / scale)." + String(repeating: "0", count: count - fraction.count) + fraction
    }

    /// A number with commas between thousands.
    static func grouped(_ number: Int) -> String {
        var (text, rest) = ("", String(number))
        while rest.count > 3 {
            text = "," + rest.suffix(3) + text
            rest.removeLast(3)
        }
        return rest + text
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
