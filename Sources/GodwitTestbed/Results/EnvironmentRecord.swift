import Foundation
package import MHQKit

/// Under what circumstances results came about, and how to have them again.
package struct EnvironmentRecord: Codable, Sendable {
    package var commit: String?
    /// Whether the sources differed from the commit.
    package var dirty: Bool?
    package var swift: String
    package var kernel: String
    package var processor: String
    package var cores: Int
    package var planDigest: String
    package var firstSeed: UInt64
    package var policy: String
    package var backend: String
    package var commandLine: [String]
    /// Unix time, seconds.
    package var startedAt: Int64
    /// How long it took, seconds; nil while it runs.
    package var duration: Double?
    package var runs: Int
    /// Whether every run has ended.
    package var complete: Bool
    /// What to keep in mind about the figures, a line each.
    package var remarks: [String]
    package var plan: ExperimentPlan

    /// What can be said at the beginning.
    package init(_ plan: ExperimentPlan, policy: String, backend: String, commandLine: [String]) {
        commit = Self.output(["git", "rev-parse", "HEAD"])
        dirty = commit == nil ? nil : !(Self.output(["git", "status", "--porcelain"]) ?? "").isEmpty
        swift =
            Self.output(["swift", "--version"])?.split(separator: "\n").first.map(String.init) ?? "unknown"
        kernel =
            (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
        processor = Self.processor
        cores = ProcessInfo.processInfo.activeProcessorCount
        planDigest = plan.digest
        firstSeed = plan.firstSeed
        (self.policy, self.backend, self.commandLine, self.plan) = (policy, backend, commandLine, plan)
        startedAt = Int64(Date().timeIntervalSince1970)
        runs = plan.runs.count
        complete = false
        remarks = plan.quick && plan.experiment == 4 ? ["quick: not readable by the thesis's script"] : []
    }

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }

    /// What a tool says; nil when it is not there or fails.
    private static func output(_ words: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: The file

    /// Where it lies below the folder of policy and backend.
    package static func path(in folder: String, experiment: Int) -> String {
        "\(folder)/environment_experiment\(experiment).json"
    }

    /// Writes it.
    package func write(to path: String) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try WholeFile.write((try? encoder.encode(self)) ?? Data(), to: path)
    }

    /// Reads one, to do it again.
    package static func read(_ path: String) throws(Failure) -> EnvironmentRecord {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure(ExitCode.noInput, "--replay: \(path): can't be read")
        }
        let record: EnvironmentRecord
        do { record = try JSONDecoder().decode(EnvironmentRecord.self, from: data) } catch {
            throw Failure(ExitCode.dataError, "--replay: \(path): is no environment file")
        }
        if let problem = record.plan.problem {
            throw Failure(ExitCode.dataError, "--replay: \(path): plan.\(problem)")
        }
        return record
    }
}
