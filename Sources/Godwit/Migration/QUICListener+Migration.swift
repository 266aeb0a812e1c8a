public import GodwitMigration
public import GodwitWire
import NIOConcurrencyHelpers
import NIOCore

// A server that moves with its clients (Specs/server-migration.md 6, 7): prepare, hold, and when the process
// has been carried to where it is to be, networkSwitched; or cancel.
extension QUICListener {
    // MARK: Before

    /// Has every connection prepare for a move, and waits until each is ready or never will be.
    ///
    /// Handshakes go on meanwhile; a connection that completes one joins the plan and is not waited for. A
    /// newer plan takes the place of one that is open.
    ///
    /// - Parameters:
    ///   - plan: by which strategy connections move, and where.
    ///   - deadline: how long to wait at most.
    ///   - epoch: the plan's number, above those of all plans before; nil for the next. A command with the
    ///     number of the plan under way begins nothing anew and waits as the first one did.
    /// - Returns: how far each connection is.
    /// - Throws: ``MigrationError``; `CancellationError` when cancelled, which leaves the plan open.
    @discardableResult
    public func prepareMigration(
        _ plan: MigrationPlan, deadline: Duration, epoch: MigrationEpoch? = nil
    ) async throws -> MigrationReadiness {
        if let address = configuration.allowedDestinations?.firstForbidden(in: plan) {
            throw MigrationError.forbiddenDestination(address)
        }
        let coordinator = coordinator
        return try await coordinator.home.run {
            try await coordinator.begin()
            let epoch = epoch ?? coordinator.ledger.next
            do {
                defer { coordinator.end() }
                if try refusing({ try coordinator.ledger.prepare(epoch) }) == .accepted {
                    coordinator.open(
                        epoch, plan, loops: self.loops.count, within: TimeSpan(deadline))
                    for loop in self.loops {
                        loop.driver.execute { try? loop.prepare(plan, epoch) }
                    }
                }
            }
            return try await coordinator.readiness(of: epoch)
        }
    }

    /// How far connections are with the plan under way, or the last one; nil before the first.
    public var migrationReadiness: MigrationReadiness? {
        get async {
            let coordinator = coordinator
            return await coordinator.home.run { coordinator.barrier?.readiness }
        }
    }

    /// Where the listener stands with its plans.
    public var migrationState: MigrationState {
        get async {
            let coordinator = coordinator
            return await coordinator.home.run { MigrationState(coordinator.ledger) }
        }
    }

    /// The last command before the process is frozen: from when it returns nothing is read or sent and no
    /// timer comes up, until ``networkSwitched(to:epoch:)-([NetworkAddress],_)`` or ``cancelMigration(_:)``.
    ///
    /// Connections that can't follow are closed (`MigrationReadiness.leftBehind`). The others are told that it is
    /// about to happen, as far as their protocol has a word for it.
    ///
    /// - Parameters:
    ///   - epoch: the plan.
    ///   - releasesAddress: whether to let go of the address at once, with all that has come and was not
    ///     read. What is sent there from then on is lost, or another's.
    /// - Throws: ``MigrationError``.
    public func hold(_ epoch: MigrationEpoch, releasesAddress: Bool = false) async throws {
        try await commanding { coordinator in
            var trial = coordinator.ledger
            let verdict = try refusing { try trial.hold(epoch) }
            guard verdict == .accepted else { return }
            coordinator.ledger = trial
            let leftBehind = coordinator.barrier?.readiness.leftBehind ?? []
            coordinator.releasedAddresses = releasesAddress ? await self.socketAddresses() : []
            try await self.onEveryLoop { _, loop in
                try await loop.hold(epoch, closing: leftBehind, releasesAddress: releasesAddress)
            }
            coordinator.noteHeld()
        }
    }

    // MARK: After

    /// Goes on at other addresses, where the process was carried to. Sockets are opened there before the old
    /// ones are closed; what came to those and was not read is lost.
    ///
    /// All random choices are made from fresh randomness from now on: a copy of the process may run
    /// elsewhere. To connections it is as if no time had passed.
    ///
    /// - Parameters:
    ///   - addresses: where the server is now, one of each family at most; none if its sockets have come
    ///     along.
    ///   - epoch: the plan.
    /// - Throws: ``MigrationError``; ``QUICError/socket(_:)`` if an address can't be had. Then the listener
    ///   is held as before.
    public func networkSwitched(to addresses: [NetworkAddress], epoch: MigrationEpoch) async throws {
        try await commanding { coordinator in
            var trial = coordinator.ledger
            let verdict = try refusing { try trial.networkSwitched(epoch) }
            guard verdict == .accepted else { return }
            // Whoever was granted can't ask again, so all else that may fail comes before.
            let sockets = try await self.openForArrival(at: addresses)
            do { try await self.askArbiter(.switched, epoch) } catch {
                await self.remove(sockets)
                throw error
            }
            let bound = addresses.isEmpty ? [] : sockets.map { $0[0].localAddress }
            let locals = coordinator.places(of: bound)
            coordinator.ledger = trial
            coordinator.noteThawed()
            try await self.onEveryLoop { index, loop in
                try loop.arrive(epoch, at: sockets.map { $0[index] }, locals)
            }
            if let first = bound.first { self.state.withLockedValue { $0.localAddress = first } }
            coordinator.noteSwitched(to: locals.isEmpty ? [self.localAddress] : locals)
        }
    }

    /// Goes on at another address; as ``networkSwitched(to:epoch:)-([NetworkAddress],_)``.
    ///
    /// - Parameters:
    ///   - address: where the server is now; nil if its sockets have come along.
    ///   - epoch: the plan's, as it was held.
    public func networkSwitched(to address: NetworkAddress?, epoch: MigrationEpoch) async throws {
        try await networkSwitched(to: address.map { [$0] } ?? [], epoch: epoch)
    }

    /// Stays where it was: what clients were told is taken back as far as it can be.
    ///
    /// - Parameter epoch: the plan.
    /// - Throws: ``MigrationError``; ``QUICError/socket(_:)`` if the address was let go of and can't be had
    ///   again.
    public func cancelMigration(_ epoch: MigrationEpoch) async throws {
        try await commanding { coordinator in
            var trial = coordinator.ledger
            let verdict = try refusing { try trial.cancel(epoch) }
            guard verdict == .accepted else { return }
            if trial != coordinator.ledger, coordinator.ledger.isHeld {
                let sockets = try await self.openSockets(at: coordinator.releasedAddresses)
                do { try await self.askArbiter(.cancelled, epoch) } catch {
                    await self.remove(sockets)
                    throw error
                }
            }
            coordinator.ledger = trial
            coordinator.noteThawed()
            try await self.onEveryLoop { _, loop in try loop.stay(epoch) }
            coordinator.noteCancelled()
        }
    }

    /// Lets go of the address without a plan, with all that has come and was not read; for a listener that is
    /// held by ``hold()``. ``resume(at:)`` takes another.
    package func releaseAddress() async {
        for loop in loops { await loop.driver.run { loop.releaseSockets() } }
    }

    // MARK: Steps

    /// One command after the other, on the coordinator's event loop.
    func commanding(
        _ body: @escaping @Sendable (MigrationCoordinator) async throws -> Void
    ) async throws {
        let coordinator = coordinator
        try await coordinator.home.run {
            try await coordinator.begin()
            defer { coordinator.end() }
            try await body(coordinator)
        }
    }

    /// All event loops at once: each has clients that wait.
    func onEveryLoop(
        _ body: @escaping @Sendable (_ index: Int, EndpointLoop) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, loop) in loops.enumerated() {
                group.addTask(executorPreference: loop.driver) { try await body(index, loop) }
            }
            try await group.waitForAll()
        }
    }

    private func askArbiter(_ resolution: EpochLedger.Resolution, _ epoch: MigrationEpoch) async throws {
        guard let arbiter = configuration.migrationArbiter else { return }
        // Drawn after the freeze, from the kernel: another copy draws another.
        let copy = EpochArbiter.Copy(rawValue: .random(in: 0...UInt64.max))
        guard try await arbiter.grants(resolution, of: epoch, to: copy) else {
            throw MigrationError.anotherCopyGoesOn(epoch)
        }
    }

    /// A socket for each event loop at each address; none if the sockets have come along.
    private func openForArrival(at wanted: [NetworkAddress]) async throws -> [[UDPSocket]] {
        let addresses = wanted.isEmpty ? coordinator.releasedAddresses : wanted
        if addresses.isEmpty { try await reapplySocketOptions() }
        for _ in 0..<Self.attemptsAtAddress {
            do { return try await openSockets(at: addresses) } catch QUICError.socket(let failure) {
                guard SystemError.isAddressInUse(failure.errorNumber) else { throw QUICError.socket(failure) }
                try await Task.sleep(for: Self.pauseAtAddress)
            }
        }
        return try await openSockets(at: addresses)
    }

    /// A socket that was closed lives on in a process that was being started at that moment, until that is.
    private static let attemptsAtAddress = 25
    private static let pauseAtAddress = Duration.milliseconds(10)

    private func openSockets(at addresses: [NetworkAddress]) async throws -> [[UDPSocket]] {
        var sockets: [[UDPSocket]] = []
        do {
            for address in addresses { sockets.append(try await bindSockets(to: address)) }
            return sockets
        } catch {
            await remove(sockets)
            throw error
        }
    }

    private func remove(_ sockets: [[UDPSocket]]) async {
        for (index, loop) in loops.enumerated() {
            let opened = sockets.map { $0[index] }
            await loop.driver.run { for socket in opened { loop.remove(socket) } }
        }
    }

    private func socketAddresses() async -> [NetworkAddress] {
        let loop = loops[0]
        return await loop.driver.run { loop.sockets.map(\.localAddress) }
    }
}

/// Where a listener stands with its plans to move.
public struct MigrationState: Hashable, Sendable {
    /// The plan under way, or the last one; `none` before the first.
    public var epoch: MigrationEpoch
    /// Whether the plan is open, held or not.
    public var isOpen: Bool
    /// Whether nothing is read or sent.
    public var isHeld: Bool

    init(_ ledger: EpochLedger) {
        epoch = ledger.current
        isOpen = ledger.isOpen
        isHeld = ledger.isHeld
    }
}

/// Gives a refusal the type that users know.
private func refusing<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let refusal as EpochLedger.Refusal {
        throw MigrationError.refused(refusal)
    }
}
