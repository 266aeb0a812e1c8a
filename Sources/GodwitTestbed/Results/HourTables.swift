import MHQKit

// The files of the fifth and sixth experiment: an hour is one row, whose cells are lists.
extension ResultTable {
    private static let identity = ["experiment", "run", "repetition", "seed"]

    private static func identity(_ plan: ExperimentPlan, _ run: RunSpecification) -> [String] {
        ["\(plan.experiment)", "\(run.run)", "\(run.repetition)", "\(run.seed)"]
    }

    private static func minutes(_ plan: ExperimentPlan) -> String {
        let minutes = Double(plan.steps.handoverEvery) / 60_000
        return minutes == minutes.rounded() ? "\(Int(minutes))" : "\(minutes)"
    }

    private static func times(_ outcome: RunOutcome) -> [String] {
        let entries = outcome.clients.first?.log.entries ?? []
        return [
            ResultCell.list(entries.map(\.timestamp)), ResultCell.list(entries.map(\.serviceTime)),
            ResultCell.list(entries.map(\.address)),
        ]
    }

    /// What one host measured: dumps when it was left, restores when it was come to.
    ///
    /// - Parameter parity: 0 for the host where the server begins, which it leaves first and comes to second.
    static func hostTimes(_ name: String, parity: Int) -> ResultTable {
        ResultTable(
            name: "experiment5_first_\(name).csv",
            columns: identity + [
                "migrationTechnique", "compressionEnabled", "preDumpTimes [s]", "preDumpTxTimes [s]",
                "dumpTimes [s]", "dumpTxTimes [s]", "dumpSizes", "preDumpSizes",
                "rsyncPreDumpTotalFileSizes", "rsyncPreDumpTotalBytesSent", "rsyncPreDumpTransferRates",
                "rsyncPreDumpCompressionSpeedups", "rsyncDumpTotalFileSizes", "rsyncDumpTotalBytesSent",
                "rsyncDumpTransferRates", "rsyncDumpCompressionSpeedups", "restoreTimes [s]",
                "lazyPagesTxTimes [s]", "lazyPagesTxEndTimes [s]", "numberOfLazyPages",
            ]
        ) { plan, run, outcome in
            let left = half(outcome.migrations, parity)
            let reached = half(outcome.migrations, 1 - parity)
            let compression = ResultCell.flag(plan.allSeries[run.series].compression)
            return [
                identity(plan, run) + [run.technique.rawValue, compression] + dumps(left) + restores(reached)
            ]
        }
    }

    private static func half(_ migrations: [ContainerPhases], _ parity: Int) -> [ContainerPhases] {
        migrations.enumerated().filter { $0.offset % 2 == parity }.map(\.element)
    }

    private static func dumps(_ phases: [ContainerPhases]) -> [String] {
        let transfers = phases.map { ResultTable.transfers($0) }
        return [
            ResultCell.list(phases.compactMap(\.preDump)),
            ResultCell.list(phases.compactMap(\.preDumpTransfer)),
            ResultCell.list(phases.map(\.dump)), ResultCell.list(phases.map(\.dumpTransfer)),
            ResultCell.list(phases.map { ResultCell.diskSize($0.dumpSize) }),
            ResultCell.list(phases.compactMap(\.preDumpSize).map { ResultCell.diskSize($0) }),
        ] + (0..<8).map { column in ResultCell.list(transfers.map { $0[column] }) }
    }

    private static func restores(_ phases: [ContainerPhases]) -> [String] {
        [
            ResultCell.list(phases.map { ResultCell.times($0.restore) }),
            ResultCell.list(phases.compactMap(\.lazyTransfer)), ResultCell.list(phases.compactMap(\.lazyEnd)),
            ResultCell.list(phases.compactMap(\.lazyPages).map { Int64($0) }),
        ]
    }

    static let hourOfMigrations = ResultTable(
        name: "experiment5_service_times.csv",
        columns: identity + [
            "protocol", "clientMigrationFrequency [min]", "requestTimestamps [us]", "serviceTimes [us]",
            "serverAddresses", "handoverTimestamps [s]", "migrationNotificationTimestamps [s]",
            "migrationTriggerTimestamps [s]",
        ]
    ) { plan, run, outcome in
        [
            identity(plan, run) + [run.migrationProtocol.name(in: 5), minutes(plan)] + times(outcome) + [
                ResultCell.list(outcome.handoverTimes), ResultCell.list(outcome.noticeTimes),
                ResultCell.list(outcome.triggerTimes),
            ]
        ]
    }

    static let hour = ResultTable(
        name: "experiment6_service_times.csv",
        columns: identity + [
            "clientMigrationFrequency [min]", "requestTimestamps [us]", "serviceTimes [us]",
            "serverAddresses", "handoverTimestamps [s]",
        ]
    ) { plan, run, outcome in
        [identity(plan, run) + [minutes(plan)] + times(outcome) + [ResultCell.list(outcome.handoverTimes)]]
    }

    static let hourOfServer = ResultTable(name: "experiment6_server.csv", columns: identity) {
        plan, run, _ in [identity(plan, run)]
    }
}
