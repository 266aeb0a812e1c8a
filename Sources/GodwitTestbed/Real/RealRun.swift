import Foundation
import GodwitMigration
import GodwitSimulator
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// One run on real sockets: the application's own server and clients and the container's side, which has the server,
/// each a process, and a link between them.
final class RealRun: Sendable {
    let plan: ExperimentPlan
    let run: RunSpecification
    let policy: MigrationPolicy
    let network: any TestNetwork
    /// The application.
    let program: String
    let folder: String
    let link: any ServerLink
    /// What the container's side asks.
    let side: NetworkSide
    let state = NIOLockedValueBox(State())
    /// What the container's side is told.
    let container: ContainerConfiguration
    private let desk: CommandDesk

    struct State {
        var outcome = RunOutcome()
        /// The container's side, which ends with the server, is the first.
        var processes: [RoleProcess] = []
        /// From which orders to move were given.
        var orderSockets: [DatagramSocket] = []
    }

    /// - Parameters:
    ///   - program: the application, `mhq`.
    ///   - folder: for this run alone; is made and removed.
    init(
        _ run: RunSpecification, of plan: ExperimentPlan, _ policy: MigrationPolicy,
        in network: any TestNetwork, program: String, folder: String
    ) async throws {
        (self.plan, self.run, self.policy, self.network) = (plan, run, policy, network)
        (self.program, self.folder) = (program, folder)
        let series = plan.allSeries[run.series]
        let seed = DeterministicRandom(seed: run.seed).forked("experiment \(plan.experiment) \(run.key)")
        let (questions, watch) = (try network.openDesk(), OldAddressWatch(try network.openClient()))
        link = try await network.makeLink(
            LinkShape(
                plan: plan, paths: plan.networks[series.network]!, loss: series.loss,
                random: seed.forked("link")))
        let side = NetworkSide(network, link, watch, place: plan.firstPlace)
        self.side = side
        desk = CommandDesk(questions) { side.hear($0, from: $1) }
        var model = ContainerModel(plan.container, seed.forked("container"))
        container = RoleConfiguration(plan: plan, run: run, network: network).container(
            (0..<max(1, plan.steps.outages.count)).map { _ in model.next(run, of: plan) },
            serving: network.words(.server, Self.words(program, "server", policy)),
            asking: questions.localAddress)
    }

    private static func words(_ program: String, _ role: String, _ policy: MigrationPolicy) -> [String] {
        [program, role, "--config", "configuration.json", "--policy", "\(policy)", "--log-level", "error"]
    }

    // MARK: The run

    /// Does it, and leaves neither processes nor files behind.
    func perform() async throws -> RunOutcome {
        let result: Result<RunOutcome, any Error>
        do { result = .success(try await work()) } catch { result = .failure(error) }
        let processes = state.withLockedValue(\.processes)
        await processes.first?.dismiss()
        for process in processes { await process.end() }
        link.end()
        desk.end()
        try? FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    private func work() async throws -> RunOutcome {
        let server = try await startServer()
        let start = ContinuousClock.now
        let clients = try await startClients()
        try await drive(server, clients, since: start)
        try await awaitEnd(clients)
        try await awaitMoves(side.account.triggerTimes.count, server)
        return try await report(server, clients)
    }

    private func awaitEnd(_ clients: [RoleProcess]) async throws {
        let measured = plan.experiment == 3 ? clients.suffix(1) : clients[...]
        let span = Duration.seconds(RunEstimate(plan, run).seconds * 3 + 300)
        let end = ContinuousClock.now + span
        while !measured.allSatisfy(\.isOver) {
            try await Task.sleep(for: .milliseconds(10))
            guard ContinuousClock.now < end else { return note("the clients came to no end in \(span)") }
        }
    }

    func note(_ flaw: String) { state.withLockedValue { $0.outcome.flaws.append(flaw) } }

    // MARK: Processes

    private func start(
        _ role: RunRole, _ name: String, _ configuration: [String: Any], _ words: [String]
    ) async throws -> RoleProcess {
        let place = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try RoleConfiguration.write(configuration, to: place + "/configuration.json")
        if role == .container { try container.write(to: place + "/container.json") }
        let process = try await RoleProcess.start(network.words(role, words), in: place)
        state.withLockedValue { $0.processes.append(process) }
        return process
    }

    /// - Returns: the container's side, which has the server.
    private func startServer() async throws -> RoleProcess {
        let configuration = RoleConfiguration(plan: plan, run: run, network: network)
        let server = try await start(
            .container, "server", configuration.server(),
            [program, "experiment", "container", "container.json"])
        let conversation = Conversation(
            with: network.management(at: plan.firstPlace), over: try network.openOperator())
        for _ in 0..<600 where !server.isOver {
            try Task.checkCancellation()
            // Whatever it says to that: it can be heard.
            if await conversation.ask("{}", attempts: 1, patience: .milliseconds(50)) != nil {
                guard await side.account.watch.isAnswered(at: network.fronts[plan.firstPlace]) else {
                    throw Failure(ExitCode.unavailable, "a server does not answer: \(server.lastWords)")
                }
                return server
            }
        }
        throw Failure(ExitCode.unavailable, "a server did not start: \(server.lastWords)")
    }

    private func startClients() async throws -> [RoleProcess] {
        let configuration = RoleConfiguration(plan: plan, run: run, network: network)
        let start = ContinuousClock.now
        var clients: [RoleProcess] = []
        for index in 0..<run.clients {
            var due = index * plan.steps.startSpacing
            if index == run.clients - 1, index > 0 { due += plan.steps.lastClientDelay }
            try await Task.sleep(until: start + .milliseconds(due), tolerance: .zero)
            var words = Self.words(program, "client", policy)
            if plan.steps.handoverEvery > 0 {
                words += [
                    "--allow-handover-commands", "--network-changed-by-others", "--handover-address",
                    "\(network.handoverListener)",
                ]
            }
            clients.append(
                try await self.start(.client, "client\(index)", configuration.client(index), words))
        }
        return clients
    }
}
