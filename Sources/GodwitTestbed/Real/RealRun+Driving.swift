import Foundation
import GodwitWire
import MHQKit
import NIOConcurrencyHelpers

// The driver of experiments 4 to 6.
extension RealRun {
    private static var unixTime: Double { Date().timeIntervalSince1970 }

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
        let here = side.account.place
        state.withLockedValue { $0.outcome.noticeTimes.append(Self.unixTime) }
        let conversation = Conversation(
            with: network.management(at: here), over: try network.openOperator())
        let notice = ManagementMessage.notice(name, to: network.fronts[1 - here], asksForReadiness: true)
        var answer = await conversation.ask(notice)
        if answer == "OK" { answer = await conversation.listen(for: .seconds(70), past: "OK") }
        try Task.checkCancellation()
        if answer != "migration ready" { note("no readiness: \(answer ?? "no answer")") }
        try await migrate(server)
    }

    /// Orders the move, and waits until it is over.
    private func migrate(_ server: RoleProcess) async throws {
        let count = side.account.ended
        let socket = try network.openOrders()
        // What comes from a port again is taken for the same order: it stays ours, and the next one gets another.
        state.withLockedValue { $0.orderSockets.append(socket) }
        let answer = await Conversation(with: network.commands, over: socket).ask(ManagementMessage.migrate)
        try Task.checkCancellation()
        guard answer == "OK" else { return note("the server was not moved: \(answer ?? "no answer")") }
        try await awaitMoves(count + 1, server)
    }

    /// Waits until so many moves have come to their ends, unless whoever makes them has.
    func awaitMoves(_ count: Int, _ server: RoleProcess) async throws {
        let end = ContinuousClock.now + .seconds(300)
        while side.account.ended < count, !server.isOver, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
        }
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
            with: NetworkAddress(ip: listener, port: HandoverListener.port), over: try network.openOrders())
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
            with: network.management(at: side.account.place), over: try network.openOperator())
        _ = await conversation.ask(ManagementMessage.shutdown)
        try Task.checkCancellation()
    }
}
