import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Real processes in network namespaces: datagrams to the address that a server has left are lost.
///
/// One after the other: each of them starts several processes.
@Suite(.serialized) struct NamespaceTests {
    /// What became of a strategy, or of another program.
    struct Outcome: Decodable {
        var name: String
        var problem: String
        var moves: Int?
        var bytes: Int?
        var ids: Int?
        /// How many tshark has found; -1 where it is not installed.
        var tsharkIDs: Int?
        var told: Int?

        enum CodingKeys: String, CodingKey {
            case name, problem, moves, bytes, ids, told
            case tsharkIDs = "tshark_ids"
        }
    }

    private static let mayRun = geteuid() == 0 && Harness.hasAioquic
    /// They take some ten minutes, and a machine with nothing else to do.
    private static let runsAll =
        mayRun && ProcessInfo.processInfo.environment["GODWIT_SCENARIOS"].map { $0 == "1" } ?? false

    private func outcome(_ option: String, _ name: String) throws -> Outcome {
        let folder = try Harness.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try Harness.run(
            "move.py", "--mhq", Harness.mhq.path, "--out", folder.appending(path: "move").path, "--json",
            // A test says nothing of times: the machine may be busy.
            "--allowance", "20", option, name)
        try #require(result.status != Harness.unavailable, "\(result.errors)")
        return try #require(try JSONDecoder().decode([Outcome].self, from: result.output).first)
    }

    // Holds: W12
    @Test(
        "A server moves there and back, no byte is lost, no connection id seen on two paths (RFC 9000 section 9.5)",
        .enabled(if: mayRun, "namespaces are for root; scripts/install-peers.sh aioquic"),
        arguments: ["explicit", "pool", "symmetric", "synchronized-symmetric", "combined"])
    func moves(strategy: String) throws {
        let outcome = try outcome("--strategy", strategy)
        #expect(outcome.problem.isEmpty, "\(outcome.problem)")
        #expect(outcome.moves == 2 && (outcome.bytes ?? 0) > 0 && (outcome.ids ?? 0) >= 6)
        // It looks behind what is encrypted, and must have seen ids of both sides.
        let seen = try #require(outcome.tsharkIDs)
        #expect(Harness.has("tshark") ? seen >= 2 : seen == -1)
    }

    @Test(
        "Other programs stay connected to a server that could move, and to one that is about to (7.3)",
        .enabled(if: runsAll, "GODWIT_SCENARIOS=1, as root; scripts/install-peers.sh curl ngtcp2 aioquic"),
        arguments: ["curl", "ngtcp2", "aioquic"])
    func peers(peer: String) throws {
        let outcome = try outcome("--peer", peer)
        #expect(outcome.problem.isEmpty, "\(outcome.problem)")
        if outcome.bytes == -1 {
            try Test.cancel("\(peer) is not installed: scripts/install-peers.sh \(peer)")
        }
        #expect(outcome.bytes == 15_000_000)
        // It was served until the hold, and not left to its idle timeout then (7.6).
        #expect((outcome.told ?? .max) < 20_000)
    }

    // Holds: W1, W3, W7, W10, W20
    @Test(
        "Processes move as simulations do, on links that delay, lose and translate (5, 6, 7, 9.4)",
        .enabled(if: runsAll, "GODWIT_SCENARIOS=1, as root; scripts/install-peers.sh aioquic"),
        arguments: [
            "first-request", "first-request-lossy", "silent-server", "barrier", "dead-clients",
            "download-only", "upload-only", "keep-alive", "nat", "nat-symmetric", "slow-path", "spoofed",
            "many-moves", "cancel-and-retarget", "both-move", "long-freeze", "stranger", "thesis-server",
            "thesis-client", "clock", "same-secret", "victim", "thousand-clients",
        ])
    func scenarios(name: String) throws {
        let outcome = try outcome("--scenario", name)
        #expect(outcome.problem.isEmpty, "\(outcome.problem)")
    }
}
