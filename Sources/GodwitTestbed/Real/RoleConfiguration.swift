import Foundation
import GodwitMigration
import GodwitWire
import MHQKit

/// The configurations that a run's processes are given: the thesis's own, with members of ours.
struct RoleConfiguration {
    let plan: ExperimentPlan
    let run: RunSpecification
    let network: any TestNetwork

    /// A server's.
    func server() -> [String: Any] {
        let pool = ([network.fronts[1]] + network.nobody).prefix(run.migrationProtocol.poolSize)
        return [
            "host": "\(network.host)", "port": Int(plan.addresses.port),
            "managementPort": Int(plan.addresses.managementPort),
            "numberOfWorkerThreads": run.clients > 1 ? 0 : 1,
            "serverMigration": migration.merging(
                ["addressPool": pool.map { "\($0)" }, "allowedDestinations": destinations]
            ) { $1 },
            "memoryFootprintInflation": [
                "enable": run.inflation > 0, "additionalBytes": run.inflation << 20,
                "contents": (plan.allSeries[run.series].contents ?? .zero).rawValue,
            ] as [String: Any],
            "seed": run.seed, "thesis": timing,
        ]
    }

    /// Where clients may be sent, and the server may go: the addresses of the run and no others.
    private var destinations: [String] {
        (network.fronts + network.nobody + network.servers).map { "\($0.ip)/\($0.isIPv4 ? 32 : 128)" }
    }

    /// That of the container's side.
    ///
    /// - Parameters:
    ///   - moves: what each of them takes.
    ///   - words: start the server.
    ///   - network: where the network is asked.
    func container(
        _ moves: [ContainerPhases], serving words: [String], asking network: NetworkAddress
    ) -> ContainerConfiguration {
        let places = (0..<2).map { place in
            ContainerConfiguration.Place(
                server: self.network.servers[place], management: self.network.management(at: place),
                networkSwitch: self.network.networkSwitch(to: place))
        }
        return ContainerConfiguration(
            server: words, commands: self.network.commands, network: network, places: places,
            place: plan.firstPlace, moves: moves)
    }

    /// A client's.
    func client(_ index: Int) -> [String: Any] {
        let steps = plan.steps
        let front = network.fronts[plan.firstPlace]
        return [
            "serverHost": "\(front.ip)", "serverPort": Int(front.port),
            "serverMigration": migration, "keyLogging": ["enable": false, "file": "./keys.txt"],
            "requestPattern": [
                "sporadic": run.interval > 0, "sporadicInterval": run.interval,
                "backToBack": run.interval == 0,
            ] as [String: Any],
            "requestBody": ["fixed": !steps.drawsBodies, "fromDistribution": steps.drawsBodies],
            "seed": seed(ofClient: index), "thesis": timing, "experiment": experiment(index),
        ]
    }

    private var timing: [String: Any] {
        ["initialRoundTrip": plan.thesis.initialRoundTrip, "probeMargin": plan.thesis.probeMargin]
    }

    private func experiment(_ index: Int) -> [String: Any] {
        let steps = plan.steps
        // In the third experiment the last client alone gives the notice and ends everything.
        let commands = plan.experiment != 3 || index == run.clients - 1
        let destination = network.fronts[1]
        return [
            "id": plan.experiment, "serverManagementPort": Int(plan.addresses.managementPort),
            "containerMigrationScriptHost": "\(network.commands.ip)",
            "containerMigrationScriptPort": Int(network.commands.port),
            "serverMigrationProtocol": (run.migrationProtocol.application ?? .symmetric).rawValue,
            "serverMigrationHost": "\(destination.ip)", "serverMigrationPort": Int(destination.port),
            "notifyImminentMigrationAfterRequest": commands ? steps.noticeAfter : 0,
            "triggerMigrationAfterRequest": steps.triggerAfter,
            "shutdownAfterRequest": commands ? steps.shutdownAfter : 0,
            "responsesAfterMigration": steps.responsesAfterMove,
        ]
    }

    /// In the fourth experiment each client has a seed of its own, and runs share none.
    func seed(ofClient index: Int) -> UInt64 {
        plan.experiment == 4 ? (run.seed - 1) * UInt64(run.clients) + UInt64(index) + 1 : run.seed
    }

    private var migration: [String: Any] {
        let strategy = run.migrationProtocol.strategy
        return [
            "enable": strategy != nil, "explicit": strategy == .explicit,
            "poolOfAddresses": strategy == .poolOfAddresses, "symmetric": strategy == .symmetric,
            "synchronizedSymmetric": strategy == .synchronizedSymmetric,
        ]
    }

    static func write(_ members: [String: Any], to path: String) throws {
        try JSONSerialization.data(withJSONObject: members).write(to: URL(fileURLWithPath: path))
    }
}
