import ArgumentParser
import Foundation
import Godwit
import MHQKit

struct Perf: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure speed and what it costs in CPU time.",
        discussion: """
            mhq perf server --listen 127.0.0.1:4433 &
            mhq perf client 127.0.0.1:4433 --download 1000000000
            mhq perf client 127.0.0.1:4433 --download 1000 --parallel 100 --count 100000
            """,
        subcommands: [Server.self, Client.self])

    struct Server: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Answer perf clients.")

        @Option(help: "Where to listen, as IP:PORT.")
        var listen = "127.0.0.1:4433"

        @Option(help: "How many threads serve connections.")
        var loops = 1

        func run() async throws {
            guard let address = NetworkAddress(listen) else {
                throw Failure(MHQKit.ExitCode.usage, "--listen: '\(listen)' is not an IP:PORT")
            }
            guard loops > 0 else { throw Failure(MHQKit.ExitCode.usage, "--loops: must be 1 or more") }
            let identity = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"]).identity()
            try await PerfServer(at: address, identity: identity, eventLoops: loops).run {
                print("listening on \($0)")
            }
        }
    }

    struct Client: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Exchange data with a perf server and report.")

        @Argument(help: "The server, as HOST:PORT.")
        var server: String

        @Option(help: "How many bytes each stream downloads.")
        var download: UInt64 = 0

        @Option(help: "How many bytes each stream uploads.")
        var upload: UInt64 = 0

        @Option(help: "How many streams run at once.")
        var parallel = 1

        @Option(help: "How many streams there are in all.")
        var count = 1

        @Option(help: "Instead of that, make so many connections one after the other.")
        var handshakes = 0

        @Option(
            help: "Instead of that, hold so many idle connections and report the server's memory for each.")
        var idle = 0

        @Flag(help: "Print one JSON object instead of a table.")
        var json = false

        func run() async throws {
            guard let colon = server.lastIndex(of: ":"),
                let port = UInt16(server[server.index(after: colon)...])
            else {
                throw Failure(MHQKit.ExitCode.usage, "'\(server)' is not a HOST:PORT")
            }
            guard parallel > 0, count > 0, handshakes >= 0 else {
                throw Failure(MHQKit.ExitCode.usage, "--parallel and --count must be 1 or more")
            }
            let client = PerfClient(host: String(server[..<colon]), port: port)
            if idle > 0 {
                let bytes = try await client.measureIdleConnections(idle)
                let kilobytes = (bytes / 1024 * 10).rounded() / 10
                return print(
                    json ? "{\"serverBytesPerIdleConnection\":\(Int(bytes))}" : "\(kilobytes) KB a connection"
                )
            }
            var plan = PerfPlan()
            (plan.download, plan.upload) = (download, upload)
            (plan.parallel, plan.count, plan.handshakes) = (parallel, count, handshakes)
            let report = try await client.run(plan)
            print(json ? report.json : report.text)
        }
    }
}
