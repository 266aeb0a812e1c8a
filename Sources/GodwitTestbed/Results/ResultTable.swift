import MHQKit

/// A file of results: its name, its columns, and the rows that a run adds.
package struct ResultTable: Sendable {
    package let name: String
    package let columns: [String]
    let rows: @Sendable (ExperimentPlan, RunSpecification, RunOutcome) -> [[String]]

    var header: String { columns.joined(separator: ",") }

    /// The rows of a run, as lines.
    func lines(_ plan: ExperimentPlan, _ run: RunSpecification, _ outcome: RunOutcome) -> [String] {
        rows(plan, run, outcome).map { $0.joined(separator: ",") }
    }

    /// The files of an experiment, ours last.
    package static func all(of experiment: Int) -> [ResultTable] {
        let published: [ResultTable] =
            switch experiment {
            case 0: [baseline]
            case 1, 2: [serviceTimes(experiment), migrationTimes(experiment), restoreTimes(experiment)]
            case 3: [notificationTimes]
            case 4: [clientServiceTimes, clientMigrationTimes, clientRestoreTimes]
            case 5: [hostTimes("source", parity: 0), hostTimes("destination", parity: 1), hourOfMigrations]
            default: [hour, hourOfServer]
            }
        return published + [details]
    }
}

// MARK: One client

extension ResultTable {
    private static let service = ["serviceTimes [us]", "serverAddresses"]
    private static let identity = ["experiment", "run", "repetition", "seed"]

    private static func identity(_ plan: ExperimentPlan, _ run: RunSpecification) -> [String] {
        ["\(plan.experiment)", "\(run.run)", "\(run.repetition)", "\(run.seed)"]
    }

    /// Nothing when the client did not come to its end.
    private static func service(_ outcome: RunOutcome) -> [String] {
        guard let log = measured(outcome) else { return ["", ""] }
        return [
            ResultCell.list(log.entries.map(\.serviceTime)), ResultCell.list(log.entries.map(\.address)),
        ]
    }

    private static func measured(_ outcome: RunOutcome) -> ServiceTimeLog? {
        guard let log = outcome.clients.first?.log, log.fileName != nil, !log.entries.isEmpty else {
            return nil
        }
        return log
    }

    static let baseline = ResultTable(
        name: "experiment0_service_times.csv", columns: identity + service + ["protocol"]
    ) { plan, run, outcome in
        [identity(plan, run) + service(outcome) + [run.migrationProtocol.name(in: 0)]]
    }

    static func serviceTimes(_ experiment: Int) -> ResultTable {
        ResultTable(
            name: "experiment\(experiment)_service_times.csv",
            columns: identity + service + ["firstRequestAfterMigrationTriggered"]
        ) { plan, run, outcome in
            guard isReadable(plan, outcome) else { return [identity(plan, run) + ["", "", ""]] }
            let first = measured(outcome)?.firstRequestAfterMigrationTriggered
            return [identity(plan, run) + service(outcome) + [ResultCell.text(first)]]
        }
    }

    /// The scripts of the second experiment look for a response from the destination that is not the last one.
    private static func isReadable(_ plan: ExperimentPlan, _ outcome: RunOutcome) -> Bool {
        guard plan.experiment == 2, let log = measured(outcome) else { return true }
        guard let first = log.firstRequestAfterMigrationTriggered else { return false }
        let destination = "\(plan.addresses.server(plan.addresses.destination))"
        return log.entries.dropFirst(first - 1).dropLast().contains { $0.address == destination }
    }
}

// MARK: The container

extension ResultTable {
    private static let phases = [
        "preDumpTime [s]", "preDumpTxTime [s]", "dumpTime [s]", "dumpTxTime [s]", "dumpSize", "preDumpSize",
    ]
    private static let transfers = ["PreDump", "Dump"].flatMap { name in
        ["TotalFileSize", "TotalBytesSent", "TransferRate", "CompressionSpeedup"].map { "rsync\(name)\($0)" }
    }
    private static let restore = [
        "restoreTime [s]", "numberOfLazyPages", "lazyPagesTxTime [s]", "lazyPagesTxEndTime [s]",
    ]

    private static func phases(_ phases: ContainerPhases?) -> [String] {
        [
            ResultCell.seconds(phases?.preDump), ResultCell.seconds(phases?.preDumpTransfer),
            ResultCell.seconds(phases?.dump), ResultCell.seconds(phases?.dumpTransfer),
            ResultCell.diskSize(phases?.dumpSize), ResultCell.diskSize(phases?.preDumpSize),
        ]
    }

    static func transfers(_ phases: ContainerPhases?) -> [String] {
        transfer(phases?.preDumpSize, phases?.preDumpSent, phases?.preDumpTransfer)
            + transfer(phases?.dumpSize, phases?.dumpSent, phases?.dumpTransfer)
    }

    private static func transfer(_ size: Double?, _ sent: Double?, _ span: Double?) -> [String] {
        [
            ResultCell.size(size), ResultCell.size(sent), ResultCell.rate(sent, span),
            ResultCell.speedup(size, sent),
        ]
    }

    private static func restore(_ phases: ContainerPhases?) -> [String] {
        [
            phases.map { ResultCell.list(ResultCell.times($0.restore)) } ?? "",
            ResultCell.text(phases?.lazyPages), ResultCell.seconds(phases?.lazyTransfer),
            ResultCell.seconds(phases?.lazyEnd),
        ]
    }

    static func migrationTimes(_ experiment: Int) -> ResultTable {
        ResultTable(
            name: "experiment\(experiment)_migration_times.csv",
            columns: identity + ["migrationTechnique", "protocol", "memoryFootprintInflation [MB]"] + phases
                + ["compressionEnabled"] + transfers
        ) { plan, run, outcome in
            let found = outcome.migrations.first
            return [
                identity(plan, run)
                    + [
                        run.technique.rawValue, run.migrationProtocol.name(in: experiment),
                        "\(run.inflation)",
                    ]
                    + phases(found) + [ResultCell.flag(plan.allSeries[run.series].compression)]
                    + transfers(found)
            ]
        }
    }

    static func restoreTimes(_ experiment: Int) -> ResultTable {
        ResultTable(
            name: "experiment\(experiment)_restore_times.csv",
            columns: ["experiment", "run", "repetition"] + restore
        ) { plan, run, outcome in
            [identity(plan, run).dropLast() + restore(outcome.migrations.first)]
        }
    }
}

// MARK: Many clients

extension ResultTable {
    static let notificationTimes = ResultTable(
        name: "experiment3_migration_notification_times.csv",
        columns: [
            "experiment", "run", "protocol", "expectedNumberOfClients", "actualNumberOfClients",
            "migrationNotificationTime [us]",
        ]
    ) { plan, run, outcome in
        [
            [
                "3", "\(run.run)", run.migrationProtocol.name(in: 3), "\(run.clients)",
                ResultCell.text(outcome.readyClients), ResultCell.text(outcome.notificationTime),
            ]
        ]
    }

    static let clientServiceTimes = ResultTable(
        name: "experiment4_service_times.csv",
        columns: [
            "experiment", "run", "seedClient", "numberOfClients", "protocol",
            "intervalBetweenRequests [ms]", "requestTimestamps [us]", "serviceTimes [us]", "serverAddresses",
            "requestMethods", "requestBodySizes [B]", "responseBodySizes [B]", "connectionEndedDueToTimeout",
            "migrationNotificationTimestamp [s]", "migrationTriggerTimestamp [s]",
        ]
    ) { _, run, outcome in
        outcome.clients.map { client in
            let entries = client.log.entries
            return [
                "4", "\(run.run)", "\(client.seed)", "\(run.clients)", run.migrationProtocol.name(in: 4),
                "\(run.interval)", ResultCell.list(entries.map(\.timestamp)),
                ResultCell.list(entries.map(\.serviceTime)), ResultCell.list(entries.map(\.address)),
                ResultCell.list(entries.map(\.method)),
                ResultCell.list(entries.map { Int64($0.requestSize) }),
                ResultCell.list(entries.map { Int64($0.responseSize) }),
                ResultCell.flag(client.log.endedDueToTimeout), ResultCell.seconds(outcome.noticeTimes.first),
                ResultCell.seconds(outcome.triggerTimes.first),
            ]
        }
    }

    /// The scripts join by number of row, so what the hosts measured stands there once for each client.
    static let clientMigrationTimes = ResultTable(
        name: "experiment4_migration_times.csv",
        columns: [
            "experiment", "run", "seedServer", "migrationTechnique", "memoryFootprintInflation [MB]",
            "compressionEnabled",
        ] + phases + transfers
    ) { plan, run, outcome in
        let found = outcome.migrations.first
        let row =
            [
                "4", "\(run.run)", "\(run.seed)", run.technique.rawValue, "\(run.inflation)",
                ResultCell.flag(plan.allSeries[run.series].compression),
            ] + phases(found) + transfers(found)
        return outcome.clients.map { _ in row }
    }

    static let clientRestoreTimes = ResultTable(
        name: "experiment4_restore_times.csv", columns: ["experiment", "run"] + restore
    ) { _, run, outcome in
        var cells = restore(outcome.migrations.first)
        // The script takes a float out of it, whether anything moved or not.
        if cells[0].isEmpty { cells[0] = ResultCell.list(["real nan", "user nan", "sys nan"]) }
        let row = ["4", "\(run.run)"] + cells
        return outcome.clients.map { _ in row }
    }
}

extension ContainerPhases {
    /// From the restore's begin to the last page.
    var lazyEnd: Double? { lazyTransfer.map { restore + $0 } }
}
