import ArgumentParser
import MHQKit

struct BenchMigration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-migration",
        abstract: "Measure what a move of the server costs its clients, in virtual time.",
        discussion: """
            mhq bench-migration
            mhq bench-migration --quick
            mhq bench-migration --row lost-3 --row nat --seed 7

            Servers and clients run on a simulated network: an old path of 122 ms and 13 Mbit/s, a new one of 18 ms
            and 100 Mbit/s, loss half each way on both paths from the first packet to the last. The server is told to
            move 0 to 2 s before it is frozen, and is thawed 0.1 to 5 s later at the other address; what is sent to
            the old one meanwhile is lost. A connection is lost when it is closed, when a byte is wrong, or when a
            request has no answer 30 s after the thaw.

            For each row the table has what was measured, in ms, then what was asked and what was reached. "Over
            plain" compares percentiles with those of as many runs of the same work on the new path without a move.
            The same seed gives the same table. The exit code is 1 when a connection was lost or a figure missed.

            Rows, all of which take some twenty minutes on two cores:
            \(rows)
            """)

    @Option(help: "The seed of the first run of each kind; the others follow it.")
    var seed: UInt64 = 1

    @Flag(help: "Make a hundredth of the runs: seconds, and too few for percentiles to say much.")
    var quick = false

    @Flag(help: "Print a JSON array, an object for each figure, instead of the table.")
    var json = false

    @Option(help: ArgumentHelp("Make this row alone. May be repeated.", valueName: "name"))
    var row: [String] = []

    private static var rows: String {
        let width = MigrationBenchmarkCommand.rowList.map(\.name.count).max() ?? 0
        return MigrationBenchmarkCommand.rowList.map { name, summary in
            "  " + name + String(repeating: " ", count: width + 2 - name.count) + summary
        }.joined(separator: "\n")
    }

    func run() async throws {
        let command = MigrationBenchmarkCommand(firstSeed: seed, isQuick: quick, writesJSON: json, rows: row)
        throw ArgumentParser.ExitCode(try await command.run { print($0) })
    }
}
