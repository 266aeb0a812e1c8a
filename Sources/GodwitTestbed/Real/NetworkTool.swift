import Foundation
import MHQKit
import Subprocess

/// A command of iproute2: `ip`, or `tc`.
struct NetworkTool: Sendable {
    /// Carries words out, with lines to read, and has what comes out.
    typealias Run = @Sendable (_ words: [String], _ lines: [String]) async throws -> String

    private let run: Run

    init(_ run: @escaping Run) { self.run = run }

    /// The command of that name.
    private init(named name: String) {
        run = { words, lines in try await Self.output(of: name, words, lines) }
    }

    /// Makes namespaces, devices, addresses and routes.
    static let ip = NetworkTool(named: "ip")
    /// Makes queues.
    static let tc = NetworkTool(named: "tc")

    /// - Throws: a failure when it is not there.
    func check() async throws {
        do { _ = try await output(["-V"]) } catch let failure as Failure { throw failure } catch {
            throw Failure(ExitCode.unavailable, "--backend: 'namespaces' needs the command ip (iproute2)")
        }
    }

    /// What it says.
    ///
    /// - Throws: a failure with its own words.
    @discardableResult
    func output(_ words: [String], lines: [String] = []) async throws -> String {
        try await run(words, lines)
    }

    /// Carries out several commands in a namespace, or outside any.
    func perform(_ lines: [String], in namespace: String? = nil) async throws {
        try await output((namespace.map { ["-n", $0] } ?? []) + ["-batch", "-"], lines: lines)
    }

    private static func output(
        of name: String, _ words: [String], _ lines: [String]
    ) async throws -> String {
        let input = lines.map { $0 + "\n" }.joined()
        let result = try await Subprocess.run(
            .name(name), arguments: Arguments(words), input: .string(input), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            let problem = result.standardError.split(separator: "\n").first.map(String.init)
            throw Failure(
                ExitCode.system, "\(name) \(words.joined(separator: " ")): \(problem ?? "has failed")")
        }
        return result.standardOutput
    }
}
