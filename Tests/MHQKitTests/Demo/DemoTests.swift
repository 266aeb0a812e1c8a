import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import MHQKit

/// The demo itself, with the `mhq` that was built along with these tests as its server.
@Suite("A demo", .serialized, .timeLimit(.minutes(15)))
struct DemoTests {
    private static let mhq = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "mhq").path

    private func run(
        _ configure: (inout DemoOptions) -> Void
    ) async throws -> (code: Int32, rows: [[String: JSONValue]]) {
        var options = DemoOptions()
        (options.seed, options.writesJSON, options.executable) = (11, true, Self.mhq)
        (options.warmUp, options.afterMove) = (.milliseconds(200), .milliseconds(200))
        options.patience = .seconds(60)
        configure(&options)
        let lines = NIOLockedValueBox<[String]>([])
        let (signals, _) = AsyncStream.makeStream(of: Int32.self)
        let code = try await DemoRun(options).run(signals: signals) { line in
            lines.withLockedValue { $0.append(line) }
        }
        let text = lines.withLockedValue { $0.joined() }
        return (code, try JSONDecoder().decode([[String: JSONValue]].self, from: Data(text.utf8)))
    }

    @Test(
        "Moves a server twice under its clients, and loses none", arguments: [DemoStrategy.combined, .pool])
    func strategy(strategy: DemoStrategy) async throws {
        let (code, rows) = try await run { $0.strategies = [strategy] }
        #expect(code == 0)
        let row = try #require(rows.first)
        #expect(
            row["moves"] == .whole(2) && row["connections_lost"] == .whole(0) && row["failed"] == .whole(0))
        #expect(row["answered_at_old_address"] == .whole(0) && row["seed"] == .whole(11))
        guard case .object(let places)? = row["answers_by_address"] else {
            Issue.record("unexpected: \(row)")
            return
        }
        // The server answered from three places.
        #expect(places.count == 3 && places.values.allSatisfy { $0.whole ?? 0 > 0 })
    }

    @Test("Loses every client with migration off, and says so by its exit code")
    func control() async throws {
        let (code, rows) = try await run {
            $0.isControl = true
            $0.patience = .seconds(1)
        }
        #expect(code == 1)
        let row = try #require(rows.first)
        #expect(row["connections_lost"] == .whole(8))
        #expect(row["first_service_time_after_ms"] == .null && row["answered_at_old_address"] == .whole(0))
    }
}
