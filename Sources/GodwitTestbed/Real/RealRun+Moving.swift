import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

// The container's side, and the driver of experiments 4 to 6.
extension RealRun {
    static var unixTime: Double { Date().timeIntervalSince1970 }

    /// Where the server is and where it goes.
    private var places: (here: Int, there: Int) { state.withLockedValue { ($0.place, 1 - $0.place) } }

    // MARK: Moving

    func migrate(_ server: RoleProcess) async throws {
        let begin = ContinuousClock.now
        let phases = state.withLockedValue { state in
            state.outcome.triggerTimes.append(Self.unixTime)
            let phases = state.container.next(
                run.technique, inflation: run.inflation, clients: run.clients,
                isCompressed: plan.allSeries[run.series].compression,
                contents: plan.allSeries[run.series].contents ?? .zero)
            state.outcome.migrations.append(phases)
            return phases
        }
        let (here, there) = places
        try await Task.sleep(until: begin + .seconds(phases.beforeFreeze), tolerance: .zero)
        let waiting = try await freeze(server, at: here)
        let end = ContinuousClock.now + .seconds(phases.frozen)
        try await network.arrive(at: there)
        try await Task.sleep(until: end, tolerance: .zero)
        checkQueue(of: server, at: here, before: waiting)
        state.withLockedValue { $0.place = there }
        try await link.release(at: there)
        state.withLockedValue { $0.outcome.thawTimes.append(Self.unixTime) }
        server.thaw()
        try await announceArrival(at: there)
        state.withLockedValue { $0.watch.probe(network.fronts[here]) }
    }

    /// - Returns: how many bytes there were that the server had not read.
    private func freeze(_ server: RoleProcess, at here: Int) async throws -> Int {
        try await link.hold(at: here)
        try await server.freeze()
        let waiting = SocketTable.waiting(in: server.number, at: listening(here))
        state.withLockedValue { state in
            state.watch.drain()
            state.watch.probe(network.fronts[here])
        }
        try await network.leave(here)
        return waiting
    }

    private func listening(_ place: Int) -> [NetworkAddress] {
        [network.servers[place], NetworkAddress(ip: .anyIPv4, port: network.servers[place].port)]
    }

    private func checkQueue(of server: RoleProcess, at here: Int, before: Int) {
        let waiting = SocketTable.waiting(in: server.number, at: listening(here))
        if waiting > before { note("\(waiting - before) bytes were kept for the server that stood still") }
    }

    /// As the destination does, once the process is there.
    private func announceArrival(at there: Int) async throws {
        let conversation = Conversation(
            with: network.management(at: there), over: try network.openOperator())
        let answer = await conversation.ask(network.networkSwitch(to: there))
        try Task.checkCancellation()
        if answer != "OK" { note("the server was not told of its arrival: \(answer ?? "no answer")") }
    }

    // MARK: The driver

    /// - Parameter start: when the first client was started.
    func drive(
        _ server: RoleProcess, _ clients: [RoleProcess], since start: ContinuousClock.Instant
    ) async throws {
        let steps = plan.steps
        if steps.noticeAt > 0 {
            try await Task.sleep(for: .milliseconds(steps.noticeAt), tolerance: .zero)
            try await noticeAndMigrate(server)
        }
        guard steps.handoverEvery > 0 else { return }
        for (index, outage) in steps.outages.enumerated() {
            let due = start + .milliseconds(steps.handoverEvery * (index + 1))
            try await Task.sleep(until: due, tolerance: .zero)
            try await handOver(clients[0], to: index + 1, outage)
            if steps.movesWithHandover { try await noticeAndMigrate(server) }
        }
        let end = start + .milliseconds(steps.handoverEvery * steps.outages.count + steps.tail)
        try await Task.sleep(until: end, tolerance: .zero)
        try await shutDown()
    }

    private func noticeAndMigrate(_ server: RoleProcess) async throws {
        guard let name = run.migrationProtocol.application else { return }
        let (here, there) = places
        state.withLockedValue { $0.outcome.noticeTimes.append(Self.unixTime) }
        let conversation = Conversation(
            with: network.management(at: here), over: try network.openOperator())
        let notice = ManagementMessage.notice(name, to: network.fronts[there], asksForReadiness: true)
        var answer = await conversation.ask(notice)
        if answer == "OK" { answer = await conversation.listen(for: .seconds(70), past: "OK") }
        try Task.checkCancellation()
        if answer != "migration ready" { note("no readiness: \(answer ?? "no answer")") }
        try await migrate(server)
    }

    /// The client changes networks: its transport stands still meanwhile, as its radio did.
    private func handOver(_ client: RoleProcess, to number: Int, _ outage: Int) async throws {
        state.withLockedValue { $0.outcome.handoverTimes.append(Self.unixTime) }
        let end = ContinuousClock.now + .milliseconds(outage)
        link.part()
        try await client.freeze()
        try await network.leaveClientNetwork()
        try await Task.sleep(until: end, tolerance: .zero)
        let place = number % network.clients.count
        try await network.enterClientNetwork(place)
        link.join(place)
        client.thaw()
        let listener =
            network.handoverListener.isUnspecified ? network.clients[place] : network.handoverListener
        let conversation = Conversation(
            with: NetworkAddress(ip: listener, port: HandoverListener.port), over: try network.openHandover())
        let answer = await conversation.ask(Self.order(network.clients[place], place))
        try Task.checkCancellation()
        if answer != "OK" { note("a client did not change networks: \(answer ?? "no answer")") }
    }

    private static func order(_ address: IPAddress, _ place: Int) -> String {
        #"{"action":"handover","address":"\#(NetworkAddress(ip: address, port: 0))","#
            + #""accessPoint":"network \#(place + 1)","accessPointGateway":"","#
            + #""otherAccessPointSubnet":"","tcScript":""}"#
    }

    /// Clients of an hour end with the server.
    private func shutDown() async throws {
        let conversation = Conversation(
            with: network.management(at: places.here), over: try network.openOperator())
        _ = await conversation.ask(ManagementMessage.shutdown)
        try Task.checkCancellation()
    }
}
