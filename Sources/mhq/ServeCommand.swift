import ArgumentParser
import Foundation
import GodwitHTTP3
import Logging
import MHQKit

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve files over HTTP/3.",
        discussion: """
            mhq serve --root public
            mhq serve --listen :443 --root public --certificate cert.pem --private-key key.pem

            Beside files there are /echo, which answers POST with what was posted, /bytes/N, and /distribution, which
            answers with as much as web servers do. Names that begin with a dot are not served, nor what symbolic
            links lead to outside of the folder. Without a certificate one is made, which clients have to be told to
            trust.

            The TCP port with the same number answers with HTTP/1.1 and Alt-Svc, by which browsers find HTTP/3.

            SIGTERM and SIGINT let requests come to an end, and a second one does not. SIGHUP has certificates read
            anew and the access log begun anew.
            """)

    @Option(
        help: ArgumentHelp(
            "Where to listen: IP:PORT, :PORT for all addresses, localhost:PORT. May be repeated.",
            valueName: "address"))
    var listen = ["localhost:4433"]

    @Option(help: ArgumentHelp("The folder whose files are served.", valueName: "folder"))
    var root: String?

    @Option(
        help: ArgumentHelp(
            "The server's certificate in PEM, and those that lead to a root. May be repeated, for several names.",
            valueName: "file"))
    var certificate: [String] = []

    @Option(help: ArgumentHelp("The private key in PEM, one for each certificate.", valueName: "file"))
    var privateKey: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where to write the certificate that is made when none is given.", valueName: "file"))
    var writeCertificate: String?

    @Flag(inversion: .prefixedNo, help: "Serve HTTPS over TCP as well.")
    var tcp = true

    @Option(
        help: ArgumentHelp("Where to serve metrics for Prometheus, over plain HTTP.", valueName: "address"))
    var metrics: String?

    @Option(
        help: ArgumentHelp(
            "Append a line of JSON for each request; '-' for standard output.", valueName: "file"))
    var accessLog: String?

    @Option(help: ArgumentHelp("Append the secrets of TLS, for Wireshark.", valueName: "file"))
    var keyLog: String?

    @Option(help: ArgumentHelp("Log the packets of each connection (qlog).", valueName: "folder"))
    var qlog: String?

    @Option(help: "What to log: debug, info, notice, warning or error.")
    var logLevel = "notice"

    @Option(help: "How many threads serve connections.")
    var loops = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Have every client prove its address first (Retry).")
    var retry = false

    @Flag(inversion: .prefixedNo, help: "Take requests before the handshake is complete (0-RTT).")
    var earlyData = true

    @Option(help: ArgumentHelp("How long requests may go on at the end.", valueName: "seconds"))
    var grace = 10.0

    @Option(help: "Makes the sizes of /distribution the same in each run.")
    var seed: UInt64?

    @OptionGroup(title: "Moving")
    var moving: ServeMoving

    @OptionGroup(title: "Limits")
    var limits: ServeLimits

    @Flag(help: "Say in one JSON object where the server listens.")
    var json = false

    func run() async throws {
        let level = try Logger.Level(option: logLevel)
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let options = try options()
        let signals = await WebServerSignal.ofProcess()
        let server = try await WebServer.start(options)
        say(json ? server.report.json : server.report.text)
        throw ArgumentParser.ExitCode(try await server.run(signals: signals))
    }

    /// Lines of the access log have standard output for themselves.
    private func say(_ text: String) {
        let output = accessLog == "-" && !json ? FileHandle.standardError : FileHandle.standardOutput
        output.write(Data((text + "\n").utf8))
    }

    private func options() throws -> WebServerOptions {
        var options = WebServerOptions()
        options.listen = try listen.map { try ListenAddress($0, option: "--listen") }
        options.root = root
        options.certificates = try certificatePairs()
        options.selfSignedFile = writeCertificate
        options.servesTCP = tcp
        options.seed = seed
        options.metrics = try metrics.map { try ListenAddress($0, option: "--metrics") }
        options.accessLog = accessLog
        options.keyLog = keyLog
        options.qlogFolder = qlog
        guard 1...1024 ~= loops else { throw Failure(MHQKit.ExitCode.usage, "--loops: must be 1 to 1024") }
        options.eventLoops = loops
        options.alwaysRetries = retry
        options.takesEarlyData = earlyData
        options.gracePeriod = try Seconds.parse(grace, option: "--grace")
        options.limits = try limits.limits()
        try moving.apply(to: &options)
        return options
    }

    private func certificatePairs() throws -> [CertificateFiles] {
        guard certificate.count == privateKey.count else {
            let counts = "\(certificate.count) of --certificate, \(privateKey.count) of --private-key"
            throw Failure(
                MHQKit.ExitCode.usage, "--private-key: one is needed for each certificate (\(counts))")
        }
        guard certificate.isEmpty || writeCertificate == nil else {
            throw Failure(MHQKit.ExitCode.usage, "--write-certificate: is of use without --certificate only")
        }
        return zip(certificate, privateKey).map { CertificateFiles(certificates: $0, privateKey: $1) }
    }
}

/// By whom the server is told to move, and where it may.
struct ServeMoving: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Let this user and root have the server move, by mhq migrate: a Unix socket that is made here.",
            valueName: "path"))
    var control: String?

    @Option(
        help: ArgumentHelp(
            "Ask before going on after a freeze whether another copy of this process does: see mhq arbiter.",
            valueName: "path"))
    var arbiter: String?

    @Option(
        help: ArgumentHelp(
            "Where clients may be sent, such as 192.0.2.0/24. May be repeated; without one nowhere.",
            valueName: "prefix"))
    var allowDestination: [String] = []

    @Option(
        help: ArgumentHelp(
            "An address where the server may go without further notice. May be repeated.",
            valueName: "address"))
    var pool: [String] = []

    @Option(
        help: ArgumentHelp(
            "Obey JSON over UDP as the thesis's server does, from anyone: PORT (at 127.0.0.1) or IP:PORT.",
            valueName: "port"))
    var managementPort: String?

    @Option(help: ArgumentHelp("Where that interface writes its figures at the end.", valueName: "file"))
    var managementReport: String?

    @Flag(help: "Speak QUIC version 0xfaceb002 as well, with which the thesis's client begins.")
    var thesisVersion = false

    func apply(to options: inout WebServerOptions) throws {
        (options.control, options.arbiter) = (control, arbiter)
        options.allowedDestinations = try allowDestination.map { text in
            guard let prefix = AddressPrefix(text) else {
                throw Failure(
                    MHQKit.ExitCode.usage, "--allow-destination: '\(text)' is no prefix such as 192.0.2.0/24")
            }
            return prefix
        }
        for text in pool {
            guard let address = NetworkAddress(text), options.migrationPool.insert(address) else {
                throw Failure(
                    MHQKit.ExitCode.usage,
                    "--pool: '\(text)' is not an IP:PORT of a host, stands there twice, or is one of more than 8"
                )
            }
        }
        if let port = managementPort {
            let text = UInt16(port).map { "127.0.0.1:\($0)" } ?? port
            options.management = try ListenAddress(text, option: "--management-port")
        }
        options.managementReport = managementReport
        options.speaksThesisVersion = thesisVersion
        let isUnused = control == nil && managementPort == nil
        let given = ["--allow-destination": !allowDestination.isEmpty, "--pool": !pool.isEmpty]
            .merging(["--arbiter": arbiter != nil]) { $1 }
        if isUnused, let option = given.filter(\.value).keys.min() {
            throw Failure(MHQKit.ExitCode.usage, "--control: is needed for \(option) to be of use")
        }
    }
}

/// What clients may make the server do and keep.
struct ServeLimits: ParsableArguments {
    @Option(help: "How many connections there may be at once.")
    var maxConnections = HTTP3ServerLimits().connections

    @Option(help: "How many requests a connection may have open at once.")
    var maxRequests = HTTP3ServerLimits().concurrentRequests

    @Option(help: ArgumentHelp("How large a request's header section may be.", valueName: "bytes"))
    var maxHeaderSize = HTTP3ServerLimits().fieldSectionSize

    @Option(help: ArgumentHelp("How large a request's content may be.", valueName: "bytes"))
    var maxBodySize: Int?

    @Option(
        help: ArgumentHelp("How long to wait for more of a request's content.", valueName: "seconds"))
    var bodyTimeout = 30.0

    @Option(help: ArgumentHelp("How long a connection may be silent.", valueName: "seconds"))
    var idleTimeout = 30.0

    func limits() throws -> HTTP3ServerLimits {
        var limits = HTTP3ServerLimits()
        limits.connections = try positive(maxConnections, "--max-connections")
        limits.concurrentRequests = try positive(maxRequests, "--max-requests")
        limits.runningHandlers = max(limits.runningHandlers, 2 * limits.concurrentRequests)
        limits.fieldSectionSize = try positive(maxHeaderSize, "--max-header-size")
        limits.contentSize = try maxBodySize.map { try positive($0, "--max-body-size") }
        limits.contentIdleTime = try Seconds.parse(bodyTimeout, option: "--body-timeout")
        limits.connectionIdleTime = try Seconds.parse(idleTimeout, option: "--idle-timeout")
        return limits
    }

    private func positive(_ number: Int, _ option: String) throws -> Int {
        guard 1...1_000_000_000_000 ~= number else {
            throw Failure(MHQKit.ExitCode.usage, "\(option): must be 1 or more")
        }
        return number
    }
}

extension Logger.Level {
    fileprivate init(option: String) throws {
        guard let level = Logger.Level(rawValue: option) else {
            throw Failure(
                MHQKit.ExitCode.usage,
                "--log-level: '\(option)' is none of trace, debug, info, notice, warning, error, critical")
        }
        self = level
    }
}
