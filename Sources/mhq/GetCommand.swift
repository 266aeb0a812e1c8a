import ArgumentParser
import MHQKit

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Get files over HTTP/3.",
        discussion: """
            mhq get https://localhost:4433/big -o big --ca-file ca.pem
            mhq get https://localhost:4433/a https://localhost:4433/b -O --parallel 2
            mhq get https://localhost:4433/ --repeat 1000 --parallel 100 --json

            Requests to the same server share a connection. Files appear under their names when they are whole. With
            more than one URL the others are got although one failed; the exit code is that of the first failure.

            Exit codes: \(GetExitCode.table)
            """)

    @Argument(help: ArgumentHelp("What to get: https URLs.", valueName: "url"))
    var urls: [String]

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Where to write: one file for each URL, in their order; '-' for standard output.",
            valueName: "file"))
    var output: [String] = []

    @Flag(name: [.customShort("O"), .long], help: "Write to files named as in the URLs.")
    var remoteName = false

    @Option(
        name: [.customLong("ca-file"), .customLong("cacert")],
        help: ArgumentHelp(
            "Trust the certificates in this PEM file instead of the system's.", valueName: "file"))
    var authorityFile: String?

    @Flag(name: [.customShort("k"), .long], help: "Trust anyone.")
    var insecure = false

    @Option(help: "How many requests may be under way at once. To standard output there is one at a time.")
    var parallel = 1

    @Option(name: .customLong("repeat"), help: "How often to get each URL.")
    var repetitions = 1

    @Flag(help: "Open a connection for each request; it resumes the one before.")
    var newConnections = false

    @Option(
        name: [.customShort("d"), .long],
        help: ArgumentHelp("Send this file with POST; '-' for standard input.", valueName: "file"))
    var data: String?

    @Option(
        name: [.customShort("T"), .long],
        help: ArgumentHelp("Send this file with PUT; '-' for standard input.", valueName: "file"))
    var upload: String?

    @Flag(name: [.customShort("I"), .long], help: "Ask for the header section alone, and show it.")
    var head = false

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp("Send this field. May be repeated.", valueName: "name: value"))
    var header: [String] = []

    @Flag(name: [.customShort("f"), .long], help: "An answer with status 400 or above is a failure.")
    var fail = false

    @Option(
        name: [.customShort("m"), .customLong("timeout"), .customLong("max-time")],
        help: ArgumentHelp("How long one transfer may take.", valueName: "seconds"))
    var timeout: Double?

    @Option(help: ArgumentHelp("How long to wait for a connection.", valueName: "seconds"))
    var connectTimeout = 5.0

    @Option(
        help: ArgumentHelp(
            "Keep here what makes the next connection faster (resumption, 0-RTT).", valueName: "file"))
    var session: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Send requests before the handshake is complete (0-RTT), if they are safe.")
    var earlyData = true

    @Flag(inversion: .prefixedNo, help: "Follow a server that moves.")
    var follow = true

    @Flag(help: "Print one JSON object for each transfer. Content without -o or -O is counted only.")
    var json = false

    @Flag(name: [.short, .long], help: "Tell of connections, requests and answers.")
    var verbose = false

    @Flag(name: [.short, .long], help: "Show no progress.")
    var silent = false

    @Option(help: ArgumentHelp("Append the secrets of TLS, for Wireshark.", valueName: "file"))
    var keyLog: String?

    @Option(help: ArgumentHelp("Log the packets of each connection (qlog).", valueName: "folder"))
    var qlog: String?

    func run() async throws {
        let run = try GetRun(options())
        throw ArgumentParser.ExitCode(await run.run(signals: GetSignals.ofProcess()))
    }

    private func options() throws -> GetOptions {
        var options = GetOptions()
        options.urls = urls
        options.outputs = output
        options.usesRemoteNames = remoteName
        options.repetitions = repetitions
        options.parallel = parallel
        options.data = data
        options.upload = upload
        options.isHead = head
        options.headers = header
        options.authorityFile = authorityFile
        options.isInsecure = insecure
        options.sessionFile = session
        options.opensNewConnections = newConnections
        options.offersEarlyData = earlyData
        options.followsServer = follow
        options.connectTime = try Seconds.parse(connectTimeout, option: "--connect-timeout")
        options.timeLimit = try timeout.map { try Seconds.parse($0, option: "--timeout") }
        options.failsOnErrorStatus = fail
        options.reportsJSON = json
        options.isVerbose = verbose
        options.showsProgress = !silent
        options.keyLog = keyLog
        options.qlogFolder = qlog
        return options
    }
}
