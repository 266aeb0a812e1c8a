import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Plans of a server (Specs/server-migration.md 6.5, 7)")
struct PlanTests {
    private let there = MigrationDestination(MovingPair.there)!
    private let elsewhere = MigrationDestination(MovingPair.elsewhere)!

    private func readiness(_ moving: MovingPair) -> MigrationReadiness {
        var barrier = MigrationBarrier(epoch: moving.epoch, loops: 1, latest: moving.pair.now + .seconds(60))
        for message in moving.messages { barrier.receive(message) }
        return barrier.readiness
    }

    @Test("An announcement is acknowledged at once: readiness takes a round trip (3.5.4)")
    func atOnce() throws {
        let moving = MovingPair()
        try moving.establish()
        let start = moving.pair.now
        #expect(try moving.prepare(.explicit(destination: there)) == .ready(.explicit))
        #expect(moving.pair.now - start <= .milliseconds(21))
        #expect(readiness(moving).ready == 1 && readiness(moving).isFinal)
    }

    // Holds: W22
    @Test("A plain client is served on and reported (7.3, 7.1.3)")
    func plainClient() throws {
        let moving = MovingPair(client: ClientMigrationSettings())
        try moving.establish()
        #expect(moving.client.migrationAgreement.isNone && moving.server.migration == nil)
        #expect(try moving.prepare(.explicit(destination: there)) == nil)
        #expect(
            readiness(moving).outcomes == [moving.server.originalDestinationID: .obstructed(.notNegotiated)])
        #expect(readiness(moving).isFinal)
        #expect(try moving.request() != nil)
        moving.server.close(code: 0, reason: "moving", now: moving.pair.now)
        moving.run(for: .seconds(1))
        #expect(readiness(moving).outcomes.values.first == .closed)
    }

    @Test("Neither side says anything to a plain peer: both see version 1 as it is (2.3.1)")
    func plainServer() throws {
        let moving = MovingPair(server: ServerMigrationSettings())
        try moving.establish()
        #expect(moving.client.peerParameters.additional.isEmpty && moving.client.migration == nil)
        let plain = MovingPair(client: ClientMigrationSettings(), server: ServerMigrationSettings())
        try plain.establish()
        #expect(plain.server.peerParameters.additional.isEmpty && plain.server.migration == nil)
    }

    // Holds: W21
    @Test("A handshake that completes while a plan is open joins it (7.4.2)")
    func joins() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.explicit(destination: there))
        let second = try moving.pair.connect { $0.local = NetworkAddress("192.0.2.1:50001")! }
        moving.run(for: .seconds(2)) { second.isConfirmed }
        moving.run(for: .milliseconds(200))
        let outcomes = readiness(moving).outcomes
        #expect(outcomes.count == 2 && outcomes.values.allSatisfy { $0 == .ready(.explicit) })
        #expect(moving.messages.contains(.joined(second.originalDestinationID)))
    }

    @Test("A plan that is called off leaves no trace at the client (6.5.2)")
    func cancelled() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.pair.server.cancelMigration(moving.epoch, moving.nextThaw())
        moving.run(for: .seconds(1))
        #expect(moving.clientEvents.contains(.withdrawn(MovingPair.there)))
        #expect(moving.serverEvents.last == .cancelled(.combined))
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.home)
        #expect(moving.client.migration!.suspendsIdleUntil < moving.pair.now)
    }

    @Test("A server that was held may stay: it goes on where it was (6.5)")
    func calledOffAfterHold() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.run(for: .seconds(2))
        moving.isFrozen = false
        try moving.pair.server.cancelMigration(moving.epoch, moving.nextThaw())
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.home)
        // And moves another time.
        #expect(try moving.prepare(.combined(destination: elsewhere)) == .ready(.combined))
        try moving.move(to: MovingPair.elsewhere)
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.elsewhere)
    }

    @Test("A newer plan sends clients elsewhere (6.5.2)", arguments: [MigrationStrategy.explicit, .combined])
    func retargeted(_ strategy: MigrationStrategy) throws {
        let moving = MovingPair()
        try moving.establish()
        let orders: [MigrationOrder] =
            strategy == .explicit
            ? [.explicit(destination: there), .explicit(destination: elsewhere)]
            : [.combined(destination: there), .combined(destination: elsewhere)]
        for order in orders { #expect(try moving.prepare(order) == .ready(strategy)) }
        try moving.move(to: MovingPair.elsewhere)
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.elsewhere)
    }

    @Test("The pool may change with the extension (6.5.3)")
    func poolChanges() throws {
        let moving = MovingPair(.all, pool: [MovingPair.elsewhere])
        try moving.establish()
        moving.pair.server.changeMigrationPool(AddressPool([MovingPair.there])!, now: moving.pair.now)
        moving.run(for: .milliseconds(200))
        #expect(moving.clientEvents.contains(.withdrawn(MovingPair.elsewhere)))
        #expect(try moving.prepare(.poolOfAddresses) == .ready(.poolOfAddresses))
        try moving.move()
        #expect(try moving.request() != nil)
    }

    // Holds: W14
    @Test("No stateless reset while a plan is open, nor for 30 s after (6.7)")
    func resets() throws {
        let moving = MovingPair()
        try moving.establish()
        func isReset() -> Bool {
            let before = moving.pair.server.statistics.statelessResetsSent
            let id = moving.pair.server.environment.makeConnectionID(at: moving.pair.now)
            let bytes: [UInt8] = [0x40] + id.bytes + [UInt8](repeating: 1, count: 60)
            moving.pair.inject(
                EndpointPair.Flight(
                    at: moving.pair.now, bytes: bytes, remote: EndpointPair.clientAddress,
                    local: moving.address, ecn: .notECT, toServer: true))
            return moving.pair.server.statistics.statelessResetsSent > before
        }
        moving.run(for: .seconds(2))
        #expect(isReset())
        _ = try moving.prepare(.combined(destination: there))
        #expect(!isReset())
        try moving.move()
        _ = try moving.request()
        #expect(!isReset())
        moving.client.keepAlive(true)
        moving.run(for: .seconds(31))
        #expect(isReset())
    }
}
