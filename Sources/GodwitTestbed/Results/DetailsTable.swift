import MHQKit

extension ResultTable {
    /// What is ours and has no column in the thesis's files; one row a client. What the columns say is in
    /// `Plans/repeating-the-thesis.md`.
    static let details = ResultTable(
        name: "godwit_details.csv",
        columns: [
            "experiment", "run", "repetition", "seed", "client", "protocol", "migrationTechnique",
            "memoryFootprintInflation [MB]", "clients", "intervalBetweenRequests [ms]", "requests",
            "longestServiceTime [us]", "p99ServiceTime [us]", "stallBeyondFreeze [us]", "frozen [s]",
            "connectionEnd", "datagramsToOldAddress", "flaws",
        ]
    ) { plan, run, outcome in
        outcome.clients.enumerated().map { number, client in
            let entries = client.log.entries
            return [
                "\(plan.experiment)", "\(run.run)", "\(run.repetition)", "\(run.seed)", "\(number + 1)",
                run.migrationProtocol.rawValue, run.technique.rawValue, "\(run.inflation)", "\(run.clients)",
                "\(run.interval)", "\(entries.count)", ResultCell.text(entries.map(\.serviceTime).max()),
                ResultCell.text(client.serviceTime(quantile: 0.99)),
                ResultCell.text(client.stall(after: outcome.thawTimes)),
                ResultCell.seconds(outcome.migrations.first?.frozen),
                ResultCell.quoted(client.endReason ?? ""), "\(outcome.lostAtOldAddress)",
                ResultCell.quoted(outcome.flaws.joined(separator: "; ")),
            ]
        }
    }

    /// Whether rows of ``details`` are of a run that failed its checks: flaws are their last cell.
    static func haveFlaws(_ details: [String]) -> Bool { details.contains { !$0.hasSuffix(",") } }
}

extension RunOutcome.Client {
    /// What such a part of the requests did not take longer than, µs: between two of them, as the analysis has it.
    func serviceTime(quantile: Double) -> Int64? {
        let times = log.entries.map(\.serviceTime).sorted()
        guard let last = times.indices.last else { return nil }
        let rank = quantile * Double(last)
        let (below, above) = (times[Int(rank)], times[min(Int(rank) + 1, last)])
        return below + Int64((Double(above - below) * (rank - rank.rounded(.down))).rounded())
    }

    /// How long the client was still kept waiting once the server went on, µs: until the first response after that,
    /// from when the server went on, or from the request if that was sent later. The longest of all moves.
    ///
    /// - Parameter thaws: when the server went on, Unix time, seconds.
    /// - Returns: nil when nothing moved, when no response came any more, or where requests bear no time: in files of
    ///   the first two experiments they don't.
    func stall(after thaws: [Double]) -> Int64? {
        let stalls = thaws.compactMap { thaw -> Int64? in
            let thaw = Int64(thaw * 1e6)
            let first = log.entries.first { $0.timestamp > 0 && $0.timestamp + $0.serviceTime >= thaw }
            return first.map { $0.timestamp + $0.serviceTime - max($0.timestamp, thaw) }
        }
        return stalls.count == thaws.count ? stalls.max() : nil
    }
}
