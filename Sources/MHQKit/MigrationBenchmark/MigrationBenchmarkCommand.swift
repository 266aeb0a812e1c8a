import Foundation
import GodwitSimulator

/// The work of `mhq bench-migration`: what servers that move are measured by, in virtual time.
public struct MigrationBenchmarkCommand: Sendable {
    /// The seed of the first run of each series.
    public var firstSeed: UInt64
    /// Whether to make a hundredth of the runs.
    public var isQuick: Bool
    /// Whether to write one JSON array at the end instead of a table.
    public var writesJSON: Bool
    /// The names of the rows to make; none for all.
    public var rows: [String]

    /// A benchmark.
    public init(
        firstSeed: UInt64 = 1, isQuick: Bool = false, writesJSON: Bool = false, rows: [String] = []
    ) {
        self.firstSeed = firstSeed
        self.isQuick = isQuick
        self.writesJSON = writesJSON
        self.rows = rows
    }

    /// Every row there is, with what it measures.
    public static var rowList: [(name: String, summary: String)] {
        MigrationBenchmark().rows.map { ($0.name, $0.summary) }
    }

    /// Makes the runs, on all cores.
    ///
    /// - Parameter write: takes a line of output, without its end.
    /// - Returns: the exit code: 0 if every figure is as asked and no connection was lost, else 1.
    /// - Throws: when a name is none of a row.
    public func run(write: @escaping @Sendable (String) -> Void) async throws -> Int32 {
        let chosen = try chosenRows()
        if !writesJSON { write(head) }
        let board = MigrationBenchmarkBoard(runs: chosen.reduce(0) { $0 + $1.runs })
        var all: [MigrationBenchmark.Figure] = []
        var known: [String: MigrationTrial] = [:]
        for row in chosen {
            let figures = await figures(of: row, board, &known)
            board.clear()
            if !writesJSON { for line in MigrationBenchmarkTable.lines(row, figures) { write(line) } }
            all += figures
        }
        let missed = all.filter { !$0.isMet }.count
        write(writesJSON ? MigrationBenchmarkTable.json(all, seed: firstSeed) : end(all, missed))
        return missed == 0 ? 0 : 1
    }

    private func chosenRows() throws -> [MigrationBenchmark.Row] {
        let known = MigrationBenchmark(isQuick: isQuick).rows
        if let unknown = rows.first(where: { name in !known.contains { $0.name == name } }) {
            let names = known.map(\.name).joined(separator: ", ")
            throw Failure(ExitCode.usage, "--row: '\(unknown)' is none of \(names)")
        }
        return known.filter { rows.isEmpty || rows.contains($0.name) }
    }

    private var head: String {
        "seed \(firstSeed)\(isQuick ? ", quick: a hundredth of the runs" : ""); "
            + "simulated, old path 122 ms 13 Mbit/s, new path 18 ms 100 Mbit/s; times in ms"
    }

    private func end(_ all: [MigrationBenchmark.Figure], _ missed: Int) -> String {
        let lost = all.reduce(0) { $0 + $1.lost }
        let again = "again: mhq bench-migration --seed \(firstSeed)\(isQuick ? " --quick" : "")"
        return "\n\(all.count - missed) figures met, \(missed) missed, \(lost) connections lost. \(again)"
    }

    // MARK: Cores

    /// Runs are dealt out in turn; what they find does not depend on who makes them.
    ///
    /// - Parameter known: what series have found that are in other rows as well.
    private func figures(
        of row: MigrationBenchmark.Row, _ board: MigrationBenchmarkBoard,
        _ known: inout [String: MigrationTrial]
    ) async -> [MigrationBenchmark.Figure] {
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        let seed = firstSeed
        let isKnown = Set(known.keys)
        let fresh = row.series.filter { $0.identity.map { !isKnown.contains($0) } ?? true }
        let parts = await withTaskGroup(of: [String: MigrationTrial].self) { group in
            for core in 0..<cores {
                group.addTask { Self.share(core, of: cores, fresh, row.name, seed, board) }
            }
            var parts: [[String: MigrationTrial]] = []
            for await part in group { parts.append(part) }
            return parts
        }
        var found = Self.merged(parts)
        for series in row.series {
            guard let identity = series.identity else { continue }
            if isKnown.contains(identity) { board.skip(series.runs) }
            known[identity] = known[identity] ?? found[series.name]
            found[series.name] = known[identity]
        }
        return row.figures(found)
    }

    private static func share(
        _ core: Int, of cores: Int, _ all: [MigrationBenchmark.Series], _ row: String, _ seed: UInt64,
        _ board: MigrationBenchmarkBoard
    ) -> [String: MigrationTrial] {
        var found: [String: MigrationTrial] = [:]
        var number = 0
        for series in all {
            for index in 0..<series.runs {
                number += 1
                guard number % cores == core else { continue }
                found[series.name, default: MigrationTrial()].add(series.run(seed &+ UInt64(index)))
                board.advance(row, series.name)
            }
        }
        return found
    }

    private static func merged(_ parts: [[String: MigrationTrial]]) -> [String: MigrationTrial] {
        var all: [String: MigrationTrial] = [:]
        for part in parts {
            for (name, trial) in part { all[name, default: MigrationTrial()].add(trial) }
        }
        for name in all.keys {
            all[name]?.lost.sort()
            all[name]?.flaws.sort()
        }
        return all
    }
}
