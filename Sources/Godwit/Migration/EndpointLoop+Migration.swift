import CGodwitSocket
import GodwitCore
import GodwitCrypto
import GodwitMigration
import GodwitWire
import NIOCore

// One event loop's part in a move of the server.
extension EndpointLoop {
    /// How long to wait for room in the system's buffers for the last word, in milliseconds.
    private static let patienceForLastWord = 50

    /// Has every connection prepare. What they have to say comes by ``tellMigration()``.
    func prepare(_ plan: MigrationPlan, _ epoch: MigrationEpoch) throws {
        try endpoint.prepareMigration(plan, epoch: epoch, now: now())
        markBusy()
    }

    /// Has connections tell their clients where the server may move.
    func changePool(to pool: AddressPool) {
        endpoint.changeMigrationPool(pool, now: now())
        markBusy()
    }

    /// Closes connections that can't follow, says the last word, and stands still.
    ///
    /// - Parameters:
    ///   - leftBehind: by the connection id that the client chose first.
    ///   - releasesAddress: whether to close the sockets with all that was not read.
    func hold(
        _ epoch: MigrationEpoch, closing leftBehind: [ConnectionID], releasesAddress: Bool
    ) async throws {
        for id in leftBehind {
            endpoint.connection(named: id)?.close(
                code: settings.cancellationCode, reason: "the server moves", now: now())
        }
        try endpoint.holdMigration(epoch, now: now())
        await sendLastWord()
        hold()
        if releasesAddress { releaseSockets() }
    }

    private func sendLastWord() async {
        var pauses = 0
        while !isClosed, pauses < Self.patienceForLastWord {
            if transmit() { continue }
            guard sockets.contains(where: { $0.held != nil }) else { return }
            pauses += 1
            // A train that waits for room is sent by a timer of its own.
            try? await driver.eventLoop.scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
        }
    }

    /// Goes on after a move: at `new` sockets, whose address is `locals`, or without any where it was.
    ///
    /// What came to the old sockets and was not read is lost: it belongs to the place that was left.
    func arrive(
        _ epoch: MigrationEpoch, at new: [UDPSocket], _ locals: [NetworkAddress]
    ) throws {
        let thaw = beginThaw()
        try endpoint.networkSwitched(epoch, to: locals, thaw)
        if !new.isEmpty {
            for old in sockets where !new.contains(where: { $0 === old }) { old.close() }
            sockets.removeAll { socket in !new.contains { $0 === socket } }
        }
        goOn()
    }

    /// Stays after all.
    func stay(_ epoch: MigrationEpoch) throws {
        let thaw = beginThaw()
        try endpoint.cancelMigration(epoch, thaw)
        goOn()
    }

    private func beginThaw() -> EndpointThaw {
        if isHeld {
            clock.resume(at: .now())
            SystemEntropy.discardBoringSSLRandomness()
        }
        alarms.cancelAll()
        return EndpointThaw(
            now: now(), unixTime: godwit_unix_time(), entropy: Entropy(seed: SystemEntropy.seed()))
    }

    func releaseSockets() {
        for socket in sockets { socket.close() }
        sockets.removeAll()
    }

    // MARK: What there is to tell

    /// Hands on what the endpoint says of moves. Returns whether there was anything.
    func tellMigration() -> Bool {
        let hasReported = reportToBarrier()
        return tellNotices() || hasReported
    }

    private func reportToBarrier() -> Bool {
        guard let first = endpoint.nextBarrierMessage() else { return false }
        var messages = [onCommonClock(first)]
        while let message = endpoint.nextBarrierMessage() { messages.append(onCommonClock(message)) }
        let (batch, coordinator) = (messages, coordinator)
        coordinator?.home.execute { coordinator?.receive(batch) }
        return true
    }

    /// Each endpoint has its own clock; the barrier's is the machine's.
    private func onCommonClock(_ message: BarrierMessage) -> BarrierMessage {
        guard case .report(let id, var report) = message else { return message }
        report.time = clock.time(of: report.time).instant
        return .report(id, report)
    }

    private func tellNotices() -> Bool {
        guard let first = endpoint.nextMigrationNotice() else { return false }
        var notices = [first]
        while let notice = endpoint.nextMigrationNotice() { notices.append(notice) }
        for notice in notices {
            if case .client(let event) = notice.event { connections[notice.connection]?.onMigration(event) }
        }
        let (batch, coordinator) = (notices, coordinator)
        coordinator?.home.execute { coordinator?.receive(batch) }
        return true
    }
}

// A client whose server has gone to the other address family.
extension EndpointLoop {
    /// A socket for what leaves from "any address of that family". If there is none, one is opened for what
    /// is to come: probes are repeated.
    func socketOfFamily(_ transmission: Transmission) -> UDPSocket? {
        guard transmission.local.port == 0, transmission.local.ip.isUnspecified else { return nil }
        if let socket = sockets.last(where: { $0.descriptor.canReach(transmission.remote) }) { return socket }
        guard familiesAdded.insert(transmission.remote.isIPv4).inserted else { return nil }
        let local = transmission.remote.isIPv4 ? NetworkAddress.anywhereIPv4 : .anywhere
        Task { _ = try? await addSocket(local, sharing: settings.sharing) }
        return nil
    }
}
