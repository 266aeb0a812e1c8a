import Foundation
import MHQKit
import Testing

@testable import GodwitTestbed

/// Processes that are ended in mid-run, and what is there afterwards.
@Suite(.serialized) struct InterruptionTests {
    /// A plan of so many runs that some are there to interrupt.
    private func planFile(_ folder: ProgramRun.Folder) throws -> String {
        var plan = try PlanLibrary.plan(1, isQuick: true)
        plan.repetitions = 2
        plan.extraProtocols = []
        return try folder.write(plan.text, to: "plan.json")
    }

    private func command(_ plan: String, _ out: String) -> [String] {
        ["experiment", "run", "1", "--plan", plan, "--policy", "thesis", "--out", out]
    }

    /// The files of results, by their paths below a folder; what resuming needs apart.
    private func files(_ folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        let names = FileManager.default.enumerator(atPath: folder)
        while let name = names?.nextObject() as? String {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
            files[name] = data
        }
        return files
    }

    private func results(_ folder: String) throws -> [String: Data] {
        try files(folder).filter { !$0.key.contains(".journal") && !$0.key.contains("environment") }
    }

    private func journal(_ folder: String) -> [String] {
        let path = "\(folder)/thesis/simulated/.journal-experiment1"
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter { $0.hasSuffix(".json") }
    }

    @Test("Killed in mid-run, a resumed experiment writes byte for byte what an uninterrupted one does")
    func killing() throws {
        let folder = try ProgramRun.Folder()
        let plan = try planFile(folder)
        #expect(try ProgramRun.run(command(plan, "whole"), in: folder).status == 0)
        let whole = try results("\(folder.path)/whole")
        #expect(whole.count == 8)

        let broken = "\(folder.path)/broken"
        // Twice: what was killed and resumed may be killed again.
        for count in [3, 9] {
            let run = try ProgramRun(command(plan, "broken"), in: folder)
            run.wait { journal(broken).count >= count }
            run.signal(SIGKILL)
            #expect(run.status() == 128 + SIGKILL)
            #expect(journal(broken).count >= count)
        }
        let done = Set(journal(broken))
        let resumed = try ProgramRun(command(plan, "broken"), in: folder)
        #expect(resumed.status() == 0)
        #expect(resumed.complaint.contains("\(done.count)/24 runs"), "\(resumed.complaint)")
        #expect(try results(broken) == whole)
        // What resuming needed has gone, and nothing is left of those who were killed.
        #expect(journal(broken).isEmpty)
        #expect(try files(broken).keys.allSatisfy { !$0.hasSuffix(".partial") })
    }

    @Test("Ctrl-C ends it at once, and leaves neither processes nor files but what resuming needs")
    func interrupting() throws {
        let folder = try ProgramRun.Folder()
        let plan = try planFile(folder)
        let run = try ProgramRun(command(plan, "out"), in: folder)
        run.wait { journal("\(folder.path)/out").count >= 2 }
        #expect(processes(in: folder) == ["\(run.identifier)"])
        run.signal(SIGINT)
        #expect(run.status() == 128 + SIGINT)
        #expect(run.complaint.contains("mhq: interrupted; the same command goes on"))
        #expect(processes(in: folder).isEmpty)
        let names = try files("\(folder.path)/out").keys.filter { name in
            !name.hasSuffix(".csv") && !name.contains("/.journal-experiment1/")
        }
        #expect(names == ["thesis/simulated/environment_experiment1.json"])
        #expect(try ProgramRun.run(command(plan, "out"), in: folder).status == 0)
        #expect(try ProgramRun.run(command(plan, "whole"), in: folder).status == 0)
        #expect(try results("\(folder.path)/out") == results("\(folder.path)/whole"))
    }

    /// Processes at work in a folder.
    private func processes(in folder: ProgramRun.Folder) -> [String] {
        let place = URL(filePath: folder.path).resolvingSymlinksInPath().path
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.filter { name in
            Int(name) != nil
                && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd")) == place
        }
    }

    @Test("An environment file repeats an experiment: the same files come out")
    func replaying() throws {
        let folder = try ProgramRun.Folder()
        let first = [
            "experiment", "run", "0", "--quick", "--repetitions", "2", "--seed", "9", "--policy", "thesis",
            "--out", "first",
        ]
        #expect(try ProgramRun.run(first, in: folder).status == 0)
        let record = "\(folder.path)/first/thesis/simulated/environment_experiment0.json"
        #expect(try EnvironmentRecord.read(record).complete)
        let again = ["experiment", "run", "--replay", record, "--out", "again"]
        #expect(try ProgramRun.run(again, in: folder).status == 0)
        let whole = try results("\(folder.path)/first")
        #expect(whole.count == 4)
        #expect(try results("\(folder.path)/again") == whole)
    }

    @Test("What is there already is not done again, and what was taken away is")
    func completeness() throws {
        let folder = try ProgramRun.Folder()
        let command = ["experiment", "run", "0", "--quick", "--repetitions", "1", "--out", "out"]
        #expect(try ProgramRun.run(command, in: folder).status == 0)
        let whole = try results("\(folder.path)/out")
        let again = try ProgramRun.run(command, in: folder)
        #expect(again.status == 0)
        #expect(again.complaint.contains("all 2 runs are in out/godwit/simulated already"))
        #expect(try results("\(folder.path)/out") == whole)
        let victim = try #require(whole.keys.sorted().first)
        try FileManager.default.removeItem(atPath: "\(folder.path)/out/\(victim)")
        #expect(try ProgramRun.run(command, in: folder).status == 0)
        #expect(try results("\(folder.path)/out") == whole)
    }
}
