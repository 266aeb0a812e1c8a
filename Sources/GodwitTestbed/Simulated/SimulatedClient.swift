import GodwitCore
import GodwitHTTP3Core
import GodwitSimulator
import GodwitWire
import MHQKit

/// The application's client on a simulated host: the same steps and requests as on sockets.
final class SimulatedClient: EndpointApplication {
    struct Settings {
        var seed: UInt64
        var server: NetworkAddress
        var script: ClientScript.Settings
        var body: RequestSource.Body
        /// Unix time at the network's instant 0, µs.
        var epoch: Int64
        /// From a command until its answer has come.
        var commandTime: TimeSpan
    }

    private struct Exchange {
        var request: RequestSource.Request
        var stream: StreamID
        var sentAt: Instant
        var received = 0
    }

    private let settings: Settings
    private(set) var log: ServiceTimeLog
    private(set) var isOver = false
    private(set) var endReason: String?
    /// Does what a client of experiments 0 to 3 commands.
    var onCommand: ((ClientScript.Command) -> Void)?

    private var script: ClientScript
    private var source: RequestSource
    private var steps: ArraySlice<ClientScript.Step> = [.send(looksForServer: false)]
    private var http3: SimulatedHTTP3?
    private var exchange: Exchange?
    private var goesOnAt = Instant.distantFuture
    private var hasBegun = false

    init(_ settings: Settings) {
        self.settings = settings
        script = ClientScript(settings.script)
        source = RequestSource(settings.body, seeds: SeedSequence(master: settings.seed))
        log = ServiceTimeLog(
            experiment: settings.script.experiment, triggerAfter: settings.script.triggerAfter,
            seed: settings.seed)
    }

    func start(_ program: EndpointProgram) {
        guard let connection = try? program.connect(to: settings.server) else {
            return end("no connection could be begun")
        }
        http3 = SimulatedHTTP3(connection, .client)
    }

    /// Ends the client, as one that is killed.
    func stop() { (isOver, goesOnAt) = (true, .distantFuture) }

    // MARK: Events

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        while program.nextMigrationNotice() != nil {}
        switch event {
        case .handshakeCompleted: http3?.openStreams()
        case .handshakeConfirmed: begin(program)
        case .stream(let event): http3?.handle(event, now: program.now) { perform($0, program) }
        case .closed(let reason): closed("\(reason)")
        default: break
        }
    }

    private func begin(_ program: EndpointProgram) {
        http3?.openStreams()
        guard !hasBegun else { return }
        hasBegun = true
        goOn(program)
    }

    private func closed(_ reason: String) {
        guard !isOver else { return }
        log.endedDueToTimeout = true
        for case .command(let command) in script.timedOut() { onCommand?(command) }
        end(reason)
    }

    private func end(_ reason: String?) {
        endReason = reason
        stop()
    }

    private func perform(_ action: HTTP3Action, _ program: EndpointProgram) {
        switch action {
        case .data(let id, let range): if exchange?.stream == id { exchange?.received += range.count }
        case .end(let id): if exchange?.stream == id { answered(program) }
        case .failed(let id, let error): if exchange?.stream == id { closed("a request failed: \(error)") }
        default: break
        }
    }

    private func answered(_ program: EndpointProgram) {
        guard let exchange else { return }
        self.exchange = nil
        let now = program.host.networkTime
        let address = http3?.connection.core?.remoteAddress ?? settings.server
        log.note(
            ServiceTimeLog.Entry(
                timestamp: settings.epoch + Self.microseconds(exchange.sentAt - .zero),
                serviceTime: Self.microseconds(now - exchange.sentAt), address: "\(address)",
                method: exchange.request.method, requestSize: exchange.request.contentSize,
                responseSize: exchange.received))
        steps = script.responded(from: "\(address)")[...]
        goOn(program)
    }

    private static func microseconds(_ span: TimeSpan) -> Int64 { span.nanoseconds / 1000 }

    // MARK: Steps

    var nextDeadline: Instant? { goesOnAt == .distantFuture ? nil : goesOnAt }

    func handleDeadline(_ program: EndpointProgram) {
        guard goesOnAt <= program.now else { return }
        goesOnAt = .distantFuture
        goOn(program)
    }

    /// Takes steps until one needs time.
    private func goOn(_ program: EndpointProgram) {
        while !isOver, let step = steps.popFirst() {
            switch step {
            case .wait(let span):
                goesOnAt = program.now + .milliseconds(Int64(span))
                return
            case .command(let command):
                onCommand?(command)
                guard command != .shutdown else { continue }
                goesOnAt = program.now + settings.commandTime
                return
            case .send(let looks): return send(looksForServer: looks, program)
            case .finish: return end(nil)
            }
        }
    }

    private func send(looksForServer: Bool, _ program: EndpointProgram) {
        guard let http3, let core = http3.connection.core else { return closed("the connection is gone") }
        let request = source.next()
        if looksForServer { core.lookForServer(now: program.now) }
        guard
            let stream = http3.request(
                isPost: request.isPost, authority: "\(settings.server)", path: request.path,
                contentSize: request.contentSize)
        else { return closed("no request could be sent") }
        exchange = Exchange(request: request, stream: stream, sentAt: program.host.networkTime)
    }
}
