import Foundation
import GodwitMigration
import MHQKit
import Testing

@testable import GodwitTestbed

/// Whole runs with the `mhq` that was built along with these tests.
@Suite("On real sockets", .serialized, .timeLimit(.minutes(10)))
struct RealExperimentTests {
    private static let mhq = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "mhq").path

    @Test(
        "A frozen server goes on at another loopback address, and its client with it",
        arguments: [PlanProtocol.reactiveExplicit, .symmetric])
    func loopback(_ name: PlanProtocol) async throws {
        try await RealMove.check(name) { try RealBackend.loopback($0, program: Self.mhq) }
    }

    @Test(
        "A frozen server goes on in a network namespace with another address",
        .enabled(if: geteuid() == 0, "needs root"), arguments: [PlanProtocol.poolOfAddresses3, .symmetric])
    func namespaces(_ name: PlanProtocol) async throws {
        try await RealMove.check(name) { try await RealBackend.namespaces($0, program: Self.mhq) }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")) ?? []
        let own = "mhq-run-\(ProcessInfo.processInfo.processIdentifier)-"
        #expect(!names.contains { $0.hasPrefix(own) })
    }

    @Test("A run that is cancelled leaves neither processes nor files behind")
    func cancellation() async throws {
        let plan = try RealMove.plan()
        let backend = try RealBackend.loopback(plan, program: Self.mhq)
        let task = Task { try await backend.perform(plan.runs[0], of: plan, .godwit) }
        while (try? FileManager.default.contentsOfDirectory(atPath: Leftovers.folder))?.isEmpty ?? true {
            try await Task.sleep(for: .milliseconds(5))
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect((try? FileManager.default.contentsOfDirectory(atPath: Leftovers.folder))?.isEmpty ?? true)
        #expect(Leftovers.processes(in: Leftovers.folder).isEmpty)
    }

    @Test("A server that can't start ends the experiment with its own words")
    func noServer() async throws {
        let plan = try RealMove.plan()
        let backend = try RealBackend.loopback(plan, program: "/bin/false")
        let failure = await #expect(throws: Failure.self) {
            try await backend.perform(plan.runs[0], of: plan, .godwit)
        }
        #expect(failure?.exitCode == ExitCode.unavailable)
    }
}
