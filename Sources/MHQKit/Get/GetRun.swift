import Foundation
import Godwit
import GodwitHTTP3
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// What `mhq get` does.
public struct GetRun: Sendable {
    private let plan: TransferPlan
    private let sessionFile: SessionFile?
    private let sessions: SessionStore
    private let configuration: HTTP3ClientConfiguration

    /// Checks everything that can be checked before anything is sent.
    ///
    /// - Throws: a ``Failure`` that names the option, file or URL at fault.
    public init(_ options: GetOptions) throws(Failure) {
        plan = try TransferPlan(options)
        for transfer in plan.transfers { try OutputSinks.check(transfer.target) }
        sessionFile = options.sessionFile.map { SessionFile(path: $0) }
        sessions = SessionStore(try sessionFile?.read() ?? [])
        configuration = try HTTP3ClientConfiguration(options)
    }

    // MARK: Running

    /// Does all transfers. A signal ends them, and leaves nothing half-written.
    ///
    /// - Parameter signals: numbers of signals that say to end.
    /// - Returns: the exit code: 0, or that of the first failure.
    public func run(signals: AsyncStream<Int32>) async -> Int32 {
        let work = Task { await self.run() }
        let ended = NIOLockedValueBox<Int32?>(nil)
        let watcher = Task {
            for await signal in signals {
                if ended.withLockedValue({ $0 }) != nil {
                    TemporaryFiles.removeAll()
                    _exit(128 + signal)
                }
                ended.withLockedValue { $0 = 128 + signal }
                work.cancel()
            }
        }
        let code = await work.value
        watcher.cancel()
        return ended.withLockedValue { $0 } ?? code
    }

    private func run() async -> Int32 {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let connections = OriginConnections(
            configuration, group, sessions, offersEarlyData: plan.options.offersEarlyData,
            isForOne: plan.options.opensNewConnections)
        let display = ProgressDisplay(showsProgress: showsProgress)
        let lines = ReportLines()
        var code = await transferAll(connections, display, lines, on: group)
        do { try await lines.flush() } catch { if code == 0 { code = ExitCode.ioError } }
        if Task.isCancelled { await connections.cancel() }
        await connections.end()
        await QlogFiles.flush()
        let last = await saveSessions(display)
        await display.end()
        try? await group.shutdownGracefully()
        return code != 0 ? code : last
    }

    private var showsProgress: Bool {
        let takesTerminal = plan.transfers.contains { $0.target == .standardOutput }
        return plan.options.showsProgress && !plan.options.isVerbose && Terminal.isStandardErrorTerminal
            && !(takesTerminal && Terminal.isStandardOutputTerminal)
    }

    private func saveSessions(_ display: ProgressDisplay) async -> Int32 {
        guard let sessionFile, !Task.isCancelled else { return 0 }
        do {
            try sessionFile.write(sessions.latest)
            return 0
        } catch {
            await display.say("mhq: \(error)")
            return error.exitCode
        }
    }

    // MARK: Transfers

    private func transferAll(
        _ connections: OriginConnections, _ display: ProgressDisplay, _ lines: ReportLines,
        on group: any EventLoopGroup
    ) async -> Int32 {
        // There is one event loop, and a change of thread costs more than a small request does.
        let executor = QUICConnection.executor(on: group.any())
        let next = NIOLockedValueBox(plan.transfers.makeIterator())
        let code = NIOLockedValueBox<Int32>(0)
        await withDiscardingTaskGroup { workers in
            for _ in 0..<min(plan.parallel, plan.transfers.count) {
                workers.addTask(executorPreference: executor) {
                    while !Task.isCancelled, let transfer = next.withLockedValue({ $0.next() }) {
                        let failed = await self.transfer(transfer, connections, display, lines)
                        code.withLockedValue { if $0 == 0 { $0 = failed } }
                    }
                }
            }
        }
        return code.withLockedValue { $0 }
    }

    /// - Returns: the exit code.
    private func transfer(
        _ transfer: Transfer, _ connections: OriginConnections, _ display: ProgressDisplay,
        _ lines: ReportLines
    ) async -> Int32 {
        let state = TransferState(name: Self.name(of: transfer), start: .now)
        await display.add(state)
        let trace = plan.options.isVerbose ? RequestTrace(display: display) : nil
        let report = await Fetch(transfer, of: plan, over: connections, state, trace).run()
        return await tell(report, display, lines)
    }

    private func tell(
        _ report: TransferReport, _ display: ProgressDisplay, _ lines: ReportLines
    ) async -> Int32 {
        if let failure = report.failure, !Task.isCancelled { await display.say("mhq: \(failure)") }
        guard plan.options.reportsJSON else { return report.failure?.exitCode ?? 0 }
        do {
            try await lines.write(report.json)
        } catch {
            return ExitCode.ioError
        }
        return report.failure?.exitCode ?? 0
    }

    private static func name(of transfer: Transfer) -> String {
        if case .file(let path) = transfer.target {
            return path.split(separator: "/").last.map(String.init) ?? path
        }
        return transfer.url.fileName ?? transfer.url.host
    }
}

extension HTTP3ClientConfiguration {
    /// - Throws: a failure that names the option or file.
    fileprivate init(_ options: GetOptions) throws(Failure) {
        var tls = TLSClientConfiguration(applicationProtocols: ["h3"])
        tls.trust = try Self.trust(options)
        if let path = options.keyLog {
            let log = try KeyLog(path: path)
            tls.keyLog = { log.write($0) }
        }
        do { try self.init(tls: tls) } catch { throw Failure(ExitCode.configuration, "\(error)") }
        if let folder = options.qlogFolder {
            try OutputFolder.make(folder, option: "--qlog")
            quic.qlogFolder = folder
        }
        if options.followsServer {
            quic.migration = ClientMigrationSettings(ClientMigrationNegotiation())
        }
        limits.connectTime = options.connectTime
        // Some answers take long to make, and some are read slowly, as in a pager.
        (limits.responseHeaderTime, limits.contentIdleTime) = (.seconds(300), .seconds(300))
    }

    private static func trust(_ options: GetOptions) throws(Failure) -> TrustPolicy {
        guard let file = options.authorityFile else {
            return options.isInsecure ? .insecureNoVerification : .system
        }
        guard !options.isInsecure else {
            throw Failure(
                ExitCode.usage, "--insecure: --ca-file is there, too; one of them decides whom to trust")
        }
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw Failure(ExitCode.noInput, "--ca-file: \(file): cannot be read")
        }
        do { return try .file(file) } catch { throw Failure(ExitCode.dataError, "--ca-file: \(error)") }
    }
}
