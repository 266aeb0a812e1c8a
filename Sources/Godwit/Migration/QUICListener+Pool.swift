public import GodwitMigration

// Where a server may move without further notice (Specs/server-migration.md 4.2, 6.5.3).
extension QUICListener {
    /// The addresses that the server may move to without further notice.
    public var migrationPool: AddressPool {
        get async {
            let coordinator = coordinator
            return await coordinator.home.run { coordinator.pool }
        }
    }

    /// Changes where the server may move without further notice. Clients that have agreed on the extension are told
    /// what has come and what has gone; others keep the pool of their handshake. Who connects later gets the new one,
    /// without the extension only if there was a pool when the listener was bound.
    ///
    /// The same pool once more changes nothing.
    ///
    /// - Parameter pool: the whole of it.
    /// - Throws: ``MigrationError/forbiddenDestination(_:)``, and then the pool is as it was;
    ///   ``MigrationError/refused(_:)`` while the listener is held.
    public func changeMigrationPool(_ pool: AddressPool) async throws {
        if let address = configuration.allowedDestinations?.firstForbidden(in: pool) {
            throw MigrationError.forbiddenDestination(address)
        }
        try await commanding { coordinator in
            // Nobody can be told, and a copy of the process would know of it or not.
            if coordinator.ledger.isHeld { throw MigrationError.refused(.held) }
            guard pool != coordinator.pool else { return }
            coordinator.pool = pool
            try await self.onEveryLoop { _, loop in loop.changePool(to: pool) }
            coordinator.notePool()
        }
    }
}
