import GodwitCore
public import GodwitMigration
import GodwitWire

// A simulated server that moves. The network's `freeze` and `thaw(_:movingTo:clockJump:)` are the checkpoint and the
// restore; these are the commands of an operator.
extension EndpointProgram {
    /// Has every connection prepare for a move.
    ///
    /// - Throws: when the epoch is an old one, or the server is held.
    public func prepareMigration(_ plan: MigrationPlan, epoch: MigrationEpoch) throws(EpochLedger.Refusal) {
        try command { endpoint throws(EpochLedger.Refusal) in
            try endpoint.prepareMigration(plan, epoch: epoch, now: now)
        }
    }

    /// The last command before the freeze.
    ///
    /// - Parameters:
    ///   - epoch: the plan.
    ///   - leftBehind: connections to close first, by the id that the client chose first.
    /// - Throws: when there is no such plan.
    public func holdMigration(
        _ epoch: MigrationEpoch, closing leftBehind: [ConnectionID] = []
    ) throws(EpochLedger.Refusal) {
        try command { endpoint throws(EpochLedger.Refusal) in
            for id in leftBehind {
                endpoint.connection(named: id)?.close(code: 0, reason: "the server moves", now: now)
            }
            return try endpoint.holdMigration(epoch, now: now)
        }
    }

    /// Calls a plan off and stays.
    ///
    /// - Throws: when there is no such plan.
    public func cancelMigration(_ epoch: MigrationEpoch) throws(EpochLedger.Refusal) {
        var random = host.random("calling off \(epoch.rawValue)")
        let entropy = Entropy(seed: random.bytes(32))
        try command { endpoint throws(EpochLedger.Refusal) in
            try endpoint.cancelMigration(epoch, EndpointThaw(now: now, unixTime: unixTime, entropy: entropy))
        }
    }

    private func command(
        _ body: (Endpoint) throws(EpochLedger.Refusal) -> EpochLedger.Verdict
    ) throws(EpochLedger.Refusal) {
        // Typed throws don't pass through rethrowing functions.
        let result = operate { endpoint in
            Result { () throws(EpochLedger.Refusal) in try body(endpoint) }
        }
        _ = try result.get()
        host.serve()
    }

    /// What the server has to say to the barrier of its plan.
    public func nextBarrierMessage() -> BarrierMessage? { endpoint.nextBarrierMessage() }

    /// What happened to connections in moves of the server.
    public func nextMigrationNotice() -> MigrationNotice? { endpoint.nextMigrationNotice() }

    /// Ends the plan under way with the server where it is now; false when there is none.
    func goOnWithPlan(_ thaw: EndpointThaw, _ localAddress: NetworkAddress?) -> Bool {
        guard let epoch = endpoint.migrationUnderWay else { return false }
        let locals = localAddress == nil ? [] : host.addresses
        return (try? endpoint.networkSwitched(epoch, to: locals, thaw)) != nil
    }
}
