import ArgumentParser
import NIOPosix

/// Clients that treat a server badly for a while, and a look at its memory before and after; see
/// Benchmarks/README.md.
@main
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Use an HTTP/3 server in every way that clients do, and see whether its memory comes back.",
        discussion: "Exit status 1 when it does not, and when many requests failed that should not have.")

    @Option(help: "The server's UDP port on localhost.")
    var port: UInt16 = 4433

    @Option(help: "The server's process, whose memory is looked at.")
    var server: Int32

    @Option(help: "How many connections there are at once.")
    var connections = 1000

    @Option(help: "How long it goes on, in minutes.")
    var minutes = 10.0

    @Option(help: "How long a round's connections are there, in seconds. The first round is the measure.")
    var round = 45.0

    @Option(help: "How long to wait behind a round until the memory is looked at, in seconds.")
    var rest = 30.0

    @Option(help: "Chooses what happens when.")
    var seed: UInt64 = 1

    @Flag(help: "Print one JSON object behind the table.")
    var json = false

    func validate() throws {
        guard connections > 0, minutes > 0, round > 0 else {
            throw ValidationError("there has to be at least one connection, for some time")
        }
    }

    func run() async throws {
        var report = SoakReport(server: server)
        report.note("start", 0)
        let count = max(2, Int((minutes * 60 / (round + rest)).rounded()))
        var outcome = SoakOutcome()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        for number in 1...count {
            let peak = try await SoakRound(
                port: port, connections: connections, seconds: round, seed: seed &+ UInt64(number),
                group: group,
                rest: rest
            ).run(&report, &outcome)
            report.note("round \(number)", peak)
        }
        report.end(outcome)
        if json { print(report.json(outcome)) }
        guard report.isBack, outcome.isAsExpected else { throw ExitCode.failure }
    }
}
