import Foundation
import MHQKit
import Subprocess

/// The command `ip` of iproute2.
enum NetworkTool {
    /// - Throws: a failure when it is not there.
    static func check() async throws {
        do { _ = try await output(["-V"]) } catch let failure as Failure { throw failure } catch {
            throw Failure(ExitCode.unavailable, "--backend: 'namespaces' needs the command ip (iproute2)")
        }
    }

    /// What it says.
    ///
    /// - Throws: a failure with its own words.
    @discardableResult
    static func output(_ words: [String], lines: [String] = []) async throws -> String {
        let input = lines.map { $0 + "\n" }.joined()
        let result = try await Subprocess.run(
            .name("ip"), arguments: Arguments(words), input: .string(input), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            let problem = result.standardError.split(separator: "\n").first.map(String.init)
            throw Failure(ExitCode.system, "ip \(words.joined(separator: " ")): \(problem ?? "has failed")")
        }
        return result.standardOutput
    }

    /// Carries out several commands in a namespace, or outside any.
    static func perform(_ lines: [String], in namespace: String? = nil) async throws {
        try await output((namespace.map { ["-n", $0] } ?? []) + ["-batch", "-"], lines: lines)
    }
}
