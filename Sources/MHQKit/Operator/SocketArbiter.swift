import Dispatch
import Godwit

/// An arbiter at a Unix socket: `mhq arbiter`, or who speaks as it does.
struct SocketArbiter: MigrationArbiter {
    let path: String

    /// A server that gets no answer stays held, and its operator tries again.
    var patience = Duration.seconds(5)

    func grants(
        _ resolution: EpochLedger.Resolution, of epoch: MigrationEpoch, to copy: EpochArbiter.Copy
    ) async throws -> Bool {
        let request = ArbiterRequest(resolution, of: epoch, by: copy)
        let client = OperatorClient(path: path, timeout: patience, option: "--arbiter")
        // Waiting is for threads that nobody else needs.
        let line = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try client.ask(request.line) })
            }
        }
        guard let members = JSONValue.members(of: line), members["ok"]?.flag == true,
            let isGranted = members["granted"]?.flag
        else {
            throw Failure(
                ExitCode.protocolError, "--arbiter: \(path): the answer makes no sense: \(line.prefix(100))")
        }
        return isGranted
    }
}
