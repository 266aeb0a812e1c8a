import ArgumentParser
import Foundation
import Godwit
import MHQKit

struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have a running server move, without losing its clients.",
        discussion: """
            mhq serve --control /run/mhq.sock --allow-destination 192.0.2.0/24 &

            mhq migrate prepare --control /run/mhq.sock --to 192.0.2.7:4433
                                plan 1: 990 ready, 10 timed out
            mhq migrate hold    --control /run/mhq.sock --epoch 1
                                nothing is sent any more: checkpoint here, restore there
            mhq migrate switch  --control /run/mhq.sock --epoch 1 --to 192.0.2.7:4433

            Every command may be repeated: what was done is answered and not done again.
            'pool' changes where the server may move without further notice, at any time but while
            it is held. 'cancel' in place of 'switch' leaves the server where it is. A plan that is
            prepared while another is open takes its place.

            Exit codes: 0 done; 64 wrong usage; 65 something given is wrong; 69 nobody
            there, or not at this time; 71 the system refused the address; 77 not allowed.
            """,
        subcommands: [
            Prepare.self, Hold.self, Switch.self, Cancel.self, Pool.self, Status.self, Shutdown.self,
        ])

    private static func addresses(_ texts: [String]) throws -> [NetworkAddress] {
        try texts.map { text in
            guard let address = NetworkAddress(text) else {
                throw Failure(MHQKit.ExitCode.usage, "--to: '\(text)' is not an IP:PORT")
            }
            return address
        }
    }

    /// What all of them take.
    struct Common: ParsableArguments {
        @Option(help: ArgumentHelp("The server's operator socket, as given to mhq serve.", valueName: "path"))
        var control: String

        @Flag(help: "Print the server's answer, one JSON object on one line.")
        var json = false

        func perform(_ request: OperatorRequest, patience: Duration = .seconds(10)) throws {
            let run = MigrateRun(control: control, timeout: patience, writesJSON: json)
            throw ArgumentParser.ExitCode(try run.run(request) { print($0) })
        }
    }

    struct Plan: ParsableArguments {
        @Option(help: "The plan's number, as 'prepare' has answered.")
        var epoch: UInt64

        var number: MigrationEpoch { MigrationEpoch(rawValue: epoch) }
    }

    struct Prepare: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell clients, and wait until they are ready.",
            discussion: "Waits until every connection is ready or never will be, but not beyond the deadline."
        )

        @OptionGroup var common: Common

        @Option(
            help: "How to move: best, \(StrategyName.list). 'best' takes the best that each client knows.")
        var strategy = "best"

        @Option(
            name: .customLong("to"),
            help: ArgumentHelp(
                "Where the server is going to be: IP:PORT. Once for each address family.",
                valueName: "address"))
        var destinations: [String] = []

        @Option(
            help: ArgumentHelp("What to do with clients that don't know the strategy.", valueName: "strategy")
        )
        var otherwise: [String] = []

        @Option(
            help: ArgumentHelp(
                "Another strategy for one connection, by the id that 'status --details' shows. May be repeated.",
                valueName: "id=strategy[@address]"))
        var connection: [String] = []

        @Option(help: ArgumentHelp("How long to wait.", valueName: "seconds"))
        var deadline = 2.0

        @Option(help: "The plan's number; the next without one. The same number again begins nothing anew.")
        var epoch: UInt64?

        @Flag(help: "Name every connection.")
        var details = false

        func run() throws {
            var members: [String: Any] = [
                "command": "prepare", "strategy": strategy, "otherwise": otherwise,
                "destinations": try Migrate.addresses(destinations).map { "\($0)" },
                "deadline": deadline, "details": details,
            ]
            if let epoch { members["epoch"] = epoch }
            if !connection.isEmpty { members["connections"] = try connections() }
            let line = String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
            try common.perform(try OperatorRequest(line: line), patience: .seconds(deadline + 10))
        }

        private func connections() throws -> [String: Any] {
            var members: [String: Any] = [:]
            for text in connection {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, members[parts[0]] == nil else {
                    throw Failure(
                        MHQKit.ExitCode.usage,
                        "--connection: '\(text)' is not ID=STRATEGY[@IP:PORT], or names one again")
                }
                let order = parts[1].split(separator: "@", maxSplits: 1).map(String.init)
                members[parts[0]] =
                    order.count == 1
                    ? order[0]
                    : ["strategy": order[0], "destinations": ["\(try Migrate.addresses([order[1]])[0])"]]
                        as [String: Any]
            }
            return members
        }
    }

    struct Hold: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stand still: the last command before the process is frozen.")

        @OptionGroup var common: Common
        @OptionGroup var plan: Plan

        @Flag(help: "Let go of the address as well, with what has come and was not read.")
        var release = false

        func run() throws { try common.perform(.hold(plan.number, releasesAddress: release)) }
    }

    struct Switch: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on: the process is where it is to be.")

        @OptionGroup var common: Common
        @OptionGroup var plan: Plan

        @Option(
            name: .customLong("to"),
            help: ArgumentHelp(
                "Where to listen now, IP:PORT; without one, where the sockets are.", valueName: "address"))
        var addresses: [String] = []

        func run() throws {
            try common.perform(.networkSwitched(plan.number, to: try Migrate.addresses(addresses)))
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stay, and take back what clients were told.")

        @OptionGroup var common: Common
        @OptionGroup var plan: Plan

        func run() throws { try common.perform(.cancel(plan.number)) }
    }

    struct Pool: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell clients where the server may move without further notice.",
            discussion: """
                The addresses take the place of those that there were, --pool of mhq serve included, and have to be \
                within --allow-destination. Clients that know of pools that change are told; others keep the pool \
                of when they connected.
                """)

        @OptionGroup var common: Common

        @Argument(help: ArgumentHelp("IP:PORT, 8 at most.", valueName: "address"))
        var addresses: [String] = []

        @Flag(help: "Leave no address in the pool.")
        var empty = false

        func validate() throws {
            guard addresses.isEmpty == empty else {
                throw ValidationError("Give the addresses of the pool, or --empty.")
            }
        }

        func run() throws {
            let members: [String: Any] = ["command": "pool", "addresses": addresses]
            let line = String(decoding: try JSONSerialization.data(withJSONObject: members), as: UTF8.self)
            try common.perform(try OperatorRequest(line: line))
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say how far everything is.")

        @OptionGroup var common: Common

        @Flag(help: "Name every connection of the plan.")
        var details = false

        func run() throws { try common.perform(.status(showsConnections: details)) }
    }

    struct Shutdown: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let requests come to an end, and end the server.")

        @OptionGroup var common: Common

        func run() throws { try common.perform(.shutdown) }
    }
}
