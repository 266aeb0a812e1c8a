import GodwitCore
public import GodwitMigration
public import GodwitWire
import Logging
import Synchronization

// A client whose server moves (Specs/server-migration.md 5).
extension QUICConnection {
    /// The connection id that the client chose first, by which plans and logs name a connection.
    nonisolated(nonsending) public var originalDestinationID: ConnectionID {
        get async { await driver.onLoop { $0.core.originalDestinationID } }
    }

    /// What both sides may do for a move of the server; nothing until the handshake is complete.
    nonisolated(nonsending) public var migrationAgreement: MigrationAgreement {
        get async { await driver.onLoop { $0.core.migrationAgreement } }
    }

    /// Has a client look for its server now, because the application has learnt that it moves. Data stays
    /// where it is until another address has answered. Does nothing at a server, or when no other address is
    /// known.
    nonisolated(nonsending) public func lookForServer() async {
        await driver.onLoop { driver in
            guard driver.role == .client, driver.closeReason == nil else { return }
            driver.core.lookForServer(now: driver.loop.now())
            driver.loop.markBusy()
        }
    }

    /// What a client learns of its server's moves, from now on; ends with the connection. At a server it ends at
    /// once: there it is the listener that tells.
    public var migrationEvents: ClientMigrationEvents { ClientMigrationEvents(driver: driver) }

    /// What a client learns of its server's moves.
    public struct ClientMigrationEvents: AsyncSequence, Sendable {
        /// What it learnt.
        public typealias Element = ClientMigrationEvent
        /// It never fails; it ends with the connection.
        public typealias Failure = Never

        let driver: ConnectionDriver

        /// Takes one event after the other.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var events: AsyncStream<ClientMigrationEvent>.AsyncIterator

            /// The next event; nil when the connection is over or the task cancelled.
            public mutating func next() async -> ClientMigrationEvent? { await events.next() }

            /// The next event; nil when the connection is over or the task cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(Never) -> ClientMigrationEvent? { await events.next(isolation: actor) }
        }

        /// An iterator of its own for each caller, that gets what happens from now on.
        public func makeAsyncIterator() -> AsyncIterator {
            let (events, seat) = EventAudience<ClientMigrationEvent>.makeSeat()
            // At once, and not on the event loop: what another loop does next may bring news to this one.
            if let audience = driver.migrationAudience { audience.join(seat) } else { seat.finish() }
            return AsyncIterator(events: events.makeAsyncIterator())
        }
    }
}

extension ConnectionDriver {
    func onMigration(_ event: ClientMigrationEvent) {
        loop.logger.debug(
            "news of the server's move",
            metadata: logMetadata.merging(["news": "\(event)", "id": "\(core.originalDestinationID)"]) { $1 })
        migrationAudience?.tell(event)
    }
}
