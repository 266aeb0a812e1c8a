import Foundation
import GodwitHTTP3
import GodwitSimulator
import NIOCore

/// A demo of one strategy: a server, its clients, and the moves.
struct DemoRound: Sendable {
    let options: DemoOptions
    let strategy: DemoStrategy
    let scene: DemoScene
    let group: any EventLoopGroup
    let capture: DatagramCapture?
    let keyLog: KeyLog?
    /// How much of the demo was done before, and how much of it this is.
    let share: (before: Double, part: Double)

    private var traffic: DemoTraffic { DemoTraffic(seed: options.seed, isCaptured: capture != nil) }

    /// Runs it. What goes wrong with connections and requests is in the row; what keeps a demo from being one
    /// is thrown.
    func run() async throws -> DemoRow {
        let folder = try DemoFolder.make()
        defer { folder.remove() }
        let port = try LoopbackAddress.freePort(at: options.moves + 1)
        let addresses = (0...options.moves).map { LoopbackAddress.make($0, port: port) }
        scene.change { scene in
            (scene.strategy, scene.from, scene.to) = (strategy, addresses[0], nil)
            (scene.phase, scene.clients, scene.progress) = ("connecting", [], share.before)
        }
        let server = try await DemoServerProcess.start(
            options.executable, arguments: arguments(folder, addresses), in: folder)
        defer { server.end() }
        let clients = try await connect(to: addresses[0], folder)
        scene.change { $0.clients = clients }
        let work = Task { await Self.work(clients) }
        do {
            let story = try await tell(server, clients, addresses)
            // What is under way takes its time on a busy machine, and is no more lost than an answer that is late.
            await Self.end(work, clients, within: story.isLost ? .zero : options.patience * 2)
            var row = story.row(clients)
            if server.isOver() { row.fault = "the server's process has ended: \(server.complaint)" }
            return row
        } catch {
            await Self.end(work, clients, within: .zero)
            throw error
        }
    }

    private func arguments(_ folder: DemoFolder, _ addresses: [NetworkAddress]) -> [String] {
        var words = ["demo-server", "--folder", folder.path, "--listen", "\(addresses[0])"]
        words += ["--seed", "\(options.seed)"]
        if strategy == .pool { words += addresses.dropFirst().flatMap { ["--pool", "\($0)"] } }
        if strategy == .control { words.append("--no-migration") }
        if capture != nil { words.append("--captured") }
        return words
    }

    // MARK: Clients

    private func connect(to address: NetworkAddress, _ folder: DemoFolder) async throws -> [DemoClient] {
        let configuration = try configuration(folder)
        var clients: [DemoClient] = []
        do {
            for number in 1...options.clients {
                clients.append(
                    try await DemoClient.connect(
                        to: address, number, configuration, capture: capture, traffic, on: group))
            }
        } catch {
            // The event loops end soon, and connections have to before.
            for client in clients { await client.http3.close() }
            throw error
        }
        return clients
    }

    private func configuration(_ folder: DemoFolder) throws -> HTTP3ClientConfiguration {
        var tls = TLSClientConfiguration(applicationProtocols: ["h3"])
        tls.trust = try .file(folder.certificate)
        if let keyLog { tls.keyLog = { keyLog.write($0) } }
        var configuration = try HTTP3ClientConfiguration(tls: tls)
        guard strategy != .control else { return configuration }
        configuration.quic.migration = ClientMigrationSettings(ClientMigrationNegotiation())
        return configuration
    }

    private static func work(_ clients: [DemoClient]) async {
        await withDiscardingTaskGroup { tasks in
            for client in clients { tasks.addTask { await client.run() } }
        }
    }

    /// Lets what is under way come to an end, but not for long.
    private static func end(_ work: Task<Void, Never>, _ clients: [DemoClient], within limit: Duration) async
    {
        for client in clients { client.stop() }
        let watchdog = Task {
            try await Task.sleep(for: limit)
            work.cancel()
        }
        await work.value
        watchdog.cancel()
        for client in clients { await client.http3.close() }
    }

    // MARK: The story

    private func tell(
        _ server: DemoServerProcess, _ clients: [DemoClient], _ addresses: [NetworkAddress]
    ) async throws -> DemoStory {
        var story = DemoStory(strategy, options, clients)
        var random = DeterministicRandom(seed: options.seed ^ UInt64(strategy.ordinal) << 32)
        scene.change { $0.phase = "working" }
        try await Task.sleep(for: options.warmUp)
        for number in 1...options.moves where !story.isLost {
            let freeze = Duration.milliseconds(Int64(random.integer(in: 200...400)))
            let (from, to) = (addresses[number - 1], addresses[number])
            scene.change { ($0.from, $0.to) = (from, to) }
            let step = share.part / Double(options.moves)
            let move = DemoMove(
                server: server, clients: clients, strategy: strategy, from: from, to: to,
                patience: options.patience, scene: scene,
                share: (share.before + step * Double(number - 1), step))
            story.add(try await move.run(freeze: freeze))
            if !story.isLost { try await Task.sleep(for: options.afterMove) }
            story.endOfMove()
        }
        return story
    }
}

extension DemoStrategy {
    fileprivate var ordinal: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension DemoFolder {
    /// A new folder that nobody else can look into.
    static func make() throws(Failure) -> DemoFolder {
        let parent = FileManager.default.temporaryDirectory.path
        var template = Array((parent + "/mhq-demo-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(ExitCode.cannotCreate, "\(parent): no folder can be made there")
        }
        return DemoFolder(path: template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
