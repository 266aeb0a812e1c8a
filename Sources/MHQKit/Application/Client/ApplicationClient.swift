import Foundation
package import GodwitHTTP3
import HTTPTypes
import Logging
import NIOCore

/// The client of `mhq --mode=client`: it sends one request after the other, gives the commands of its experiment,
/// and writes down what it measured.
package struct ApplicationClient: Sendable {
    private let configuration: ApplicationClientConfiguration
    private let policy: MigrationPolicy
    /// Where files go.
    private let folder: String
    /// How long nothing is sent before the move is asked for, in milliseconds.
    package var drain = 2000
    private let logger = Logger(label: "mhq.client")

    package init(
        _ configuration: ApplicationClientConfiguration, policy: MigrationPolicy, folder: String = "."
    ) {
        (self.configuration, self.policy, self.folder) = (configuration, policy, folder)
    }

    /// Runs until the experiment, the connection or the task is over.
    ///
    /// - Parameters:
    ///   - handovers: where to listen for commands to change networks; nil for nowhere.
    ///   - onResponse: is told of each response, and where it came from.
    package func run(
        handovers: HandoverListener? = nil, onResponse: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws {
        let seeds = SeedSequence(master: configuration.seed)
        let client = try await connect(seeds)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            if let handovers { tasks.addTask { await handovers.run(client.quic) } }
            defer { tasks.cancelAll() }
            try await work(client, seeds, onResponse)
        }
    }

    // MARK: Connecting

    private func connect(_ seeds: SeedSequence) async throws -> HTTP3Client {
        let (server, settings) = (configuration.server, try clientConfiguration(seeds))
        do {
            let client = try await HTTP3Client.connect(
                to: "\(server.ip)", port: server.port, configuration: settings)
            try await client.quic.handshakeConfirmed()
            return client
        } catch {
            let failures = NetworkFailure(server: "\(server)", connectTime: settings.limits.connectTime)
            guard var failure = failures.failure(error) else { throw error }
            // Those of `mhq get` are curl's; here all codes are of sysexits(3).
            failure.exitCode = ExitCode.unavailable
            throw failure
        }
    }

    func clientConfiguration(_ seeds: SeedSequence) throws -> HTTP3ClientConfiguration {
        var tls = TLSClientConfiguration(applicationProtocols: ["h3"])
        // As the thesis's client, whose servers make a certificate for each run.
        tls.trust = .insecureNoVerification
        if let path = configuration.keyLog {
            let log = try KeyLog(path: path)
            tls.keyLog = { log.write($0) }
        }
        var result = try HTTP3ClientConfiguration(tls: tls)
        ApplicationTransport.configure(&result.quic.transport, policy, timing: configuration.thesis)
        result.quic.migration = ApplicationTransport.client(
            configuration.migration.suite(policy), policy, seeds: seeds)
        // Drivers start both ends at the same time.
        result.limits.connectTime = ApplicationTransport.idleTime
        result.limits.connectionIdleTime = ApplicationTransport.idleTime
        result.limits.responseHeaderTime = ApplicationTransport.idleTime
        result.limits.contentIdleTime = ApplicationTransport.idleTime
        result.limits.sendingIdleTime = ApplicationTransport.idleTime
        return result
    }

    // MARK: Work

    private func work(
        _ client: HTTP3Client, _ seeds: SeedSequence, _ onResponse: @Sendable (String) -> Void
    ) async throws {
        let experiment = configuration.experiment
        var script = ClientScript(scriptSettings)
        var log = ServiceTimeLog(
            experiment: experiment.id, triggerAfter: experiment.triggerAfter, seed: configuration.seed)
        var source = RequestSource(configuration.body, seeds: seeds)
        var steps = ArraySlice([ClientScript.Step.send(looksForServer: false)])
        while let step = steps.popFirst(), step != .finish {
            switch step {
            case .wait(let span): try await Task.sleep(for: .milliseconds(span))
            case .command(let command): await give(command, client, isTriggered: script.isTriggered)
            case .finish: break
            case .send(let looks):
                do {
                    let entry = try await exchange(source.next(), client, looksForServer: looks)
                    log.note(entry)
                    onResponse(entry.address)
                    steps = script.responded(from: entry.address)[...]
                } catch {
                    try Task.checkCancellation()
                    logger.error("the connection ended", metadata: ["error": "\(error)"])
                    log.endedDueToTimeout = true
                    steps = script.timedOut()[...]
                }
            }
        }
        try write(log)
    }

    private var scriptSettings: ClientScript.Settings {
        let experiment = configuration.experiment
        var settings = ClientScript.Settings(experiment: experiment.id, interval: configuration.interval)
        settings.drain = drain
        settings.noticeAfter = experiment.noticeAfter
        settings.triggerAfter = experiment.triggerAfter
        settings.shutdownAfter = experiment.shutdownAfter
        settings.isProactive = experiment.migrationProtocol == .proactiveExplicit
        if let responses = experiment.responsesAfterMigration { settings.responsesAfterMove = responses }
        return settings
    }

    private func exchange(
        _ wanted: RequestSource.Request, _ client: HTTP3Client, looksForServer: Bool
    ) async throws -> ServiceTimeLog.Entry {
        let request = HTTPRequest(
            method: wanted.isPost ? .post : .get, scheme: "https", authority: "\(configuration.server)",
            path: wanted.path)
        let content = wanted.isPost ? HTTP3Content.bytes(Self.content(wanted.contentSize)) : .none
        let timestamp = Int64(Date().timeIntervalSince1970 * 1_000_000)
        if looksForServer { await client.quic.lookForServer() }
        let start = ContinuousClock.now
        let (_, body) = try await client.send(request, body: content)
        var size = 0
        for try await piece in body { size += piece.readableBytes }
        let span = ContinuousClock.now - start
        let address = await client.quic.remoteAddress
        return ServiceTimeLog.Entry(
            timestamp: timestamp, serviceTime: Int64(span / .microseconds(1)), address: "\(address)",
            method: wanted.method, requestSize: wanted.contentSize, responseSize: size)
    }

    private static func content(_ size: Int) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: size)
        while buffer.readableBytes < size {
            buffer.writeImmutableBuffer(Filler.prefix(size - buffer.readableBytes))
        }
        return buffer
    }

    // MARK: Commands

    private func give(_ command: ClientScript.Command, _ client: HTTP3Client, isTriggered: Bool) async {
        let experiment = configuration.experiment
        switch command {
        case .notice:
            await ask(
                ManagementMessage.notice(experiment.migrationProtocol, to: experiment.destination),
                experiment.serverManagement)
        case .migrate: await ask(ManagementMessage.migrate, experiment.containerMigration)
        case .shutdown:
            let remote = await client.quic.remoteAddress
            for management in experiment.managements(remote: remote.ip, isTriggered: isTriggered)
            where await ask(ManagementMessage.shutdown, management) { break }
            // The container's side is there in these two only.
            if (1...2).contains(experiment.id) {
                await ask(ManagementMessage.shutdown, experiment.containerMigration)
            }
        }
    }

    /// - Returns: whether anybody answered.
    @discardableResult
    private func ask(_ text: String, _ address: NetworkAddress) async -> Bool {
        let answer = await ManagementClient.ask(text, at: address)
        guard answer != "OK" else { return true }
        logger.error(
            "a command was not carried out",
            metadata: ["command": "\(text)", "at": "\(address)", "answer": "\(answer ?? "none")"])
        return answer != nil
    }

    private func write(_ log: ServiceTimeLog) throws(Failure) {
        guard let name = log.fileName else { return }
        let path = folder + "/" + name
        do {
            try Data(log.json.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw Failure(ExitCode.cannotCreate, "\(path): \(FileProblem.describe(error))")
        }
    }
}
