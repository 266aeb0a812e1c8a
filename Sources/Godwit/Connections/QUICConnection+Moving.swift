public import GodwitWire

// A connection outlives its addresses (RFC 9000 section 9).
extension QUICConnection {
    /// Moves a client's connection to another local address, say of another network. The path there is
    /// validated first; ``pathChanges`` tells when data goes over it.
    ///
    /// - Parameter local: where to go; port 0 takes any port.
    /// - Throws: ``QUICError/migrationRefused``, ``QUICError/socket(_:)`` if the address can't be bound, or
    ///   ``QUICError/connectionClosed(_:)``.
    nonisolated(nonsending) public func migrate(toLocal local: NetworkAddress) async throws {
        let driver = driver
        guard driver.role == .client else { throw QUICError.migrationRefused }
        try await driver.driver.run {
            try driver.checkOpen()
            let socket = try await driver.loop.addSocket(local, sharing: .never)
            guard driver.core.migrate(toLocal: socket.localAddress, now: driver.loop.now()) else {
                driver.loop.remove(socket)
                throw QUICError.migrationRefused
            }
            driver.loop.markBusy()
        }
    }

    /// Gives a client's connection another socket because the one in use is of no use any more, as after the
    /// process was frozen and went on elsewhere. The old socket is closed as soon as the new one is open;
    /// nothing is validated first.
    ///
    /// - Parameter local: where to go; nil for the wildcard address and any port.
    /// - Throws: ``QUICError/migrationRefused`` at a server, where the listener does this,
    ///   ``QUICError/socket(_:)`` if the address can't be bound, or ``QUICError/connectionClosed(_:)``.
    nonisolated(nonsending) public func rebind(to local: NetworkAddress? = nil) async throws {
        let driver = driver
        guard driver.role == .client else { throw QUICError.migrationRefused }
        try await driver.driver.run {
            try driver.checkOpen()
            try await driver.loop.rebind(to: local)
        }
    }

    /// The pairs of addresses that the connection moves to, from now on; ends with the connection. Only the
    /// latest is kept for those who don't keep up.
    public var pathChanges: PathChanges { PathChanges(connection: self) }

    /// A pair of addresses between which a connection runs.
    public struct Path: Sendable, Hashable {
        /// Our end.
        public var local: NetworkAddress
        /// The peer's end.
        public var remote: NetworkAddress
    }

    /// The pairs of addresses that a connection moves to.
    public struct PathChanges: AsyncSequence, Sendable {
        /// Where the connection runs.
        public typealias Element = Path
        /// It never fails; it ends with the connection.
        public typealias Failure = Never

        let connection: QUICConnection

        /// Tells one move after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let connection: QUICConnection
            var known: Path?

            /// The next path; nil when the connection is over or the task cancelled.
            public mutating func next() async -> Path? { await next(isolation: nil) }

            /// The next path; nil when the connection is over or the task cancelled.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws(Never) -> Path? {
                known = await connection.path(otherThan: known)
                return known
            }
        }

        /// An iterator of its own for each caller. The first path it tells is the one in use.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: connection) }
    }

    nonisolated(nonsending) private func path(otherThan known: Path?) async -> Path? {
        let driver = driver
        while driver.driver.isCurrent {
            if driver.closeReason != nil || Task.isCancelled { return nil }
            let path = Path(local: driver.core.localAddress, remote: driver.core.remoteAddress)
            if path != known { return path }
            await driver.driver.suspend({ driver.pathWaiters.append($0) }) { driver.pathWaiters.wakeAll() }
        }
        return await driver.driver.run { await self.path(otherThan: known) }
    }
}
