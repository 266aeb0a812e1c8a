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
        "Moves a server twice under its clients, and loses none", arguments: DemoStrategy.shown)
    func strategy(strategy: DemoStrategy) async throws {
        let (code, rows) = try await run { $0.strategies = [strategy] }
        let row = try #require(rows.first)
        #expect(code == 0, "\(row)")
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

    private static let tshark = ["/usr/bin/tshark", "/usr/local/bin/tshark"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        "Writes what went over the wire, and the secrets by which tshark reads it",
        .enabled(if: tshark != nil, "tshark is not installed"))
    func capture() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mhq-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (capture, keys) = (folder.appending(path: "c.pcap").path, folder.appending(path: "c.keys").path)
        let (code, _) = try await run {
            ($0.strategies, $0.captureFile, $0.keyLog) = ([.combined], capture, keys)
        }
        #expect(code == 0)
        let shark = Process()
        shark.executableURL = URL(filePath: try #require(Self.tshark))
        shark.arguments = [
            "-r", capture, "-o", "tls.keylog_file:\(keys)", "-Y", "quic.frame_type == 0x1b", "-T", "fields",
            "-e", "ip.src",
        ]
        let output = Pipe()
        (shark.standardOutput, shark.standardError) = (output, FileHandle.nullDevice)
        try shark.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        shark.waitUntilExit()
        // PATH_RESPONSE frames can be seen only in what was decrypted: each of the two new places was validated.
        #expect(Set(text.split(separator: "\n")).isSuperset(of: ["127.0.0.2", "127.0.0.3"]), "\(text)")
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
