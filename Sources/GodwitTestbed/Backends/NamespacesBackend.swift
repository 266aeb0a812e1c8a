import Foundation
import MHQKit

extension RealBackend {
    /// In network namespaces of this machine, which only root may make.
    static func namespaces(_ plan: ExperimentPlan, program: String? = nil) async throws -> RealBackend {
        guard geteuid() == 0 else {
            throw Failure(ExitCode.noPermission, "--backend: 'namespaces' needs root; 'loopback' does not")
        }
        try await NetworkTool.ip.check()
        Leftovers.remove()
        await NetworkNamespaces.removeLeftovers()
        let shaping = try await LinkShaping.detect()
        return try RealBackend(plan, program: program, shaping) { try await shaping.makeNetwork($0) }
    }
}
