import ArgumentParser
import Foundation
import Godwit
import Logging
import MHQKit

/// What both ends of the application take.
struct ApplicationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The thesis's configuration: JSON, with comments.", valueName: "file"))
    var config: String

    @Option(help: "How to move and to follow: 'godwit', or 'thesis' with its weaknesses.")
    var policy = "godwit"

    @Option(help: "What to log: debug, info, notice, warning or error.")
    var logLevel = "notice"

    func read() throws -> (ConfigurationReader, MigrationPolicy) {
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw Failure(
                MHQKit.ExitCode.usage,
                "--log-level: '\(logLevel)' is none of trace, debug, info, notice, warning, error, critical")
        }
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return (try ConfigurationReader.open(config), try MigrationPolicy(option: policy))
    }

    func warn(_ warnings: [String]) {
        let file = (config as NSString).lastPathComponent
        for warning in warnings {
            FileHandle.standardError.write(Data("mhq: warning: \(file): \(warning)\n".utf8))
        }
    }
}

extension MigrationPolicy {
    /// - Throws: a failure that names the option.
    init(option text: String) throws(Failure) {
        switch text {
        case "thesis": self = .thesis
        case "godwit": self = .godwit
        default: throw Failure(MHQKit.ExitCode.usage, "--policy: '\(text)' is neither thesis nor godwit")
        }
    }
}

struct Server: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve as the thesis's program does, by its configuration.",
        discussion: """
            mhq --mode=server --config=server.json
            mhq server --config server.json

            POST to /echo is answered with what was posted, GET of /distribution with as much as web servers answer.
            An operator has it move by JSON over UDP. At the end migration_notification_time.json says how long it
            took until clients were ready. Absent members have the values of the published example.

            Members that the thesis's program does not know: "thesisVersion": true has it speak QUIC version
            0xfaceb002 as well, with which that program's client begins. "allowedDestinations" in
            "serverMigration" is a list of prefixes, such as "192.0.2.0/24", where clients may be sent. Without it
            that is the addresses that the configuration names, and loopback or private ones if the host has such
            a one: the operator's port is at the host's address and asks nobody who he is.
            """)

    @OptionGroup
    var options: ApplicationOptions

    func run() async throws {
        let (reader, policy) = try options.read()
        let settings = try ApplicationServerConfiguration(reader)
        options.warn(settings.warnings)
        let signals = await WebServerSignal.ofProcess()
        try await ApplicationServer(settings, policy: policy).run(signals: signals)
    }
}

struct Client: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send requests as the thesis's program does, by its configuration.",
        discussion: """
            mhq --mode=client --config=client.json
            mhq client --config client.json

            Requests go out one after the other; the experiment says when the server is told to move. What was
            measured is in service_times.json in the end.
            """)

    @OptionGroup
    var options: ApplicationOptions

    @Flag(
        help: """
            In experiments 5 and 6, obey commands to change networks (UDP port 5555): they run nmcli, ip and a script \
            that they name.
            """)
    var allowHandoverCommands = false

    @Option(help: ArgumentHelp("Where to listen for those commands.", valueName: "IP"))
    var handoverAddress = "127.0.0.1"

    @Flag(help: "Obey those commands by taking the address alone: others have changed the network.")
    var networkChangedByOthers = false

    func run() async throws {
        let (reader, policy) = try options.read()
        let settings = try await ApplicationClientConfiguration.read(reader)
        options.warn(settings.warnings)
        guard let ip = IPAddress(handoverAddress) else {
            throw Failure(MHQKit.ExitCode.usage, "--handover-address: '\(handoverAddress)' is no IP address")
        }
        let listens = allowHandoverCommands && settings.experiment.id >= 5
        let place = NetworkAddress(ip: ip, port: HandoverListener.port)
        let method: any HandoverMethod = networkChangedByOthers ? FinishedHandover() : WirelessHandover()
        let handovers: HandoverListener? = if listens { try await .bind(to: place, method) } else { nil }
        try await ApplicationClient(settings, policy: policy).run(handovers: handovers)
    }
}
