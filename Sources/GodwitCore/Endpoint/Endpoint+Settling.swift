import GodwitCrypto
import GodwitWire

// What follows from calls into connections: the tables, the lists of who is to send and to tell, the
// deadlines.
extension Endpoint {
    /// Looks after every connection that has woken.
    func settle(now: Instant) {
        applyTableChanges()
        guard !environment.awake.isEmpty else { return }
        // Settling wakes nobody. Should it ever, whoever wakes is behind those whose turn it is.
        let count = environment.awake.count
        for index in 0..<count {
            guard let connection = table[slot: environment.awake[index]] else { continue }
            connection.isAwake = false
            settle(connection, now: now)
            enqueueSender(connection)
            enqueueTeller(connection)
        }
        environment.awake.removeFirst(count)
        applyTableChanges()
    }

    /// Schedules the connection's next deadline, or lets go of it when it is over.
    func settle(_ connection: Connection, now: Instant) {
        if connection.countsAsHandshake, connection.lifecycle != .handshaking {
            connection.countsAsHandshake = false
            handshakesUnderWay -= 1
        }
        if connection.lifecycle == .closed { return enqueueTeller(connection) }
        if let deadline = connection.nextDeadline { deadlines.schedule(connection.handle.slot, at: deadline) }
    }

    func enqueueSender(_ connection: Connection) {
        guard !connection.isQueuedToSend else { return }
        connection.isQueuedToSend = true
        senders.append(connection.handle.slot)
    }

    private func enqueueTeller(_ connection: Connection) {
        guard !connection.isQueuedToTell else { return }
        connection.isQueuedToTell = true
        tellers.append(connection.handle.slot)
    }

    /// Forgets a connection that is over and has told everything.
    func removeIfOver(_ slot: UInt32) {
        guard let connection = table[slot: slot], connection.lifecycle == .closed else { return }
        connection.localIDs.forgetAll()
        connection.paths.remoteIDs.forgetAllTokens()
        connection.collectTableChanges()
        applyTableChanges()
        table.remove(connection.handle)
    }

    private func applyTableChanges() {
        while !environment.idChanges.isEmpty {
            let (change, handle) = environment.idChanges.removeFirst()
            apply(change, handle)
        }
        while !environment.resetTokenChanges.isEmpty {
            switch environment.resetTokenChanges.removeFirst() {
            case (.remember(let token), let handle): table.register(token, for: handle)
            case (.forget(let token), let handle): table.unregister(token, for: handle)
            }
        }
    }

    private func apply(_ change: LocalConnectionIDAction, _ handle: ConnectionHandle) {
        switch change {
        case .register(let id): table.register(id, for: handle)
        case .forget(let id): table.unregister(id, for: handle)
        case .forgetOriginal(let id):
            guard let connection = table[handle] else { return }
            table.unregisterOriginal(id, from: connection.paths.handshakeRemote)
        }
    }
}
