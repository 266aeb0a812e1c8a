/// The work of `mhq migrate`: one command to a server, and its answer for people or programs.
public struct MigrateRun: Sendable {
    private let client: OperatorClient
    private let writesJSON: Bool

    /// - Parameters:
    ///   - control: the server's socket.
    ///   - timeout: how long to wait for the answer.
    ///   - writesJSON: whether to print the answer as it came.
    public init(control: String, timeout: Duration = .seconds(10), writesJSON: Bool) {
        client = OperatorClient(path: control, timeout: timeout)
        self.writesJSON = writesJSON
    }

    /// Has a command carried out.
    ///
    /// - Parameter write: takes a line of output, without its end.
    /// - Returns: the exit code.
    /// - Throws: a ``Failure`` when the server refused, for people; or when there is none.
    public func run(_ request: OperatorRequest, write: (String) -> Void) throws(Failure) -> Int32 {
        let line = try client.ask(request.line)
        let report = try OperatorReport(line: line)
        if writesJSON {
            write(line)
            return report.exitCode
        }
        guard report.isDone else { throw Failure(report.exitCode, report.error) }
        for line in Self.lines(request, report) { write(line) }
        return 0
    }

    private static func poolLine(_ report: OperatorReport) -> String {
        report.pool.isEmpty ? "the pool is empty" : "the pool is \(report.pool.joined(separator: ", "))"
    }

    static func lines(_ request: OperatorRequest, _ report: OperatorReport) -> [String] {
        let epoch = report.epoch.map { "\($0)" } ?? "none"
        let summary = report.summary ?? "no connections"
        var lines: [String]
        switch request {
        case .prepare: lines = ["plan \(epoch): \(summary)"]
        case .hold: lines = ["plan \(epoch): held; switch or cancel ends that"]
        case .networkSwitched: lines = ["plan \(epoch): serving at \(report.address ?? "?")"]
        case .cancel: lines = ["plan \(epoch): called off; serving at \(report.address ?? "?")"]
        case .pool: lines = [poolLine(report)]
        case .status:
            lines = [
                "\(report.state ?? "?") at \(report.address ?? "?"), \(report.openConnections ?? 0) connections"
            ]
            if report.epoch != nil { lines.append("plan \(epoch): \(summary)") }
            if !report.pool.isEmpty { lines.append(poolLine(report)) }
        case .shutdown: lines = ["shutting down"]
        }
        for (id, outcome) in report.outcomes.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(id)  \(outcome)")
        }
        return lines
    }
}
