import Foundation
import GodwitHTTP3
import Logging

/// Does what an operator says to a server, and answers.
///
/// Every command may be repeated: what was done is not done again, and answered as before.
struct OperatorService: Sendable {
    let server: HTTP3Server
    let logger: Logger
    /// Has the server end.
    let shutDown: @Sendable () -> Void

    /// Answers a line with a line.
    func answer(_ line: some StringProtocol) async -> String {
        var name: String?
        do {
            let request = try OperatorRequest(line: line)
            name = request.name
            return try await perform(request).text
        } catch {
            let failure = Self.failure(error)
            logger.warning(
                "an operator's command was not carried out",
                metadata: ["command": "\(name ?? "?")", "error": "\(failure)"])
            return OperatorAnswer.failure(name, failure).text
        }
    }

    private func perform(_ request: OperatorRequest) async throws -> OperatorAnswer {
        logger.info("an operator's command", metadata: ["command": "\(request.name)"])
        let start = ContinuousClock.now
        var answer = OperatorAnswer(request.name)
        switch request {
        case .prepare(let preparation):
            let readiness = try await server.prepareMigration(
                preparation.plan, deadline: preparation.deadline, epoch: preparation.epoch)
            answer.add(readiness, showsConnections: preparation.showsConnections)
        case .hold(let epoch, let releasesAddress):
            try await server.hold(epoch, releasesAddress: releasesAddress)
            answer.add(epoch: epoch)
        case .networkSwitched(let epoch, let addresses):
            try refuseForbidden(addresses)
            try await server.quic.networkSwitched(to: addresses, epoch: epoch)
            answer.add(epoch: epoch)
        case .cancel(let epoch):
            try await server.cancelMigration(epoch)
            answer.add(epoch: epoch)
        case .pool(let pool):
            try await server.changeMigrationPool(pool)
            answer.add(pool: pool)
        case .status(let showsConnections): await addStatus(to: &answer, showsConnections)
        case .shutdown: shutDown()
        }
        if request != .shutdown { answer.add(address: server.localAddress) }
        answer.add(took: ContinuousClock.now - start)
        return answer
    }

    private func addStatus(to answer: inout OperatorAnswer, _ showsConnections: Bool) async {
        let state = await server.quic.migrationState
        answer.add(state: state.isHeld ? "held" : state.isOpen ? "prepared" : "serving")
        answer.add(pool: await server.migrationPool)
        answer.add(openConnections: await server.quic.statistics.connections)
        if let readiness = await server.quic.migrationReadiness {
            answer.add(readiness, showsConnections: showsConnections)
        }
    }

    /// Where the server itself goes is no more the operator's whim than where its clients do. A wildcard is
    /// where it is already.
    func refuseForbidden(_ addresses: [NetworkAddress]) throws {
        guard let allowed = server.configuration.quic.allowedDestinations else { return }
        for address in addresses where !address.ip.isUnspecified && !allowed.contains(address) {
            throw MigrationError.forbiddenDestination(address)
        }
    }

    private static func failure(_ error: any Error) -> Failure {
        switch error {
        case let failure as Failure: return failure
        case MigrationError.forbiddenDestination(let address):
            return Failure(
                ExitCode.noPermission, "\(address): not among the allowed destinations (--allow-destination)")
        case let error as MigrationError: return Failure(ExitCode.unavailable, "\(error)")
        case QUICError.socket(let problem): return Failure(ExitCode.system, "\(problem)")
        default: return Failure(ExitCode.software, "\(error)")
        }
    }
}
