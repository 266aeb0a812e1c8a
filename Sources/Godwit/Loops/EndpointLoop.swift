import GodwitCore
import GodwitCrypto
import GodwitWire
import Logging
import NIOCore

/// An endpoint on its event loop: its sockets, its timer, and the connections that the application knows.
///
/// A server has one on each event loop; a client has one for each connection that it opens.
final class EndpointLoop: @unchecked Sendable {
    // All of it is touched on the event loop alone; that is what makes the class `Sendable`.

    let driver: LoopDriver
    let endpoint: Endpoint
    let settings: EndpointSettings
    /// The newest last. Older ones serve paths that have not been left yet.
    var sockets: ContiguousArray<UDPSocket> = []
    var connections: [ConnectionHandle: ConnectionDriver] = [:]
    /// The server's event loops, and which of them this is; nil when there is only one.
    var place: RingPlace?
    /// Where event loops come together over a move of the server; nil at clients.
    var coordinator: MigrationCoordinator?
    /// Families that a client's sockets don't reach, and for which one was opened.
    var familiesAdded: Set<Bool> = []
    /// Where the connections of clients go.
    var acceptQueue: AcceptQueue?
    var clock = LoopClock(at: .now())
    var alarms = AlarmStack()
    var traffic = TrafficCounts()
    var lastReport = MetricsReport()
    /// Whether the driver has us on its list.
    var isBusy = false
    /// Nothing gets through to the endpoint, because the process is about to be frozen.
    var isHeld = false
    /// Whether the endpoint ends with its last connection: a client's does once it has opened one, a server's
    /// when nobody has the listener any more.
    var endsWithConnections = false
    var isClosed = false
    var closeWaiters = Waiters()

    /// How many trains an endpoint may send before the others on the loop get their turn.
    private static let trainsPerRound = 4
    private static let roundsPerFlush = 16

    init(driver: LoopDriver, configuration: EndpointConfiguration, settings: EndpointSettings) {
        self.driver = driver
        self.settings = settings
        endpoint = Endpoint(configuration: configuration, entropy: Entropy(seed: SystemEntropy.seed()))
    }

    var logger: Logger { settings.logger }

    /// Stands still while the endpoint is held: what is asked for meanwhile, by alarms that were set before a freeze
    /// perhaps, must not make it part of the connections' lives.
    func now() -> Instant { isHeld ? clock.latest : clock.read(.now()) }

    /// Has events told and datagrams sent at the end of the turn.
    func markBusy() { driver.markBusy(self) }

    // MARK: Out

    /// Sends what there is to send, up to a limit. Returns whether there may be more to do.
    func transmit() -> Bool {
        guard !isClosed, !isHeld, !isBlocked else { return false }
        let now = now()
        for _ in 0..<Self.trainsPerRound {
            guard let transmission = endpoint.transmit(into: driver.sendBuffer, now: now) else {
                return endTransmitting()
            }
            send(transmission, now: now)
            if isBlocked { return false }
        }
        return true
    }

    /// Sends what there is at once, for a caller who may be about to end the process.
    func flush() {
        var rounds = 0
        while rounds < Self.roundsPerFlush, transmit() { rounds += 1 }
    }

    private var isBlocked: Bool { sockets.contains { $0.held != nil } }

    private func endTransmitting() -> Bool {
        let hasTold = tellEvents()
        setAlarm()
        reportMetrics()
        if endsWithConnections, endpoint.connectionCount == 0 { close() }
        return hasTold
    }

    private func send(_ transmission: Transmission, now: Instant) {
        let train = UnsafeRawBufferPointer(
            start: driver.sendBuffer.baseAddress, count: transmission.count)
        guard let socket = sockets.last(where: { $0.covers(transmission) }) ?? socketOfFamily(transmission)
        else { return traffic.noteDropped(transmission) }
        settings.tap?.sent(train, transmission, by: socket.localAddress)
        settle(socket.send(train, transmission), transmission, socket, now: now)
    }

    func settle(
        _ outcome: SendOutcome, _ transmission: Transmission, _ socket: UDPSocket, now: Instant
    ) {
        switch outcome {
        case .sent: traffic.noteSent(transmission)
        case .blocked: retry(socket)
        case .refused(let problem):
            traffic.noteDropped(transmission)
            log(problem, of: socket, transmission)
            if SystemError.saysUnreachable(problem) { endpoint.onUnreachable(transmission.remote, now: now) }
        case .tooLarge(let size):
            traffic.noteDropped(transmission)
            endpoint.onMessageTooLarge(
                size: size, from: transmission.local, to: transmission.remote, now: now)
        }
    }

    /// A trouble that lasts is told once.
    private func log(_ problem: CInt, of socket: UDPSocket, _ transmission: Transmission) {
        guard problem != socket.lastProblem else { return }
        socket.lastProblem = problem
        logger.debug(
            "the system refused a datagram",
            metadata: [
                "error": "\(SystemError.describe(problem))", "remote": "\(transmission.remote)",
                "local": "\(transmission.local)",
            ])
    }

    /// A full buffer empties at the speed of the network, which nobody tells us about; so we try again soon.
    private func retry(_ socket: UDPSocket) {
        driver.eventLoop.scheduleTask(in: .milliseconds(1)) {
            if socket.isOpen, let (outcome, transmission) = socket.sendHeld() {
                self.settle(outcome, transmission, socket, now: self.now())
            }
            self.markBusy()
        }
    }

    // MARK: Time

    private func setAlarm() {
        guard let deadline = endpoint.nextDeadline, alarms.needsAlarm(at: deadline) else { return }
        let callback = try? driver.eventLoop.scheduleCallback(at: clock.time(of: deadline), handler: self)
        if let callback { alarms.push(deadline, callback) }
    }
}

extension EndpointLoop: NIOScheduledCallbackHandler {
    func handleScheduledCallback(eventLoop: some EventLoop) {
        let now = now()
        guard alarms.popExpired(now: now), !isClosed, !isHeld else { return }
        endpoint.handleDeadline(now: now)
        markBusy()
        driver.takeTurn()
    }
}
