import Foundation
import Testing

@testable import GodwitTestbed

/// What results say of how they came about.
@Suite struct EnvironmentRecordTests {
    private static let hasGit = ToolOutput.text(["git", "--version"]) != nil

    private func git(_ words: String..., in path: String) throws {
        let identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
        let said = ToolOutput.text(
            ["git", "-C", path] + identity + [
                "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/nonexistent",
            ]
                + words)
        try #require(said != nil, "git \(words)")
    }

    @Test(
        "The commit is that of the sources, and only files that git knows make them dirty",
        .enabled(if: hasGit, "git is missing"))
    func commit() throws {
        let folder = try ProgramRun.Folder()
        let place = URL(fileURLWithPath: folder.path)
        _ = try folder.write("one", to: "known")
        try git("init", "-q", in: folder.path)
        try git("add", "known", in: folder.path)
        try git("commit", "-q", "-m", "One", in: folder.path)
        let head = try #require(ToolOutput.text(["git", "-C", folder.path, "rev-parse", "HEAD"]))
        _ = try folder.write("results", to: "unknown")
        let clean = SourceState(of: place, builtAt: Date() + 1)
        #expect(clean.commit == head && clean.dirty == false && clean.remarks.isEmpty)
        _ = try folder.write("two", to: "known")
        let dirty = SourceState(of: place, builtAt: Date() + 1)
        #expect(dirty.commit == head && dirty.dirty == true)
        let old = SourceState(of: place, builtAt: Date() - 86_400)
        #expect(old.commit == head && old.remarks.count == 1)
        // Whoever unpacks sources into a repository of something else has not that one's commits.
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/inner", withIntermediateDirectories: true)
        let inner = SourceState(of: place.appendingPathComponent("inner"), builtAt: nil)
        #expect(inner.commit == nil && inner.dirty == nil && inner.remarks.count == 1)
    }

    @Test("Where there is no repository, the commit is not known, and that is said")
    func noRepository() throws {
        let folder = try ProgramRun.Folder()
        let state = SourceState(of: URL(fileURLWithPath: folder.path), builtAt: Date())
        #expect(state.commit == nil && state.dirty == nil)
        #expect(
            state.remarks == [
                "the commit is not known: what the program was built from is in no repository here"
            ])
    }

    @Test("The sources' folder is that of the package")
    func folder() {
        let package = SourceState.folder.appendingPathComponent("Package.swift").path
        #expect(FileManager.default.fileExists(atPath: package))
    }

    private func record(_ commit: String?, dirty: Bool? = false, startedAt: Int64) throws -> EnvironmentRecord
    {
        let plan = try PlanLibrary.plan(0, isQuick: true)
        var record = EnvironmentRecord(plan, policy: "thesis", backend: "simulated", commandLine: ["mhq"])
        (record.commit, record.dirty, record.startedAt) = (commit, dirty, startedAt)
        record.remarks = []
        return record
    }

    @Test("Who goes on keeps what is known of those who were interrupted, and says when commits differ")
    func sessions() throws {
        var first = try record("a", startedAt: 1)
        first.duration = 5
        first.remarks = ["busy"]
        var second = try record("a", startedAt: 10)
        second.goOn(from: first)
        #expect(second.earlier?.map(\.startedAt) == [1])
        #expect(second.earlier?.first?.duration == 5)
        #expect(second.remarks == ["busy"])
        var third = try record("b", startedAt: 20)
        third.goOn(from: second)
        #expect(third.earlier?.map(\.startedAt) == [1, 10])
        #expect(third.earlier?.map(\.commit) == ["a", "a"])
        #expect(third.earlier?.last?.duration == nil)
        #expect(third.remarks == ["busy", EnvironmentRecord.severalCommits])
        var fourth = try record("b", dirty: true, startedAt: 30)
        fourth.goOn(from: third)
        #expect(fourth.earlier?.count == 3)
        #expect(fourth.remarks == third.remarks)
        var changed = try record("a", dirty: true, startedAt: 40)
        changed.goOn(from: first)
        #expect(changed.remarks.contains(EnvironmentRecord.severalCommits))
    }

    @Test("A file without any word of interruptions is one of results that had none")
    func oldShape() throws {
        let folder = try ProgramRun.Folder()
        let path = "\(folder.path)/environment.json"
        try record("a", startedAt: 1).write(to: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(!text.contains("earlier") && !text.contains("failedChecks"))
        #expect(try EnvironmentRecord.read(path).earlier == nil)
    }
}
