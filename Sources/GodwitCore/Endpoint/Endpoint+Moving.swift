import GodwitCrypto
import GodwitMigration
import GodwitWire

// What the commands of Endpoint+Migration do once the ledger has accepted them.
extension Endpoint {
    private var servers: [Connection] { table.all.filter { $0.role == .server && $0.lifecycle.isOpen } }

    func beginPlan(_ plan: MigrationPlan, _ epoch: MigrationEpoch, now: Instant) {
        moving.resetHold.onPlanOpened()
        let open = OpenMigrationPlan(plan: plan, epoch: epoch)
        environment.plan = open
        let members = servers
        environment.barrierMessages.append(
            .census(
                loop: Int(environment.configuration.shard), connections: members.map(\.originalDestinationID))
        )
        for connection in members {
            connection.join(open, now: now)
            connection.wake()
        }
        settle(now: now)
    }

    func beginHold(_ epoch: MigrationEpoch, now: Instant) {
        for connection in servers {
            connection.fallSilent(epoch, now: now)
        }
        settle(now: now)
        environment.standstill = .falling
    }

    func arrive(_ epoch: MigrationEpoch, _ locals: [NetworkAddress], _ thaw: EndpointThaw) {
        endPlan(thaw)
        let spread = TimeSpan(environment.configuration.server?.migration.spread ?? .zero)
        for connection in table.all {
            let share = Int64(truncatingIfNeeded: environment.random.next() >> 54)
            let delay = spread > .zero ? spread * share / 1024 : .zero
            connection.arrive(epoch, locals, thaw, delay: delay)
        }
        settle(now: thaw.now)
    }

    func callOff(_ epoch: MigrationEpoch, _ thaw: EndpointThaw) {
        let wasHeld = environment.standstill != .none
        endPlan(thaw)
        for connection in table.all { connection.callOff(epoch, thaw, wasHeld: wasHeld) }
        settle(now: thaw.now)
    }

    private func endPlan(_ thaw: EndpointThaw) {
        renew(thaw)
        environment.standstill = .none
        environment.plan = nil
        moving.resetHold.onPlanClosed(at: thaw.now)
    }
}
