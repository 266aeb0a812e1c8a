public import Godwit

// A server that moves with its clients. What is said of QUICListener's commands holds here.
extension HTTP3Server {
    /// Has every connection prepare for a move, and waits until each is ready or never will be; as
    /// `QUICListener.prepareMigration(_:deadline:epoch:)`.
    @discardableResult
    public func prepareMigration(
        _ plan: MigrationPlan, deadline: Duration, epoch: MigrationEpoch? = nil
    ) async throws -> MigrationReadiness {
        try await quic.prepareMigration(plan, deadline: deadline, epoch: epoch)
    }

    /// The last command before the process is frozen; as `QUICListener.hold(_:releasesAddress:)`. Clients
    /// that can't follow get a GOAWAY, by which they know which requests to send again elsewhere (RFC 9114
    /// section 5.2), before their connection is closed. That takes a round trip of theirs, but no more than a
    /// tenth of a second; the others are served meanwhile.
    public func hold(_ epoch: MigrationEpoch, releasesAddress: Bool = false) async throws {
        let state = await quic.migrationState
        let readiness = state.isOpen && !state.isHeld ? await quic.migrationReadiness : nil
        if let readiness, readiness.epoch == epoch {
            let roundTrip = await sendAway(Set(readiness.leftBehind))
            if roundTrip > .zero { try await Task.sleep(for: min(roundTrip, Self.longestFarewell)) }
        }
        try await quic.hold(epoch, releasesAddress: releasesAddress)
    }

    /// Goes on at another address, where the process was carried to; as
    /// `QUICListener.networkSwitched(to:epoch:)`.
    ///
    /// - Parameters:
    ///   - address: where the server is now; nil if its sockets have come along.
    ///   - epoch: the plan's, as it was held.
    public func networkSwitched(to address: NetworkAddress?, epoch: MigrationEpoch) async throws {
        try await quic.networkSwitched(to: address, epoch: epoch)
    }

    /// Stays where it was; as `QUICListener.cancelMigration(_:)`.
    public func cancelMigration(_ epoch: MigrationEpoch) async throws {
        try await quic.cancelMigration(epoch)
    }

    /// The addresses that the server may move to without further notice.
    public var migrationPool: AddressPool { get async { await quic.migrationPool } }

    /// Changes where the server may move without further notice; as `QUICListener.changeMigrationPool(_:)`.
    public func changeMigrationPool(_ pool: AddressPool) async throws {
        try await quic.changeMigrationPool(pool)
    }

    /// How long to wait at most until clients that can't follow were told.
    private static let longestFarewell = Duration.milliseconds(100)

    /// What becomes of connections in moves of the server; as `QUICListener.migrationEvents`.
    public var migrationEvents: QUICListener.MigrationEvents { quic.migrationEvents }
}
