import ArgumentParser
import Foundation
import Godwit
import MHQKit

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See a server move and no client lose it: a minute, no root.",
        discussion: """
            mhq demo
            mhq demo --strategy combined --pcap demo.pcap --keylog demo.keys
            mhq demo --control

            A server is started in a process of its own. Eight clients connect to it over
            UDP at 127.0.0.1; each downloads, uploads and does small requests all the
            time, and every byte is checked. For each strategy the server moves twice:

              1. prepare  the operator says where the server is going to be; clients are
                          told what the strategy tells, and acknowledge it
              2. hold     the server stops sending; its socket is closed unread
              3. freeze   its process is stopped (SIGSTOP) for 0.2 to 0.4 s; what clients
                          send to the old address is lost
              4. thaw     the process goes on (SIGCONT), with a socket at 127.0.0.2, the
                          second time at 127.0.0.3
              5. follow   clients find it there; no connection is made anew, and no
                          request is repeated

            What the strategies tell:

              explicit           where the server goes; clients look there when it falls
                                 silent (reactive), or when their application says so
                                 (proactive)
              pool               at the start, all places where it may ever be
              symmetric          nothing; the server speaks up from the new place
              synchronized       that it will move, but not where
              combined           where it goes, and both sides start: the only one that
                                 passes every kind of NAT

            Where answers come from is taken from the sockets, not from what clients
            believe. With --control the same freeze is done with migration off: every
            client loses its server. Whenever something was lost, the exit code is 1.

            With --pcap transfers are small, so that the file is of a size to look at. In
            Wireshark give the file of --keylog as the TLS protocol's
            (Pre)-Master-Secret log.
            """)

    @Option(help: ArgumentHelp("Show this strategy alone. May be repeated.", valueName: "name"))
    var strategy: [String] = []

    @Option(help: "Draw times and contents from this number; one of chance is printed if there is none.")
    var seed: UInt64?

    @Flag(help: "Do the same with migration off, which has to lose every client.")
    var control = false

    @Flag(help: "Print a JSON array, an object for each strategy, instead of the table.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Write what the clients' sockets send and receive, for Wireshark.", valueName: "file"))
    var pcap: String?

    @Option(
        name: [.customLong("keylog"), .customLong("key-log")],
        help: ArgumentHelp("Append the secrets of TLS, for Wireshark.", valueName: "file"))
    var keyLog: String?

    func run() async throws {
        let run = DemoRun(try options())
        let code = try await run.run(signals: GetSignals.ofProcess()) { line in
            FileHandle.standardOutput.write(Data((line + "\n").utf8))
        }
        throw ArgumentParser.ExitCode(code)
    }

    private func options() throws -> DemoOptions {
        var options = DemoOptions()
        if let seed { options.seed = seed }
        if !strategy.isEmpty { options.strategies = try strategy.map(Self.strategy) }
        options.isControl = control
        options.writesJSON = json
        options.captureFile = pcap
        options.keyLog = keyLog
        return options
    }

    private static func strategy(_ name: String) throws -> DemoStrategy {
        guard let strategy = DemoStrategy.shown.first(where: { $0.rawValue == name }) else {
            let names = DemoStrategy.shown.map(\.rawValue).joined(separator: ", ")
            throw Failure(MHQKit.ExitCode.usage, "--strategy: '\(name)' is none of \(names)")
        }
        return strategy
    }
}

/// What `mhq demo` starts as its server.
struct DemoServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-server", abstract: "The server of a demo.", shouldDisplay: false)

    @Option var folder: String
    @Option var listen: String
    @Option var pool: [String] = []
    @Option var seed: UInt64
    @Flag var captured = false
    @Flag(inversion: .prefixedNo) var migration = true

    func run() async throws {
        try await DemoServer(
            folder: folder, address: try address(listen, "--listen"),
            pool: try pool.map { try address($0, "--pool") }, seed: seed, isCaptured: captured,
            moves: migration
        ).run()
    }

    private func address(_ text: String, _ option: String) throws -> NetworkAddress {
        guard let address = NetworkAddress(text) else {
            throw Failure(MHQKit.ExitCode.usage, "\(option): '\(text)' is not an IP:PORT")
        }
        return address
    }
}
