import GodwitCore
import GodwitMigration
import GodwitWire

/// Has one connection, does its workload, and sends one request that is measured.
final class MovingClient: EndpointApplication {
    private struct Exchange {
        var sentAt: Instant
        var received: UInt64 = 0
        var isMeasured = false
        /// Whether it goes on until it is called off.
        var isEndless = false
    }

    let workload: MoveSettings.Workload
    private let server: NetworkAddress
    private weak var program: EndpointProgram?
    private(set) var connection: SimulatedConnection?
    private(set) var isConfirmed = false
    private(set) var number: UInt64 = 0
    private(set) var endReason: String?
    private(set) var isDamaged = false
    private(set) var bytesChecked: UInt64 = 0
    /// When the client began to look for its server, and when its data went elsewhere.
    private(set) var searchedAt: Instant?
    /// When the last bytes of an endless answer came before the client had moved.
    private(set) var lastHeardAt: Instant?
    private(set) var movedAt: Instant?
    private(set) var measuredAt: Instant?
    private(set) var answeredAt: Instant?
    /// When data first came from where the server went.
    private(set) var resumedAt: Instant?
    /// What the connection's probe timeout was when that was asked last.
    private(set) var probeTimeout = TimeSpan.zero

    private var exchanges: [StreamID: Exchange] = [:]
    private var bulk: (stream: StreamID, sent: UInt64)?
    private var nextRequest = Instant.distantFuture
    /// Requests that wait for a stream: the small ones, and whether the measured one does.
    private var backlog = 0
    private var isMeasuredWaiting = false
    /// When to send the measured request.
    private(set) var measureAt = Instant.distantFuture
    private var isOver = false
    /// Whether it has learnt from elsewhere, when it sends the measured request, that the server has moved.
    var isProactive = false

    private static let requestInterval = TimeSpan.milliseconds(20)
    private static let answerSize: UInt64 = 1000
    private let catchesUp: Bool

    /// - Parameter catchesUp: whether requests that the freeze holds up are made after it, or not at all.
    init(_ workload: MoveSettings.Workload, server: NetworkAddress, catchesUp: Bool = true) {
        self.workload = workload
        self.server = server
        self.catchesUp = catchesUp
    }

    /// How many small requests are under way at the most. One stream of the hundred that servers grant by default is
    /// left to the measured request. Where none is made later, no more than fit into the first window of a new path, or
    /// the measured one would take as long as all before it.
    private var mostRequests: Int { catchesUp ? 99 : 60 }

    func start(_ program: EndpointProgram) {
        self.program = program
        connection = try? program.connect(to: server)
    }

    /// The measured request goes out then.
    func measure(at time: Instant) {
        measureAt = time
        // A search that goes on already may find the server where it is to be.
        if movedAt != nil { searchedAt = nil }
        (measuredAt, answeredAt, movedAt) = (nil, nil, nil)
    }

    /// The server is about to be frozen.
    func noteProbeTimeout() { probeTimeout = connection?.core?.probeTimeout ?? .zero }

    /// Asks for nothing new.
    func settle() { nextRequest = .distantFuture }

    /// Calls off what has no end: enough was seen of it.
    func stop() {
        settle()
        isOver = true
        for (stream, exchange) in exchanges where exchange.isEndless {
            try? connection?.stopSending(stream, code: 0)
            try? connection?.reset(stream, code: 0)
            exchanges[stream] = nil
        }
    }

    /// How many requests have no answer yet.
    var unanswered: Int {
        exchanges.values.reduce(backlog + (isMeasuredWaiting ? 1 : 0)) { $0 + ($1.isEndless ? 0 : 1) }
    }

    // MARK: Events

    func happened(_ event: ConnectionEvent, on connection: SimulatedConnection, _ program: EndpointProgram) {
        takeNotices(program)
        switch event {
        case .handshakeConfirmed: begin(program)
        case .stream(.readable(let stream)): read(stream, program)
        case .stream(.writable(let stream)): if bulk?.stream == stream { upload() }
        case .stream(.streamsAvailable(.bidirectional)): sendWaiting(program)
        case .closed(let reason): endReason = "\(reason)"
        default: break
        }
    }

    private func begin(_ program: EndpointProgram) {
        isConfirmed = true
        number = connection?.number ?? 0
        switch workload {
        case .idle, .keepAlive: break
        case .requests: nextRequest = program.now
        case .bulk, .upload, .download: beginTransfer(program)
        }
    }

    private func beginTransfer(_ program: EndpointProgram) {
        guard let connection, let stream = connection.openStream(.bidirectional) else { return }
        exchanges[stream] = Exchange(sentAt: program.now, isEndless: true)
        if workload == .download {
            _ = try? connection.write(
                MovePattern.header(answerSize: MovePattern.endlessSize), to: stream, fin: true)
        } else {
            bulk = (stream, 0)
            upload()
        }
    }

    private func upload() {
        guard let connection, var bulk, !isOver else { return }
        defer { self.bulk = bulk }
        let pattern = MovePattern(bulk.stream, sender: .client)
        while true {
            let bytes =
                bulk.sent == 0
                ? MovePattern.header(answerSize: workload == .upload ? 0 : MovePattern.endlessSize)
                : pattern.bytes(from: bulk.sent, count: Int(MovePattern.portion))
            guard let taken = try? connection.write(bytes, to: bulk.stream), taken > 0 else { return }
            bulk.sent += UInt64(taken)
        }
    }

    private func read(_ stream: StreamID, _ program: EndpointProgram) {
        guard let connection, var exchange = exchanges[stream] else { return }
        let before = exchange.received
        let pattern = MovePattern(stream, sender: .server)
        let isFinished = try? connection.read(from: stream) { view in
            if !pattern.fits(view, from: exchange.received) { isDamaged = true }
            exchange.received += UInt64(view.count)
        }
        bytesChecked += exchange.received - before
        // What was under way from the old address may come long after the thaw.
        if exchange.isEndless, exchange.received > before {
            if movedAt == nil { noteLastHeard(program) } else { resumedAt = resumedAt ?? program.now }
        }
        exchanges[stream] = exchange
        guard isFinished ?? false else { return }
        if exchange.received != Self.answerSize { isDamaged = true }
        if exchange.isMeasured { answeredAt = program.now }
        exchanges[stream] = nil
        sendWaiting(program)
    }

    /// What one that only takes something knows of the old path changes until the last of it has come.
    private func noteLastHeard(_ program: EndpointProgram) {
        lastHeardAt = program.now
        if workload == .download { noteProbeTimeout() }
    }

    /// What happens to an idle connection is told by nothing else.
    func takeNotices() {
        if let program { takeNotices(program) }
    }

    private func takeNotices(_ program: EndpointProgram) {
        while let notice = program.nextMigrationNotice() {
            guard case .client(let event) = notice.event else { continue }
            switch event {
            case .searching: searchedAt = searchedAt ?? program.now
            case .stayed: if movedAt == nil { searchedAt = nil }
            case .moved: movedAt = movedAt ?? program.now
            case .announced, .told, .refused, .withdrawn: break
            }
        }
    }

    // MARK: Time

    var nextDeadline: Instant? { min(nextRequest, measureAt) }

    func handleDeadline(_ program: EndpointProgram) {
        takeNotices(program)
        if measureAt <= program.now {
            measureAt = .distantFuture
            measuredAt = program.now
            if isProactive { connection?.core?.lookForServer(now: program.now) }
            isMeasuredWaiting = true
        }
        if nextRequest <= program.now {
            nextRequest = program.now + Self.requestInterval
            if catchesUp || exchanges.count < mostRequests { backlog += 1 }
        }
        sendWaiting(program)
    }

    private func sendWaiting(_ program: EndpointProgram) {
        guard !isOver else { return }
        if isMeasuredWaiting { isMeasuredWaiting = !send(isMeasured: true, program) }
        while backlog > 0, exchanges.count < mostRequests, send(isMeasured: false, program) {
            backlog -= 1
        }
    }

    /// False when there is no stream for it.
    private func send(isMeasured: Bool, _ program: EndpointProgram) -> Bool {
        guard let connection, let stream = connection.openStream(.bidirectional) else { return false }
        let header = MovePattern.header(answerSize: Self.answerSize)
        let body = MovePattern(stream, sender: .client).bytes(from: UInt64(header.count), count: 200)
        exchanges[stream] = Exchange(sentAt: program.now, isMeasured: isMeasured)
        _ = try? connection.write(header + body, to: stream, fin: true)
        return true
    }
}
