import GodwitCore
import GodwitMigration
import GodwitWire
import Logging
import NIOCore

/// The one place where a listener's event loops come together over a move: the plan's ledger and its barrier.
///
/// It lives on one of the loops. The others send it messages; nobody waits for it but who gave a command.
final class MigrationCoordinator: @unchecked Sendable {
    // But for what never changes, all of it is touched on `home` alone; that makes the class `Sendable`.

    let home: LoopDriver
    let audience = EventAudience<MigrationEvent>()
    private let logger: Logger
    private let metrics: MigrationMetrics

    var ledger: EpochLedger
    /// Where the server may move without further notice.
    var pool: AddressPool
    private(set) var barrier: MigrationBarrier?
    /// Where the listener was when it let go of its addresses.
    var releasedAddresses: [NetworkAddress] = []
    /// Where the plan leads.
    private var destinations: [NetworkAddress] = []
    private var preparedAt = NIODeadline.now()
    private var thawedAt: NIODeadline?
    /// On the wall clock, in nanoseconds.
    private var heldAt: Int64?
    private var isReadinessNoted = false
    private var deadline: Scheduled<Void>?
    private var waiters = Waiters()
    private var isBusy = false
    /// Whether anybody outside decides which copy of the process goes on.
    private let hasArbiter: Bool
    private var isWarnedOfCopies = false

    /// Nobody waits for longer, and instants have an end.
    private static let longestWait = TimeSpan.seconds(86_400 * 365)

    init(on home: LoopDriver, _ configuration: QUICServerConfiguration) {
        self.home = home
        logger = configuration.logger
        ledger = EpochLedger(requiresHold: configuration.migration.requiresHold)
        pool = configuration.migration.pool
        hasArbiter = configuration.migrationArbiter != nil
        metrics = MigrationMetrics(factory: configuration.metrics.factory)
    }

    // MARK: Commands

    /// Waits until no other command is being carried out, and keeps others from it.
    func begin() async throws {
        while isBusy {
            try Task.checkCancellation()
            await home.suspend({ waiters.append($0) }) { self.waiters.wakeAll() }
        }
        isBusy = true
    }

    func end() {
        isBusy = false
        waiters.wakeAll()
    }

    /// Begins to wait for connections.
    func open(_ epoch: MigrationEpoch, _ plan: MigrationPlan, loops: Int, within limit: TimeSpan) {
        destinations = plan.destinations
        let now = NIODeadline.now()
        let latest = now + .nanoseconds(min(max(0, limit.nanoseconds), Self.longestWait.nanoseconds))
        barrier = MigrationBarrier(epoch: epoch, loops: loops, latest: latest.instant)
        (preparedAt, isReadinessNoted) = (now, false)
        deadline?.cancel()
        deadline = home.eventLoop.scheduleTask(deadline: latest) { self.handleDeadline() }
        waiters.wakeAll()
        logger.info(
            "a move is prepared",
            metadata: ["epoch": "\(epoch)", "deadline": "\(limit.nanoseconds / 1_000_000) ms"])
    }

    /// Waits until there is nothing more to wait for.
    func readiness(of epoch: MigrationEpoch) async throws -> MigrationReadiness {
        while true {
            guard let barrier, barrier.epoch == epoch else {
                throw MigrationError.refused(.stale(current: ledger.current))
            }
            if barrier.isFinal || ledger.isHeld { return barrier.readiness }
            guard ledger.isOpen else { throw MigrationError.refused(.stale(current: ledger.current)) }
            try Task.checkCancellation()
            await home.suspend({ waiters.append($0) }) { self.waiters.wakeAll() }
        }
    }

    func noteHeld() {
        heldAt = WallClock.nanoseconds
        logger.info("held", metadata: ["epoch": "\(ledger.current)"])
        warnOfCopies()
        waiters.wakeAll()
    }

    /// Nothing inside of a process can tell that there is another copy of it (Specs/server-migration.md 6.6.4).
    private func warnOfCopies() {
        guard !hasArbiter, !isWarnedOfCopies else { return }
        isWarnedOfCopies = true
        logger.warning(
            """
            held without an arbiter: if more than one copy of this process goes on, each of them sends, and \
            connections and the secrecy of what they carry are lost. See to it that there is one, or configure an \
            arbiter.
            """,
            metadata: ["epoch": "\(ledger.current)"])
    }

    func notePool() {
        let addresses = pool.addresses.map { "\($0)" }.joined(separator: " ")
        logger.info("the pool has changed", metadata: ["addresses": "\(addresses)"])
    }

    func noteSwitched(to locals: [NetworkAddress]) {
        logger.info(
            "moved",
            metadata: [
                "epoch": "\(ledger.current)", "local": "\(locals.map { "\($0)" }.joined(separator: " "))",
            ])
    }

    func noteCancelled() {
        logger.info("the move was called off", metadata: ["epoch": "\(ledger.current)"])
    }

    /// The loops are about to go on: a client may be there before all of them have.
    func noteThawed() {
        if let heldAt { metrics.noteFreeze(.nanoseconds(WallClock.nanoseconds &- heldAt)) }
        (heldAt, thawedAt) = (nil, .now())
        deadline?.cancel()
        waiters.wakeAll()
    }

    /// Where clients are to hear the server from that has sockets at `bound` now. At a wildcard address the
    /// system would choose from where, so it is the place that clients were told of, if this host has it:
    /// where there is an address translator in front of it, it does not.
    func places(of bound: [NetworkAddress]) -> [NetworkAddress] {
        var places: [NetworkAddress] = []
        for address in bound {
            let told = destinations.filter { destination in
                address.covers(destination) && !places.contains(destination) && isOurs(destination.ip)
                    && !places.contains { $0.isIPv4 == destination.isIPv4 }
            }
            places +=
                told.isEmpty
                ? [address] : Array(Dictionary(grouping: told, by: \.isIPv4).compactMap(\.value.first))
        }
        return places
    }

    private func isOurs(_ ip: IPAddress) -> Bool {
        guard
            let socket = try? SocketDescriptor(
                bindingTo: NetworkAddress(ip: ip, port: 0), sharing: .never)
        else { return false }
        socket.close()
        return true
    }

    // MARK: The barrier

    /// Takes what an event loop has to say.
    func receive(_ messages: [BarrierMessage]) {
        guard barrier != nil else { return }
        for message in messages { barrier?.receive(message) }
        noteIfFinal()
    }

    private func handleDeadline() {
        barrier?.handleDeadline(now: NIODeadline.now().instant)
        noteIfFinal()
    }

    private func noteIfFinal() {
        guard let barrier, barrier.isFinal, !isReadinessNoted else { return }
        isReadinessNoted = true
        deadline?.cancel()
        metrics.noteReadiness(after: NIODeadline.now().instant - preparedAt.instant)
        logger.info(
            "ready to move",
            metadata: ["epoch": "\(barrier.epoch)", "connections": "\(barrier.readiness)"])
        waiters.wakeAll()
    }

    // MARK: Events

    func receive(_ notices: [MigrationNotice]) {
        for notice in notices {
            guard case .server(let change) = notice.event else { continue }
            metrics.note(change)
            if case .completed = change, let thawedAt {
                metrics.noteStall(NIODeadline.now().instant - thawedAt.instant)
            }
            log(notice, change)
            audience.tell(
                MigrationEvent(
                    connectionID: notice.connectionID, change: change, movedFrom: notice.movedFrom,
                    local: notice.local, remote: notice.remote))
        }
    }

    private func log(_ notice: MigrationNotice, _ change: ServerMigrationEvent) {
        var metadata: Logger.Metadata = [
            "connection": "\(notice.connectionID)", "strategy": "\(change.strategy)",
            "local": "\(notice.local)", "remote": "\(notice.remote)",
        ]
        if let old = notice.movedFrom { metadata["local"] = "\(old) → \(notice.local)" }
        if let failure = change.failure { metadata["reason"] = "\(failure.words)" }
        logger.log(level: change.failure == nil ? .info : .warning, change.headline, metadata: metadata)
    }
}

extension ServerMigrationEvent {
    fileprivate var headline: Logger.Message {
        switch self {
        case .started: "connection prepares to move"
        case .ready: "connection ready to move"
        case .completed: "connection has moved"
        case .cancelled: "connection stays"
        case .failed: "connection has not moved"
        }
    }
}

extension NIODeadline {
    /// The machine's monotonic time, which is the clock of barriers.
    var instant: Instant { Instant(nanoseconds: Int64(clamping: uptimeNanoseconds)) }
}

extension NetworkAddress {
    /// Whether a socket at this address gets what is sent to the other.
    fileprivate func covers(_ other: NetworkAddress) -> Bool {
        port == other.port && ip.isUnspecified && (other.isIPv4 || !isIPv4)
    }
}
