public import GodwitMigration
public import GodwitWire

// The moves of a server, as far as one event loop goes (Specs/server-migration.md 6, 7). The barrier for all loops
// is the listener's: it feeds a `MigrationBarrier` what `nextBarrierMessage()` says.
extension Endpoint {
    // MARK: Commands

    /// Has every connection prepare for a move. What each of them has to say comes from ``nextBarrierMessage()``,
    /// the census of this event loop first. A connection whose handshake completes later joins the plan.
    ///
    /// A newer plan takes the place of one that is open.
    ///
    /// - Throws: when the epoch is an old one, or the endpoint is held.
    /// - Returns: whether the command was carried out now or before; repeating it changes nothing.
    @discardableResult
    public func prepareMigration(
        _ plan: MigrationPlan, epoch: MigrationEpoch, now: Instant
    ) throws(EpochLedger.Refusal) -> EpochLedger.Verdict {
        let verdict = try moving.ledger.prepare(epoch)
        if verdict == .accepted { beginPlan(plan, epoch, now: now) }
        return verdict
    }

    /// The last command before a checkpoint. The driver transmits once more until nil, as after every verb: that is
    /// the last word from here. From then on nothing is read, no timer runs and nothing is sent, until
    /// ``networkSwitched(_:to:_:)`` or ``cancelMigration(_:_:)``.
    @discardableResult
    public func holdMigration(
        _ epoch: MigrationEpoch, now: Instant
    ) throws(EpochLedger.Refusal) -> EpochLedger.Verdict {
        let verdict = try moving.ledger.hold(epoch)
        if verdict == .accepted { beginHold(epoch, now: now) }
        return verdict
    }

    /// Whether nothing is read or sent.
    public var isHeld: Bool { environment.standstill == .held }

    /// Goes on where the plan wanted it. It takes the place of ``resume(now:frozen:unixTime:localAddress:entropy:)``.
    ///
    /// - Parameters:
    ///   - locals: where the server is now, at most one address of each family; none for where it was.
    ///   - thaw: time and randomness of this copy of the process.
    @discardableResult
    public func networkSwitched(
        _ epoch: MigrationEpoch, to locals: [NetworkAddress], _ thaw: EndpointThaw
    ) throws(EpochLedger.Refusal) -> EpochLedger.Verdict {
        let verdict = try moving.ledger.networkSwitched(epoch)
        if verdict == .accepted { arrive(epoch, locals, thaw) }
        return verdict
    }

    /// Stays, or goes on where it was before: what clients were told is taken back as far as it can be.
    @discardableResult
    public func cancelMigration(
        _ epoch: MigrationEpoch, _ thaw: EndpointThaw
    ) throws(EpochLedger.Refusal) -> EpochLedger.Verdict {
        let verdict = try moving.ledger.cancel(epoch)
        if verdict == .accepted { callOff(epoch, thaw) }
        return verdict
    }

    /// Changes where the server may move without further notice, for connections there are (with the extension
    /// only) and for those to come.
    public func changeMigrationPool(_ pool: AddressPool, now: Instant) {
        environment.migrationPool = pool
        for connection in table.all { connection.handleServerMigration(.changePool(pool), now: now) }
        settle(now: now)
    }

    // MARK: Queries

    /// The plan under way; nil when there is none.
    public var migrationUnderWay: MigrationEpoch? { moving.ledger.isOpen ? moving.ledger.current : nil }

    /// The connection that a plan or an operator names.
    ///
    /// - Parameter id: the connection id that the client chose first.
    public func connection(named id: ConnectionID) -> Connection? {
        table.all.first { $0.originalDestinationID == id }
    }

    // MARK: What there is to tell

    /// What this event loop has to say to the barrier of the plan under way; to be asked until nil whenever
    /// ``nextEvent()`` is.
    public func nextBarrierMessage() -> BarrierMessage? {
        environment.barrierMessages.isEmpty ? nil : environment.barrierMessages.removeFirst()
    }

    /// What happened to connections in moves of the server; to be asked until nil whenever ``nextEvent()`` is.
    public func nextMigrationNotice() -> MigrationNotice? {
        environment.migrationNotices.isEmpty ? nil : environment.migrationNotices.removeFirst()
    }

    /// Takes the host's or the network's word that `remote` can't be reached. It is a hint, which anyone may forge
    /// where it is the network's: it makes a client look for a server that was to move, and nothing else.
    public func onUnreachable(_ remote: NetworkAddress, now: Instant) {
        for connection in table.all { connection.onUnreachable(remote, now: now) }
        settle(now: now)
    }
}
