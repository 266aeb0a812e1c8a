import Foundation
import GodwitHTTP3
import Testing

@testable import MHQKit

/// Servers of which there may be copies, and who says which one goes on (Specs/server-migration.md 6.6.4).
@Suite struct ArbiterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func withArbiter(
        state: String? = nil, _ body: @Sendable (String) async throws -> Void
    ) async throws {
        let path = folder["arbiter"]
        let run = try await ArbiterRun.start(path: path, state: state)
        let (signals, stop) = AsyncStream.makeStream(of: WebServerSignal.self)
        async let serving: Void = run.run(signals: signals)
        let result: Result<Void, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        stop.yield(.end(SIGTERM))
        await serving
        try result.get()
    }

    private func withServer(
        _ body: @Sendable (RunningServer, OperatedServer.Ask) async throws -> Void
    ) async throws {
        let arbiter = folder["arbiter"]
        try await OperatedServer.run(control: folder["control"], { $0.arbiter = arbiter }, body)
    }

    private static func ask(
        _ path: String, _ resolution: EpochLedger.Resolution, epoch: UInt64, copy: UInt64
    ) async throws -> Bool {
        try await SocketArbiter(path: path, patience: .seconds(600)).grants(
            resolution, of: MigrationEpoch(rawValue: epoch), to: EpochArbiter.Copy(rawValue: copy))
    }

    // Holds: W15
    @Test("Of several copies one is granted, and the same again, also by an arbiter that was started anew")
    func grants() async throws {
        let state = folder["state"]
        try await withArbiter(state: state) { path in
            let answers = [
                try await Self.ask(path, .switched, epoch: 1, copy: 7),
                try await Self.ask(path, .switched, epoch: 1, copy: 7),
                try await Self.ask(path, .cancelled, epoch: 1, copy: 7),
                try await Self.ask(path, .switched, epoch: 1, copy: 8),
            ]
            #expect(answers == [true, true, false, false])
        }
        try await withArbiter(state: state) { path in
            #expect(try await !Self.ask(path, .switched, epoch: 1, copy: 8))
            #expect(try await Self.ask(path, .switched, epoch: 1, copy: 7))
            #expect(try await Self.ask(path, .cancelled, epoch: 2, copy: 8))
            let client = OperatorClient(path: path)
            for line in [
                "nonsense", "{}", #"{"command":"grant"}"#, #"{"command":"grant","resolution":"stay"}"#,
            ] {
                let answer = try await blocking { try client.ask(line) }
                #expect(try OperatorReport(line: answer).exitCode == ExitCode.dataError)
            }
        }
        try Data("{".utf8).write(to: URL(fileURLWithPath: state))
        await #expect(throws: Failure.self) { try await withArbiter(state: state) { _ in } }
    }

    // Holds: W15
    @Test("A server whose copy was granted stays held, whatever its operator says, and sends nothing")
    func anotherCopy() async throws {
        try await withArbiter { path in
            try await withServer { server, ask in
                #expect(try await ask(#"{"command":"prepare","strategy":"symmetric"}"#).isDone)
                #expect(try await ask(#"{"command":"hold","epoch":1}"#).isDone)
                #expect(try await Self.ask(path, .switched, epoch: 1, copy: 1))
                for line in [#"{"command":"switch","epoch":1}"#, #"{"command":"cancel","epoch":1}"#] {
                    let refused = try await ask(line)
                    #expect(
                        refused.exitCode == ExitCode.unavailable && refused.error.contains("another copy"))
                    #expect(try await ask(#"{"command":"status"}"#).state == "held")
                }
            }
        }
    }

    @Test("A server whose arbiter is not there stays held until it is")
    func noArbiter() async throws {
        try await withServer { server, ask in
            #expect(try await ask(#"{"command":"prepare","strategy":"symmetric"}"#).isDone)
            #expect(try await ask(#"{"command":"hold","epoch":1,"release":true}"#).isDone)
            let refused = try await ask(#"{"command":"cancel","epoch":1}"#)
            #expect(refused.exitCode == ExitCode.unavailable && refused.error.hasPrefix("--arbiter: "))
            #expect(try await ask(#"{"command":"status"}"#).state == "held")
            try await withArbiter { _ in
                for _ in 0..<2 {
                    let cancelled = try await ask(#"{"command":"cancel","epoch":1}"#)
                    #expect(cancelled.isDone)
                }
            }
            try await server.withClient { client in
                let answer = try await client.ask("/bytes/10")
                #expect(answer.status == 200)
            }
        }
    }

    @Test("An address that can't be had costs nobody its grant")
    func failedArrival() async throws {
        try await withArbiter { _ in
            try await withServer { server, ask in
                #expect(try await ask(#"{"command":"prepare","strategy":"symmetric"}"#).isDone)
                #expect(try await ask(#"{"command":"hold","epoch":1,"release":true}"#).isDone)
                let taken = NetworkAddress("127.0.0.2:\(server.port)")!
                let descriptor = try #require(LoopbackAddress.bind(taken))
                let failed = try await ask(
                    #"{"command":"switch","epoch":1,"addresses":["\#(taken)"]}"#)
                #expect(failed.exitCode == ExitCode.system)
                close(descriptor)
                let moved = try await ask(#"{"command":"switch","epoch":1,"addresses":["\#(taken)"]}"#)
                #expect(moved.isDone && moved.address == "\(taken)")
            }
        }
    }
}
