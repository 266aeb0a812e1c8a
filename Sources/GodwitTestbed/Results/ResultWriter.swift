import Foundation
import MHQKit

/// Writes the files of an experiment, row by row, in the order of the plan, whatever order runs end in.
///
/// The rows of every run that has ended are in a journal before they are in the files, so that whoever is interrupted
/// goes on with the run that was under way, and the files come out as if there had been no interruption.
package final class ResultWriter {
    private let folder: URL
    private let journal: URL
    private let plan: ExperimentPlan
    private let runs: [RunSpecification]
    private let tables: [ResultTable]
    private var files: [String: FileHandle] = [:]
    /// Lines of runs that have ended, but not all before them.
    private var waiting: [Int: [String: [String]]] = [:]
    private var next = 0
    /// The runs that need not be done again.
    package private(set) var finished: Set<Int> = []

    /// Opens a folder of results and takes in what is in its journal.
    ///
    /// - Throws: a failure when the folder can't be written, or holds results of another plan.
    package init(folder: String, plan: ExperimentPlan) throws {
        self.folder = URL(fileURLWithPath: folder)
        self.plan = plan
        runs = plan.runs
        tables = ResultTable.all(of: plan.experiment)
        journal = self.folder.appendingPathComponent(".journal-experiment\(plan.experiment)")
        try makeFolder(journal)
        try checkPlan()
        try openFiles()
        try takeJournal()
    }

    /// How many runs there are.
    package var runCount: Int { runs.count }

    private func makeFolder(_ url: URL) throws(Failure) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw Failure(ExitCode.cannotCreate, "--out: \(url.path): can't be made")
        }
    }

    private func checkPlan() throws {
        let mark = journal.appendingPathComponent("plan")
        if let other = try? String(contentsOf: mark, encoding: .utf8), other != plan.digest {
            throw Failure(
                ExitCode.configuration,
                "--out: \(folder.path) holds results of experiment \(plan.experiment) by another plan or seed; "
                    + "choose another folder, or remove \(journal.path)")
        }
        try Data(plan.digest.utf8).write(to: mark, options: .atomic)
    }

    // MARK: Files

    private func path(_ table: ResultTable, _ series: ExperimentPlan.Series) -> String {
        series.folder + "/" + table.name
    }

    private func openFiles() throws {
        for series in plan.allSeries {
            try makeFolder(folder.appendingPathComponent(series.folder))
            for table in tables {
                let name = path(table, series)
                let url = folder.appendingPathComponent(name)
                guard
                    FileManager.default.createFile(
                        atPath: url.path, contents: Data((table.header + "\n").utf8)),
                    let handle = FileHandle(forWritingAtPath: url.path)
                else { throw Failure(ExitCode.cannotCreate, "--out: \(url.path): can't be made") }
                handle.seekToEndOfFile()
                files[name] = handle
            }
        }
    }

    private func record(of index: Int) -> URL { journal.appendingPathComponent("\(index).json") }

    private func takeJournal() throws {
        for index in runs.indices {
            guard let data = try? Data(contentsOf: record(of: index)),
                let lines = try? JSONDecoder().decode([String: [String]].self, from: data)
            else { continue }
            finished.insert(index)
            waiting[index] = lines
        }
        try flush()
    }

    // MARK: Rows

    /// Adds what came of a run.
    package func add(_ outcome: RunOutcome, of run: RunSpecification) throws {
        let series = plan.allSeries[run.series]
        var lines: [String: [String]] = [:]
        for table in tables { lines[path(table, series)] = table.lines(plan, run, outcome) }
        try JSONEncoder().encode(lines).write(to: record(of: run.index), options: .atomic)
        finished.insert(run.index)
        waiting[run.index] = lines
        try flush()
    }

    private func flush() throws {
        while let lines = waiting.removeValue(forKey: next) {
            for (name, lines) in lines {
                let text = lines.map { $0 + "\n" }.joined()
                try files[name]?.write(contentsOf: Data(text.utf8))
            }
            next += 1
        }
    }

    /// Closes the files; the journal stays, so that the same command has nothing left to do.
    package func close() throws {
        for file in files.values {
            try file.synchronize()
            try file.close()
        }
        files = [:]
    }
}
