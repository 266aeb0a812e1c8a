import Foundation
import MHQKit
import NIOConcurrencyHelpers

extension RealRun {
    /// What the processes have written, and what the link saw.
    func report(_ server: RoleProcess, _ clients: [RoleProcess]) async throws -> RunOutcome {
        var outcome = state.withLockedValue(\.outcome)
        take(side.account, server, &outcome)
        let numbers = plan.experiment == 3 ? clients.indices.suffix(1) : clients.indices
        for index in numbers { outcome.clients.append(try client(clients[index], index)) }
        if plan.experiment == 3 { try await readNotification(server, &outcome) }
        return outcome
    }

    /// What the container's side has told the network.
    private func take(_ account: NetworkSide.State, _ server: RoleProcess, _ outcome: inout RunOutcome) {
        (outcome.triggerTimes, outcome.thawTimes) = (account.triggerTimes, account.thawTimes)
        outcome.migrations = Array(container.moves.prefix(account.triggerTimes.count))
        outcome.flaws += account.flaws
        if account.ended < account.triggerTimes.count { outcome.flaws.append("a move came to no end") }
        if let status = server.status, status != 0 {
            outcome.flaws.append("the server's process ended with \(status): \(server.lastWords)")
        }
        if !outcome.migrations.isEmpty, account.watch.hasAnswer() {
            outcome.flaws.append("somebody answered at an address that was left")
        }
        outcome.lostAtOldAddress = link.lost - account.watch.sent
    }

    private func client(_ process: RoleProcess, _ index: Int) throws -> RunOutcome.Client {
        let seed = RoleConfiguration(plan: plan, run: run, network: network).seed(ofClient: index)
        var log = ServiceTimeLog(
            experiment: plan.experiment, triggerAfter: plan.steps.triggerAfter, seed: seed)
        let path = process.folder + "/" + (log.fileName ?? "service_times.json")
        var isMissing = false
        if let data = try? Data(contentsOf: URL(fileURLWithPath: path)) {
            try log.take(json: data, names: network.names)
        } else if plan.experiment != 3 {
            isMissing = true
            log.endedDueToTimeout = true
        }
        let reason = log.endedDueToTimeout || isMissing ? process.lastWords : nil
        return RunOutcome.Client(seed: seed, log: log, endReason: reason)
    }

    private func readNotification(_ server: RoleProcess, _ outcome: inout RunOutcome) async throws {
        let url = URL(fileURLWithPath: server.folder + "/" + ApplicationServer.reportName)
        for _ in 0..<500 where !server.isOver {
            if let data = try? Data(contentsOf: url),
                let report = try? JSONDecoder().decode(Notification.self, from: data)
            {
                outcome.notificationTime = report.migrationNotificationTime
                outcome.readyClients = report.numberOfClientsReadyForMigration
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        outcome.flaws.append("the server wrote no report: \(server.lastWords)")
    }

    private struct Notification: Decodable {
        var migrationNotificationTime: Int64?
        var numberOfClientsReadyForMigration: Int?
    }
}
