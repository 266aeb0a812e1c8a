import ArgumentParser
import MHQKit

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run QUIC through simulated networks full of faults.",
        discussion: """
            Each seed draws a network, faults and work to do; checkers judge the run. The same seed gives the same
            run. The exit code is 1 if a run was not as it has to be; the output names its seed and how to repeat it.
            """)

    @Option(help: "The seed of the first run.")
    var seed: UInt64 = 1

    @Option(help: "How many runs to make, one a seed.")
    var count: UInt64 = 1000

    @Flag(help: "Print one JSON object at the end instead of text.")
    var json = false

    @Flag(help: "Print a line for every run, and the whole log of the first that fails.")
    var verbose = false

    func validate() throws {
        guard count > 0 else { throw ValidationError("--count: no runs prove nothing; ask for 1 or more") }
        guard !seed.addingReportingOverflow(count - 1).overflow else {
            throw ValidationError("--count: there are not so many seeds from \(seed) on")
        }
    }

    func run() throws {
        let command = SimulateCommand(firstSeed: seed, count: count, writesJSON: json, isVerbose: verbose)
        throw ArgumentParser.ExitCode(command.run { print($0) })
    }
}
