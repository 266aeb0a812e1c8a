import Foundation
import GodwitMigration
import GodwitSimulator
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

/// One run on real sockets: the application's own server and clients, each a process, a link between them, and the
/// container's side, which freezes the server for as long as the model says.
final class RealRun: Sendable {
    let plan: ExperimentPlan
    let run: RunSpecification
    let policy: MigrationPolicy
    let network: any TestNetwork
    /// The application.
    let program: String
    let folder: String
    let link: any ServerLink
    let state: NIOLockedValueBox<State>
    private let desk: CommandDesk
    private let orders: MoveOrders

    struct State {
        var outcome = RunOutcome()
        var container: ContainerModel
        var place: Int
        var watch: OldAddressWatch
        /// All processes that were started.
        var processes: [RoleProcess] = []
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
        let (commands, watch) = (try network.openCommands(), OldAddressWatch(try network.openClient()))
        let orders = MoveOrders()
        self.orders = orders
        link = try await network.makeLink(
            LinkShape(
                plan: plan, paths: plan.networks[series.network]!, loss: series.loss,
                random: seed.forked("link")))
        desk = CommandDesk(commands) { orders.answer($0) }
        state = NIOLockedValueBox(
            State(
                container: ContainerModel(plan.container, seed.forked("container")), place: plan.firstPlace,
                watch: watch))
    }

    // MARK: The run

    /// Does it, and leaves neither processes nor files behind.
    func perform() async throws -> RunOutcome {
        let result: Result<RunOutcome, any Error>
        do { result = .success(try await work()) } catch { result = .failure(error) }
        for process in state.withLockedValue(\.processes) { await process.end() }
        link.end()
        desk.end()
        try? FileManager.default.removeItem(atPath: folder)
        return try result.get()
    }

    private func work() async throws -> RunOutcome {
        let server = try await startServer()
        let clients = try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.obey(server) }
            defer { tasks.cancelAll() }
            let start = ContinuousClock.now
            let clients = try await startClients()
            try await drive(server, clients, since: start)
            try await awaitEnd(clients, server)
            return clients
        }
        return try await report(server, clients)
    }

    private func awaitEnd(_ clients: [RoleProcess], _ server: RoleProcess) async throws {
        let measured = plan.experiment == 3 ? clients.suffix(1) : clients[...]
        let span = Duration.seconds(RunEstimate(plan, run).seconds * 3 + 300)
        let end = ContinuousClock.now + span
        while !measured.allSatisfy(\.isOver) {
            try await Task.sleep(for: .milliseconds(10))
            guard ContinuousClock.now < end else { return note("the clients came to no end in \(span)") }
        }
    }

    func note(_ flaw: String) { state.withLockedValue { $0.outcome.flaws.append(flaw) } }

    /// The container's side in the experiments whose clients command it.
    private func obey(_ server: RoleProcess) async {
        for await _ in orders.moves {
            do { try await migrate(server) } catch {
                if !(error is CancellationError) { note("the server was not moved: \(error)") }
            }
        }
    }

    // MARK: Processes

    private func start(_ role: Role, _ name: String, _ configuration: [String: Any], _ extra: [String] = [])
        async throws -> RoleProcess
    {
        let place = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try RoleConfiguration.write(configuration, to: place + "/configuration.json")
        let words = [
            program, role == .server ? "server" : "client", "--config", "configuration.json", "--policy",
            "\(policy)", "--log-level", "error",
        ]
        let process = try await RoleProcess.start(network.words(role, words + extra), in: place)
        state.withLockedValue { $0.processes.append(process) }
        return process
    }

    private func startServer() async throws -> RoleProcess {
        let configuration = RoleConfiguration(plan: plan, run: run, network: network)
        let server = try await start(.server, "server", configuration.server())
        let conversation = Conversation(
            with: network.management(at: plan.firstPlace), over: try network.openOperator())
        for _ in 0..<600 where !server.isOver {
            try Task.checkCancellation()
            // Whatever it says to that: it can be heard.
            if await conversation.ask("{}", attempts: 1, patience: .milliseconds(50)) != nil {
                guard await state.withLockedValue(\.watch).isAnswered(at: network.fronts[plan.firstPlace])
                else {
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
            var extra: [String] = []
            if plan.steps.handoverEvery > 0 {
                extra = [
                    "--allow-handover-commands", "--network-changed-by-others", "--handover-address",
                    "\(network.handoverListener)",
                ]
            }
            clients.append(
                try await self.start(.client, "client\(index)", configuration.client(index), extra))
        }
        return clients
    }
}
