import Foundation
import MHQKit

/// Writes the files of an experiment, row by row, in the order of the plan, whatever order runs end in.
///
/// The rows of every run that has ended are in a journal before they are in the files, so that whoever is interrupted
/// goes on with the run that was under way, and the files come out as if there had been no interruption.
package final class ResultWriter {
    private let folder: URL
    private let journal: RunJournal
    private let plan: ExperimentPlan
    private let runs: [RunSpecification]
    private let tables: [ResultTable]
    private var files: [String: FileHandle] = [:]
    /// Lines of runs that have just ended, but not all before them.
    private var waiting: [Int: RunJournal.Lines] = [:]
    private var next = 0
    /// The runs that need not be done again.
    package private(set) var finished: Set<Int> = []
    /// How many runs failed their checks, of those whose rows are in the files.
    package private(set) var flawed = 0

    /// From which size on files are packed, in bytes.
    package static let packingSize: UInt64 = 50_000_000

    /// Opens a folder of results and takes in what is in its journal.
    ///
    /// - Throws: a failure when the folder can't be written, holds results of another plan, or is being written.
    package init(folder: String, plan: ExperimentPlan) throws {
        self.folder = URL(fileURLWithPath: folder)
        self.plan = plan
        runs = plan.runs
        tables = ResultTable.all(of: plan.experiment)
        journal = try RunJournal(in: self.folder, plan: plan)
        guard !isComplete else {
            finished = Set(runs.indices)
            return
        }
        journal.reopen()
        try openFiles()
        try takeJournal()
    }

    /// The runs that have yet to be done.
    package var missing: [RunSpecification] { runs.filter { !finished.contains($0.index) } }

    /// How many runs there are.
    package var runCount: Int { runs.count }

    /// Whether all has been done, and the files are there.
    package var isComplete: Bool { journal.isComplete && names.allSatisfy(isThere) }

    // MARK: Files

    private func name(_ table: ResultTable, _ series: ExperimentPlan.Series) -> String {
        series.folder + "/" + table.name
    }

    private var names: [String] {
        plan.allSeries.flatMap { series in tables.map { name($0, series) } }
    }

    private func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

    private func isThere(_ name: String) -> Bool {
        [url(name), PackedFile.url(for: url(name))].contains {
            FileManager.default.fileExists(atPath: $0.path)
        }
    }

    private func openFiles() throws {
        for series in plan.allSeries {
            try RunJournal.makeFolder(url(series.folder))
            for table in tables { try open(name(table, series), table) }
        }
    }

    private func open(_ name: String, _ table: ResultTable) throws(Failure) {
        let header = Data((table.header + "\n").utf8)
        // Of two that say the same, the packed one would be the older.
        try? FileManager.default.removeItem(at: PackedFile.url(for: url(name)))
        guard FileManager.default.createFile(atPath: url(name).path, contents: header),
            let handle = FileHandle(forWritingAtPath: url(name).path)
        else { throw Failure(ExitCode.cannotCreate, "--out: \(url(name).path): can't be made") }
        handle.seekToEndOfFile()
        files[name] = handle
    }

    private func takeJournal() throws {
        // All lines at once may be more than fits the memory.
        for index in runs.indices {
            if let lines = journal.lines(of: index), fit(lines) { finished.insert(index) }
        }
        try flush()
    }

    /// Whether rows belong under the header: those of another version of this program may have other columns, and
    /// their runs are done again.
    private func fit(_ lines: RunJournal.Lines) -> Bool {
        lines.allSatisfy { name, lines in
            guard let table = tables.first(where: { name.hasSuffix("/" + $0.name) }) else { return false }
            return lines.allSatisfy { ResultCell.count(in: $0) == table.columns.count }
        }
    }

    // MARK: Rows

    /// Adds what came of a run.
    package func add(_ outcome: RunOutcome, of run: RunSpecification) throws {
        let series = plan.allSeries[run.series]
        var lines: RunJournal.Lines = [:]
        for table in tables { lines[name(table, series)] = table.lines(plan, run, outcome) }
        try journal.add(lines, of: run.index)
        finished.insert(run.index)
        waiting[run.index] = lines
        try flush()
    }

    private func flush() throws {
        while finished.contains(next) {
            let lines = waiting.removeValue(forKey: next) ?? journal.lines(of: next) ?? [:]
            for (name, lines) in lines {
                let text = lines.map { $0 + "\n" }.joined()
                try files[name]?.write(contentsOf: Data(text.utf8))
                if name.hasSuffix(ResultTable.details.name), ResultTable.haveFlaws(lines) { flawed += 1 }
            }
            next += 1
        }
    }

    /// Closes the files when every run has ended; the same command has nothing left to do then.
    package func finish() throws {
        for file in files.values {
            try file.synchronize()
            try file.close()
        }
        files = [:]
        for name in names {
            let url = url(name)
            let size = (try? url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
            if size > Self.packingSize { try PackedFile.pack(url) }
        }
        try journal.complete(runs.count)
    }
}
