import GodwitCore
import GodwitWire

// What the endpoint tells, and how an endpoint ends.
extension EndpointLoop {
    /// Hands on what the endpoint has to tell. Returns whether there was anything.
    @discardableResult
    func tellEvents() -> Bool {
        var hasTold = false
        // Events of a connection come in a row, so it need not be looked up for each.
        var latest: ConnectionDriver?
        while let event = endpoint.nextEvent() {
            hasTold = true
            switch event {
            case .accepted(let handle): adopt(handle)
            case .connection(let handle, let event):
                if latest?.handle != handle {
                    latest?.handler?.eventsTold()
                    latest = connections[handle]
                }
                latest?.handle(event)
            }
        }
        latest?.handler?.eventsTold()
        if tellMigration() { hasTold = true }
        return hasTold
    }

    private func adopt(_ handle: ConnectionHandle) {
        guard let core = endpoint.connection(handle) else { return }
        connections[handle] = ConnectionDriver(core, on: self, isAnnounced: false)
    }

    // MARK: Opening connections

    /// Opens a connection as a client.
    func connect(_ request: ConnectRequest) throws(ConnectError) -> ConnectionDriver {
        endsWithConnections = true
        markBusy()
        let handle = try endpoint.connect(request, now: now())
        let connection = ConnectionDriver(endpoint.connection(handle)!, on: self, isAnnounced: true)
        connections[handle] = connection
        return connection
    }

    // MARK: Ending

    func onConnectionClosed() {
        if connections.isEmpty { closeWaiters.wakeAll() }
    }

    /// Closes every connection.
    func closeConnections(code: UInt64, reason: String) {
        for connection in connections.values {
            connection.core.close(code: code, reason: reason, now: now())
        }
        flush()
    }

    /// Lets go of the sockets. Connections that are still open end without a word.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        reportMetrics(isLast: true)
        alarms.cancelAll()
        for socket in sockets { socket.close() }
        sockets.removeAll()
        place = nil
        for connection in connections.values { connection.handle(.closed(.noViablePath)) }
        closeWaiters.wakeAll()
    }
}
