/// What a demo says at its end.
struct DemoReport: Sendable {
    let options: DemoOptions
    let rows: [DemoRow]

    var lines: [String] { options.writesJSON ? [json] : text }

    private var json: String { "[" + rows.map(\.json).joined(separator: ",\n ") + "]" }

    private var text: [String] {
        var lines = [""] + DemoTable.head + rows.map(DemoTable.line) + [""] + explanation + [""]
        lines += faults
        lines.append(verdict)
        lines.append(
            "Not shown: the process stayed on this host. To carry it to another takes CRIU or the like.")
        return lines
    }

    /// What went wrong first under each strategy. JSON has no place for it.
    var faults: [String] { rows.compactMap { row in row.fault.map { "\(row.strategy.title): \($0)" } } }

    private var explanation: [String] {
        let lost = DemoTable.grouped(rows.reduce(0) { $0 + $1.lostAtOldAddress })
        let late = rows.reduce(0) { $0 + $1.answeredAtOldAddress }
        return [
            "Service times are medians of small requests, 'first after' of each client's first after the thaw.",
            "The stall is the longest of any client, from SIGCONT until data came again. At addresses that the",
            "server had left \(lost) datagrams were lost; clients got \(late) from there.",
        ]
    }

    private var verdict: String {
        let lost = rows.reduce(0) { $0 + $1.connectionsLost }
        let failed = rows.reduce(0) { $0 + $1.failed }
        let connections = rows.reduce(0) { $0 + $1.clients }
        if options.isControl {
            return "Without migration \(lost) of \(connections) clients lost their server at its first move."
        }
        let moves = rows.reduce(0) { $0 + $1.moves }
        guard rows.allSatisfy(\.isGood) else {
            let what = "\(lost) of \(connections) connections, \(failed) requests"
            return "Not everything went as it has to: \(what) were lost in \(moves) moves."
        }
        return "The server moved \(moves) times under \(connections) connections. Nothing was lost."
    }

    // MARK: Lines

    /// What is to come.
    static func headline(_ options: DemoOptions) -> String {
        let count = options.strategies.count
        let what =
            options.isControl
            ? "migration off, which has to lose them all"
            : "\(count) \(count == 1 ? "strategy" : "strategies"), \(options.moves) moves each"
        return "Godwit demo: \(options.clients) clients, \(what), every byte checked (seed \(options.seed))"
    }

    /// A line for a strategy that is done.
    static func summary(of row: DemoRow) -> StyledLine {
        var line = StyledLine()
        line.add(Columns.padded(row.strategy.title, to: 24))
        line.add(row.isGood ? "✓" : "✗", row.isGood ? .green : .red)
        line.add(
            " \(row.clients - row.connectionsLost) of \(row.clients) clients followed \(row.moves) moves")
        return line
    }
}
