import Foundation
package import MHQKit

/// Under what circumstances results came about, and how to have them again.
package struct EnvironmentRecord: Codable, Sendable {
    /// That of the sources that the program was built from; nil where it is not known.
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
    /// How long it took, seconds; nil while it runs, and where it was killed.
    package var duration: Double?
    /// Who did other runs of these results before and was interrupted, the first first; nil where nobody was.
    package var earlier: [Session]?
    package var runs: Int
    /// Whether every run has ended.
    package var complete: Bool
    /// How many runs failed their checks; nil until every run has ended.
    package var failedChecks: Int?
    /// What to keep in mind about the figures, a line each.
    package var remarks: [String]
    package var plan: ExperimentPlan

    /// Somebody's work on results, from a command's start to its end.
    package struct Session: Codable, Hashable, Sendable {
        package var commit: String?
        package var dirty: Bool?
        package var startedAt: Int64
        package var duration: Double?
        package var commandLine: [String]
    }

    /// What can be said at the beginning.
    package init(_ plan: ExperimentPlan, policy: String, backend: String, commandLine: [String]) {
        let sources = SourceState()
        (commit, dirty) = (sources.commit, sources.dirty)
        let tool = ToolOutput.text(["swift", "--version"])
        swift = tool?.split(separator: "\n").first.map(String.init) ?? "unknown"
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
        remarks = sources.remarks
        if !plan.isReadableByThesis { remarks.append(Self.unreadable) }
    }

    static let unreadable = "not readable by the thesis's script, which wants 144 runs of 30 clients"

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }

    // MARK: Interruptions

    static let severalCommits = "the runs are of several commits; earlier tells of the others"

    private var session: Session {
        Session(
            commit: commit, dirty: dirty, startedAt: startedAt, duration: duration, commandLine: commandLine)
    }

    /// Keeps what is known of those whose runs are kept.
    mutating func goOn(from record: EnvironmentRecord) {
        let sessions = (record.earlier ?? []) + [record.session]
        earlier = sessions
        add(remarks: record.remarks)
        let sources = Set((sessions + [session]).map { SourceVersion(commit: $0.commit, dirty: $0.dirty) })
        if sources.count > 1 { add(remarks: [Self.severalCommits]) }
    }

    private struct SourceVersion: Hashable {
        var commit: String?
        var dirty: Bool?
    }

    /// Each remark once.
    mutating func add(remarks more: [String]) {
        for remark in more where !remarks.contains(remark) { remarks.append(remark) }
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
