import Foundation
import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

/// Every file of every quick plan, read as the scripts of the thesis read it. Names, columns and forms are written down
/// here once more, so that no change of ours moves both sides.
@Suite struct ResultFormatTests {
    private static let destination = "192.168.1.105:6666"
    private static let identity = ["experiment", "run", "repetition", "seed"]
    private static let dumps = [
        "preDumpTime [s]", "preDumpTxTime [s]", "dumpTime [s]", "dumpTxTime [s]", "dumpSize", "preDumpSize",
    ]
    private static let transfers = [
        "rsyncPreDumpTotalFileSize", "rsyncPreDumpTotalBytesSent", "rsyncPreDumpTransferRate",
        "rsyncPreDumpCompressionSpeedup", "rsyncDumpTotalFileSize", "rsyncDumpTotalBytesSent",
        "rsyncDumpTransferRate", "rsyncDumpCompressionSpeedup",
    ]
    private static let restore = [
        "restoreTime [s]", "numberOfLazyPages", "lazyPagesTxTime [s]", "lazyPagesTxEndTime [s]",
    ]

    // MARK: Experiment 0

    @Test("experiment0_service_times: one request a run, by the baseline, from the destination")
    func baseline() async throws {
        let results = try await QuickResults(QuickResults.plan(0), .thesis)
        #expect(results.plan.series.map(\.folder) == ["nopacketloss/exp0", "packetloss/exp0"])
        for series in results.plan.series {
            let file = try results.file("experiment0_service_times", in: series)
            #expect(
                file.columns == Self.identity + ["serviceTimes [us]", "serverAddresses", "protocol"])
            try check(file, against: results.runs(of: series))
            for row in file.rows {
                #expect(row["run"] == "1")
                #expect(row["protocol"] == "quicBaseline")
                #expect(try row.numbers("serviceTimes [us]").count == 1)
                #expect(try row.texts("serverAddresses") == [Self.destination])
            }
        }
    }

    // MARK: Experiments 1 and 2

    @Test("The three files of the first experiment join, and hold the eleventh request alone")
    func firstExperiment() async throws {
        let results = try await QuickResults(QuickResults.plan(1), .thesis)
        #expect(results.plan.series.map(\.folder) == ["nopacketloss/exp1", "packetloss/exp1"])
        for series in results.plan.series {
            for row in try measured(checkMoves(1, series, results), in: series) {
                #expect(row["firstRequestAfterMigrationTriggered"] == "11")
                #expect(try row.numbers("serviceTimes [us]").count == 1)
                #expect(try row.texts("serverAddresses") == [Self.destination])
            }
        }
    }

    @Test("What the thesis never measured lies apart, in the same form")
    func extraProtocols() async throws {
        var plan = try QuickResults.plan(1)
        (plan.repetitions, plan.protocols) = (1, [.symmetric])
        let results = try await QuickResults(plan, .godwit)
        let extra = plan.allSeries.suffix(2)
        #expect(extra.map(\.folder) == ["extra/nopacketloss/exp1", "extra/packetloss/exp1"])
        for series in extra {
            let file = try results.file("experiment1_migration_times", in: series)
            #expect(file.rows.map { $0["protocol"] } == ["synchronizedSymmetric", "combined"])
        }
    }

    @Test("The three files of the second experiment join, and show who answered after the trigger")
    func secondExperiment() async throws {
        let plan = try QuickResults.plan(2)
        let folders = [
            "nopacketloss/exp2", "nopacketloss/exp2/compressionenabled", "packetloss/exp2",
        ]
        #expect(plan.series.map(\.folder) == folders)
        let results = try await QuickResults(plan, .godwit)
        for series in plan.series {
            for row in try measured(checkMoves(2, series, results), in: series) {
                let first = try #require(try row.number("firstRequestAfterMigrationTriggered"))
                #expect(Int(first) == plan.steps.triggerAfter + 1)
                let addresses = try row.texts("serverAddresses")
                #expect(addresses.count == (try row.numbers("serviceTimes [us]").count))
                #expect(addresses.dropFirst(Int(first) - 1).dropLast().contains(Self.destination))
            }
        }
    }

    /// The rows that have service times: all of them, where nothing is lost.
    private func measured(
        _ rows: [[String: String]], in series: ExperimentPlan.Series
    ) throws -> [[String: String]] {
        let measured = rows.filter { $0["serviceTimes [us]"] != "" }
        #expect(!measured.isEmpty)
        if series.loss == 0 { #expect(measured.count == rows.count, "\(series.folder)") }
        for row in rows where row["serviceTimes [us]"] == "" {
            #expect(row["serverAddresses"] == "" && row["firstRequestAfterMigrationTriggered"] == "")
        }
        return measured
    }

    @Test("A run that failed keeps its row, without service times", arguments: 0...2)
    func failedRun(_ id: Int) throws {
        let plan = try QuickResults.plan(id)
        let run = plan.runs[0]
        var log = ServiceTimeLog(experiment: id, triggerAfter: 3, seed: run.seed)
        for _ in 0..<5 { log.note(Self.entry(at: Self.destination)) }
        log.note(Self.entry(at: Self.destination))
        var outcome = RunOutcome()
        func cells() throws -> String {
            let lines = ResultTable.all(of: id)[0].lines(plan, run, outcome)
            try #require(lines.count == 1)
            return lines[0]
        }
        let empty = id == 0 ? "0,1,1,1,,,quicBaseline" : "\(id),1,1,1,,,"
        // Nothing was heard of its client at all.
        #expect(try cells() == empty)
        outcome.clients = [.init(seed: run.seed, log: log)]
        #expect(try cells() != empty)
        log.endedDueToTimeout = true
        outcome.clients = [.init(seed: run.seed, log: log, endReason: "idle")]
        #expect(try cells() == empty)
    }

    private static func entry(at address: String) -> ServiceTimeLog.Entry {
        ServiceTimeLog.Entry(
            timestamp: 1, serviceTime: 2, address: address, method: "POST", requestSize: 1024,
            responseSize: 1024)
    }

    @Test("The second experiment's cell is empty where the destination has answered last alone, or never")
    func lastAnswer() throws {
        let plan = try QuickResults.plan(2)
        let (source, destination) = ("192.168.1.104:6666", Self.destination)
        let stories: [(after: [String], isMeasured: Bool)] = [
            ([source, destination], false), ([source, source], false), ([destination], false),
            ([source, destination, destination], true), ([destination, source], true),
        ]
        for story in stories {
            var log = ServiceTimeLog(experiment: 2, triggerAfter: 2, seed: 1)
            // What the destination answered before the trigger says nothing of the move.
            for address in [destination, source] + story.after { log.note(Self.entry(at: address)) }
            var outcome = RunOutcome()
            outcome.clients = [.init(seed: 1, log: log)]
            let line = ResultTable.all(of: 2)[0].lines(plan, plan.runs[0], outcome)[0]
            #expect(line.hasSuffix(",,,") == !story.isMeasured, "\(story.after)")
            if story.isMeasured { #expect(line.hasSuffix(",3")) }
        }
    }

    /// The three files of a series; the rows of the first.
    private func checkMoves(
        _ id: Int, _ series: ExperimentPlan.Series, _ results: QuickResults
    ) throws -> [[String: String]] {
        let service = try results.file("experiment\(id)_service_times", in: series)
        let migration = try results.file("experiment\(id)_migration_times", in: series)
        let restore = try results.file("experiment\(id)_restore_times", in: series)
        #expect(
            service.columns == Self.identity + [
                "serviceTimes [us]", "serverAddresses", "firstRequestAfterMigrationTriggered",
            ])
        #expect(
            migration.columns == Self.identity + [
                "migrationTechnique", "protocol", "memoryFootprintInflation [MB]",
            ] + Self.dumps + ["compressionEnabled"] + Self.transfers)
        #expect(restore.columns == ["experiment", "run", "repetition"] + Self.restore)
        let runs = results.runs(of: series)
        try check(service, against: runs)
        try check(migration, against: runs)
        try check(restore, against: runs)
        for (row, run) in zip(migration.rows, runs) {
            #expect(row["protocol"] == run.migrationProtocol.rawValue)
            #expect(row["memoryFootprintInflation [MB]"] == "\(run.inflation)")
            try checkDumps(row, run.technique, isCompressed: series.compression)
        }
        for (row, run) in zip(restore.rows, runs) { try checkRestore(row, run.technique) }
        return service.rows
    }

    // MARK: Experiment 3

    @Test("experiment3_migration_notification_times: a row a repetition, protocol and number of clients")
    func thirdExperiment() async throws {
        let results = try await QuickResults(QuickResults.plan(3), .thesis)
        let folders = ["nopacketloss/exp3/18ms_rtt", "nopacketloss/exp3/122ms_rtt"]
        #expect(results.plan.series.map(\.folder) == folders)
        for series in results.plan.series {
            let file = try results.file("experiment3_migration_notification_times", in: series)
            #expect(
                file.columns == [
                    "experiment", "run", "protocol", "expectedNumberOfClients", "actualNumberOfClients",
                    "migrationNotificationTime [us]",
                ])
            let runs = results.runs(of: series)
            #expect(file.rows.count == runs.count)
            for (row, run) in zip(file.rows, runs) {
                #expect(row["experiment"] == "3")
                #expect(row["run"] == "\(run.repetition)")
                #expect(["reactiveExplicit", "symmetric"].contains(row["protocol"]))
                #expect(row["expectedNumberOfClients"] == "\(run.clients)")
                #expect(row["actualNumberOfClients"] == "\(run.clients)")
                #expect(try #require(try row.number("migrationNotificationTime [us]")) >= 0)
            }
        }
    }

    // MARK: Experiment 4

    @Test("The three files of the fourth experiment have a row for each run and client, in one order")
    func fourthExperiment() async throws {
        let plan = try QuickResults.plan(4)
        let folders = ["nopacketloss", "packetloss"].flatMap { loss in
            ["18ms_rtt", "122ms_rtt"].map { "\(loss)/exp4/\($0)" }
        }
        #expect(plan.series.map(\.folder) == folders)
        let results = try await QuickResults(plan, .godwit)
        // It is too small for the script, and says so.
        let record = try EnvironmentRecord.read(EnvironmentRecord.path(in: results.place, experiment: 4))
        #expect(record.remarks.contains(EnvironmentRecord.unreadable))
        for series in plan.series {
            let runs = results.runs(of: series).flatMap { run in Array(repeating: run, count: run.clients) }
            try checkClients(try results.file("experiment4_service_times", in: series), runs, plan)
            let migration = try results.file("experiment4_migration_times", in: series)
            let restore = try results.file("experiment4_restore_times", in: series)
            #expect(
                migration.columns == [
                    "experiment", "run", "seedServer", "migrationTechnique",
                    "memoryFootprintInflation [MB]", "compressionEnabled",
                ] + Self.dumps + Self.transfers)
            #expect(restore.columns == ["experiment", "run"] + Self.restore)
            #expect(migration.rows.map { $0["run"] } == runs.map { "\($0.run)" })
            #expect(restore.rows.map { $0["run"] } == runs.map { "\($0.run)" })
            for (row, run) in zip(migration.rows, runs) {
                #expect(row["seedServer"] == "\(run.run)")
                try checkDumps(row, run.technique, isCompressed: false)
            }
            for (row, run) in zip(restore.rows, runs) { try checkRestore(row, run.technique) }
        }
    }

    @Test("The full fourth experiment has 144 runs of 30 clients, and so 4320 rows in each file of a series")
    func fullFourth() throws {
        let plan = try PlanLibrary.plan(4, isQuick: false)
        let record = EnvironmentRecord(plan, policy: "thesis", backend: "simulated", commandLine: [])
        #expect(!record.remarks.contains(EnvironmentRecord.unreadable))
        var outcome = RunOutcome()
        outcome.clients = (1...30).map { seed in
            .init(seed: seed, log: ServiceTimeLog(experiment: 4, triggerAfter: 0, seed: seed))
        }
        #expect(plan.clients == [30])
        for series in plan.series.indices {
            let runs = plan.runs.filter { $0.series == series }
            for table in ResultTable.all(of: 4).prefix(3) {
                #expect(runs.reduce(0) { $0 + table.lines(plan, $1, outcome).count } == 4320, "\(table.name)")
            }
        }
    }

    private func checkClients(
        _ file: ResultFile, _ runs: [RunSpecification], _ plan: ExperimentPlan
    ) throws {
        #expect(
            file.columns == [
                "experiment", "run", "seedClient", "numberOfClients", "protocol",
                "intervalBetweenRequests [ms]", "requestTimestamps [us]", "serviceTimes [us]",
                "serverAddresses", "requestMethods", "requestBodySizes [B]", "responseBodySizes [B]",
                "connectionEndedDueToTimeout", "migrationNotificationTimestamp [s]",
                "migrationTriggerTimestamp [s]",
            ])
        #expect(file.rows.count == runs.count)
        for (index, (row, run)) in zip(file.rows, runs).enumerated() {
            #expect(row["run"] == "\(run.run)")
            #expect(row["seedClient"] == "\(index + 1)")
            #expect(row["numberOfClients"] == "\(run.clients)")
            #expect(["reactiveExplicit", "poolOfAddresses", "symmetric"].contains(row["protocol"]))
            #expect(row["intervalBetweenRequests [ms]"] == "\(run.interval)")
            #expect(row["connectionEndedDueToTimeout"] == "False")
            try checkRequests(row, plan)
        }
    }

    private func checkRequests(_ row: [String: String], _ plan: ExperimentPlan) throws {
        let count = try row.numbers("serviceTimes [us]").count
        let timestamps = try row.numbers("requestTimestamps [us]")
        let methods = try row.texts("requestMethods")
        let addresses = try row.texts("serverAddresses")
        let (sent, received) = (
            try row.numbers("requestBodySizes [B]"), try row.numbers("responseBodySizes [B]")
        )
        #expect(
            [timestamps.count, methods.count, addresses.count, sent.count, received.count]
                == Array(repeating: count, count: 5))
        #expect(timestamps.allSatisfy { $0 >= Double(plan.epoch) * 1e6 } && timestamps == timestamps.sorted())
        for (method, (sent, received)) in zip(methods, zip(sent, received)) {
            #expect(method == "GET" ? sent == 0 && received >= 500 : method == "POST" && received == 0)
        }
        let notice = try #require(try row.number("migrationNotificationTimestamp [s]"))
        let trigger = try #require(try row.number("migrationTriggerTimestamp [s]"))
        #expect(Double(plan.epoch) < notice && notice < trigger)
        #expect(Set(addresses) == ["192.168.1.104:6666", Self.destination])
    }

    @Test(
        "Without a migration the fourth experiment's restore time can still be read: its cells are never empty"
    )
    func emptyFourth() throws {
        let plan = try QuickResults.plan(4)
        let run = plan.runs[0]
        var outcome = RunOutcome()
        let log = ServiceTimeLog(experiment: 4, triggerAfter: 0, seed: 1)
        outcome.clients = [.init(seed: 1, log: log, endReason: "idle")]
        let lines = ResultTable.all(of: 4).map { $0.lines(plan, run, outcome) }
        #expect(lines.prefix(3).allSatisfy { $0.count == 1 })
        #expect(lines[0][0].contains(",[],[],[],[],[],[],"))
        #expect(lines[2][0] == "4,1,\"['real nan', 'user nan', 'sys nan']\",,,")
    }

    // MARK: Experiments 5 and 6

    @Test("The files of the fifth experiment: an hour is a row, and each host has its own dumps and restores")
    func fifthExperiment() async throws {
        let results = try await QuickResults(QuickResults.plan(5), .thesis)
        let series = results.plan.series[0]
        #expect(results.plan.series.map(\.folder) == ["packetloss/exp5"])
        let runs = results.runs(of: series)
        for host in ["source", "destination"] {
            let file = try results.file("experiment5_first_\(host)", in: series)
            #expect(
                file.columns == Self.identity + ["migrationTechnique", "compressionEnabled"] + Self.hosts)
            try check(file, against: runs)
            for row in file.rows { try checkHost(row) }
        }
        let file = try results.file("experiment5_service_times", in: series)
        #expect(
            file.columns == Self.identity + [
                "protocol", "clientMigrationFrequency [min]", "requestTimestamps [us]",
                "serviceTimes [us]", "serverAddresses", "handoverTimestamps [s]",
                "migrationNotificationTimestamps [s]", "migrationTriggerTimestamps [s]",
            ])
        try check(file, against: runs)
        #expect(file.rows.map { $0["protocol"] } == ["reactiveExplicit", "symmetric"])
        for row in file.rows {
            try checkHour(row, handovers: results.plan.steps.outages.count)
            for column in ["migrationNotificationTimestamps [s]", "migrationTriggerTimestamps [s]"] {
                #expect(try row.numbers(column).count == results.plan.steps.outages.count)
            }
            #expect(Set(try row.texts("serverAddresses")) == ["192.168.2.1:6666", "192.168.3.1:6666"])
        }
    }

    private static let hosts = [
        "preDumpTimes [s]", "preDumpTxTimes [s]", "dumpTimes [s]", "dumpTxTimes [s]", "dumpSizes",
        "preDumpSizes", "rsyncPreDumpTotalFileSizes", "rsyncPreDumpTotalBytesSent",
        "rsyncPreDumpTransferRates", "rsyncPreDumpCompressionSpeedups", "rsyncDumpTotalFileSizes",
        "rsyncDumpTotalBytesSent", "rsyncDumpTransferRates", "rsyncDumpCompressionSpeedups",
        "restoreTimes [s]", "lazyPagesTxTimes [s]", "lazyPagesTxEndTimes [s]", "numberOfLazyPages",
    ]

    /// A quick plan has two migrations, so each host one dump and one restore.
    private func checkHost(_ row: [String: String]) throws {
        #expect(row["migrationTechnique"] == "hybrid")
        #expect(row["compressionEnabled"] == "False")
        for column in Self.hosts {
            switch column {
            case "restoreTimes [s]":
                for times in try row.lists(column) { try checkTimes(times) }
                #expect(try row.lists(column).count == 1)
            case "dumpSizes", "preDumpSizes",
                _ where column.hasPrefix("rsync"):
                let texts = try row.texts(column)
                #expect(texts.count == 1 && texts.allSatisfy { !$0.isEmpty })
                if column.contains("Size") { #expect(texts.allSatisfy(Self.isSize)) }
            default: #expect(try row.numbers(column).count == 1)
            }
        }
    }

    private func checkHour(_ row: [String: String], handovers: Int) throws {
        let times = try row.numbers("requestTimestamps [us]")
        #expect(times.count > 100)
        #expect(times.count == (try row.numbers("serviceTimes [us]").count))
        #expect(times.count == (try row.texts("serverAddresses").count))
        let moved = try row.numbers("handoverTimestamps [s]")
        #expect(moved.count == handovers && moved.allSatisfy { $0 * 1e6 > times[0] })
        #expect(try row.number("clientMigrationFrequency [min]") != nil)
    }

    @Test("The files of the sixth experiment: the same hour, of a server that stays")
    func sixthExperiment() async throws {
        let results = try await QuickResults(QuickResults.plan(6), .thesis)
        let series = results.plan.series[0]
        #expect(results.plan.series.map(\.folder) == ["packetloss/exp6"])
        let file = try results.file("experiment6_service_times", in: series)
        #expect(
            file.columns == Self.identity + [
                "clientMigrationFrequency [min]", "requestTimestamps [us]", "serviceTimes [us]",
                "serverAddresses", "handoverTimestamps [s]",
            ])
        try check(file, against: results.runs(of: series))
        for row in file.rows {
            try checkHour(row, handovers: results.plan.steps.outages.count)
            #expect(Set(try row.texts("serverAddresses")).count == 1)
        }
        let server = try results.file("experiment6_server", in: series)
        #expect(server.columns == Self.identity)
        try check(server, against: results.runs(of: series))
    }

    @Test("The hour of the full plan is a whole number of minutes between handovers")
    func frequency() throws {
        for id in 5...6 {
            let plan = try PlanLibrary.plan(id, isQuick: false)
            let table = ResultTable.all(of: id).first { $0.name == "experiment\(id)_service_times.csv" }
            var outcome = RunOutcome()
            outcome.clients = [
                .init(seed: 1, log: ServiceTimeLog(experiment: id, triggerAfter: 0, seed: 1))
            ]
            let cells = try #require(table?.lines(plan, plan.runs[0], outcome).first).split(separator: ",")
            #expect(cells[id == 5 ? 5 : 4] == "10")
        }
    }

    // MARK: What rows share

    /// A row for each run, in the plan's order, which says which run it is.
    private func check(_ file: ResultFile, against runs: [RunSpecification]) throws {
        #expect(file.rows.count == runs.count)
        for (row, run) in zip(file.rows, runs) {
            #expect(row["run"] == "\(run.run)")
            #expect(row["repetition"] == "\(run.repetition)")
            if file.columns.contains("seed") { #expect(row["seed"] == "\(run.seed)") }
        }
        #expect(Set(file.rows.map { $0["experiment"] }).count == 1)
    }

    private static func isSize(_ text: String) -> Bool {
        (text.last == "K" || text.last == "M") && Double(text.dropLast()) != nil
    }

    private func checkDumps(
        _ row: [String: String], _ technique: MigrationTechnique, isCompressed: Bool
    ) throws {
        #expect(row["migrationTechnique"] == technique.rawValue)
        #expect(row["compressionEnabled"] == (isCompressed ? "True" : "False"))
        for column in Self.dumps + Self.transfers {
            let cell = try #require(row[column])
            let isBefore = column.lowercased().contains("predump")
            #expect(cell.isEmpty == (isBefore && !technique.copiesBefore), "\(column): \(cell)")
            guard !cell.isEmpty else { continue }
            switch column {
            case _ where column.hasSuffix("TransferRate"):
                #expect(cell.hasSuffix(" bytes/sec") && Self.isSize("\(cell.dropLast(10))"))
            case _ where column.contains("Size") || column.hasSuffix("BytesSent"):
                #expect(Self.isSize(cell), "\(column): \(cell)")
            default: #expect(try #require(try row.number(column)) > 0)
            }
        }
    }

    private func checkRestore(_ row: [String: String], _ technique: MigrationTechnique) throws {
        try checkTimes(try row.texts("restoreTime [s]"))
        for column in Self.restore.dropFirst() {
            let number = try row.number(column)
            #expect((number != nil) == technique.copiesAfter)
            if column == "numberOfLazyPages", let number { #expect(number == number.rounded()) }
        }
    }

    /// As `time` says it.
    private func checkTimes(_ times: [String]) throws {
        #expect(times.count == 3)
        for (time, name) in zip(times, ["real", "user", "sys"]) {
            let words = time.split(separator: " ")
            #expect(words.count == 2 && words[0] == name && Double(words[1]) != nil)
        }
    }
}
