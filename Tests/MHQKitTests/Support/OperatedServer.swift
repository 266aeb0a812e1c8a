import Foundation
import GodwitHTTP3

@testable import MHQKit

/// A server without TCP that its operator, who is asked over a Unix socket, may have move on the loopback interface.
enum OperatedServer {
    /// What the operator says, and what is answered.
    typealias Ask = @Sendable (String) async throws -> OperatorReport

    /// Runs a server, and `body` beside it.
    ///
    /// - Parameter control: the path of the operator's socket.
    static func run(
        control: String, _ configure: @Sendable (inout WebServerOptions) throws -> Void = { _ in },
        _ body: @Sendable (RunningServer, Ask) async throws -> Void
    ) async throws {
        try await RunningServer.run {
            $0.control = control
            $0.servesTCP = false
            $0.allowedDestinations = [AddressPrefix("127.0.0.0/8")!]
            try configure(&$0)
        } _: { server in
            try await body(server) { line in
                try await blocking {
                    try OperatorReport(line: OperatorClient(path: control, timeout: .seconds(60)).ask(line))
                }
            }
        }
    }
}

/// Waits on another thread than those that tasks share.
func blocking<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Swift.Result(catching: body)) }
    }
}
