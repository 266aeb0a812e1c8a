import GodwitHTTP3
import NIOCore

/// One move of a demo's server, and what it looked like.
struct DemoMove: Sendable {
    let server: DemoServerProcess
    let clients: [DemoClient]
    let strategy: DemoStrategy
    let from: NetworkAddress
    let to: NetworkAddress
    let patience: Duration
    let scene: DemoScene
    /// How much of the demo was done before, and how much of it this is.
    let share: (before: Double, part: Double)

    /// What was seen of a move.
    struct Result: Sendable {
        /// When the last request went out that the move could not have to do with.
        var preparedAt = NIODeadline.now()
        /// When every client had an answer from the new place.
        var doneAt = NIODeadline.now()
        var freeze = TimeAmount.zero
        /// The first request after the thaw, of each client that got an answer.
        var firstTimes: [TimeAmount] = []
        /// From the thaw to the first bytes, of each client that got any.
        var stalls: [TimeAmount] = []
        var answeredAtOldAddress = 0
        var lostAtOldAddress = 0
        /// Clients without an answer.
        var lost: Set<Int> = []
    }

    /// Holds the server, has its old socket closed unread, freezes it, thaws it at another address.
    func run(freeze: Duration) async throws -> Result {
        var result = Result()
        say("preparing", 0)
        let epoch = try await prepare()
        say("held", 0.1)
        try await hold(epoch)
        let heldAt = NIODeadline.now()
        try await server.freeze()
        let abandoned = try AbandonedAddress(from)
        say("frozen for \(freeze.inMilliseconds) ms", 0.2)
        let seen = try await countsOfWhatHasCome(within: freeze)
        for client in clients { client.tally.watchForProgress() }
        let thawedAt = NIODeadline.now()
        server.thaw()
        result.freeze = thawedAt - heldAt
        try await goOn(epoch)
        say("thawed", 0.4)
        await askAll(&result)
        await waitUntilAllFollowed()
        result.doneAt = .now()
        for (index, client) in clients.enumerated() {
            result.answeredAtOldAddress += client.tap.count(from: from) - seen[index]
            if let again = client.tally.figures.progressAgain { result.stalls.append(again - thawedAt) }
        }
        result.lostAtOldAddress = abandoned.count()
        say("\(clients.count - result.lost.count) of \(clients.count) clients followed", 0.5)
        return result
    }

    /// - Parameter fraction: how much of the move is done.
    private func say(_ phase: String, _ fraction: Double) {
        scene.change { scene in
            scene.phase = phase
            scene.progress = share.before + share.part * fraction
        }
    }

    /// How many datagrams each client got from the old address, while nothing can come from there: the server is
    /// frozen for that time, or for longer where the machine has other things to do.
    private func countsOfWhatHasCome(within freeze: Duration) async throws -> [Int] {
        // A busy system puts off handing over what was sent before, but not for long.
        try await Task.sleep(for: freeze / 2)
        var counts: [Int] = []
        for client in clients {
            await client.http3.quic.readWhatHasCome()
            counts.append(client.tap.count(from: from))
        }
        try await Task.sleep(for: freeze / 2)
        return counts
    }

    // MARK: Commands

    private func prepare() async throws -> MigrationEpoch? {
        guard let name = strategy.operatorName else { return nil }
        let order = try name.order(to: [to])
        var preparation = OperatorRequest.Preparation(plan: MigrationPlan(default: order))
        preparation.deadline = patience
        let report = try await server.perform(.prepare(preparation))
        guard report.ready == clients.count, let epoch = report.epoch else {
            let fault = clients.compactMap(\.tally.figures.firstFault).first.map { "; \($0)" } ?? ""
            throw DemoFault("not all clients were ready to move: \(report.summary ?? "")\(fault)")
        }
        return epoch
    }

    private func hold(_ epoch: MigrationEpoch?) async throws {
        if let epoch {
            try await server.perform(.hold(epoch, releasesAddress: true))
        } else {
            try expect(await server.ask("stop"), "stopped")
        }
    }

    private func goOn(_ epoch: MigrationEpoch?) async throws {
        if let epoch {
            try await server.perform(.networkSwitched(epoch, to: [to]))
        } else {
            try expect(await server.ask("go \(to)"), "gone")
        }
    }

    private func expect(_ answer: String, _ wanted: String) throws {
        if answer != wanted { throw DemoFault("the server says: \(answer)") }
    }

    // MARK: Afterwards

    /// Every client sends a small request, and waits for the answer.
    private func askAll(_ result: inout Result) async {
        await withTaskGroup(of: (Int, TimeAmount?).self) { tasks in
            for (index, client) in clients.enumerated() {
                tasks.addTask(executorPreference: client.http3.quic.executor) {
                    if strategy == .explicitProactive { await client.http3.quic.lookForServer() }
                    return (index, await askInTime(client))
                }
            }
            for await (index, span) in tasks {
                if let span { result.firstTimes.append(span) } else { result.lost.insert(index) }
            }
        }
    }

    /// Nil if there was no answer in time.
    private func askInTime(_ client: DemoClient) async -> TimeAmount? {
        await withTaskGroup(of: TimeAmount?.self) { tasks in
            tasks.addTask(executorPreference: client.http3.quic.executor) {
                do { return try await client.askOnce() } catch {
                    let isLate = error is CancellationError
                    client.tally.noteFault(
                        isLate ? DemoFault("no answer within \(patience) of the thaw") : error)
                    return nil
                }
            }
            tasks.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
    }

    /// Where the clients are is where the last datagram came from.
    private func waitUntilAllFollowed() async {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end, !clients.allSatisfy({ $0.tap.latest == to }) {
            guard clients.contains(where: { $0.http3.isUsable && $0.tap.latest != to }) else { return }
            if strategy == .control { return }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}

extension Duration {
    /// Whole milliseconds.
    var inMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
