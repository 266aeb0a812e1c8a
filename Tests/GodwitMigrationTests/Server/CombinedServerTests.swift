import GodwitMigration
import GodwitWire
import Testing

@Suite("A server that moves by the combined strategy")
struct CombinedServerTests {
    private func frame(
        _ address: NetworkAddress, _ number: UInt64, preferred: Bool = false, retired: Bool = false
    ) -> MigrationFrame {
        .alternativeAddress(
            .init(address: address, sequenceNumber: number, isPreferred: preferred, isRetired: retired))
    }

    // Specs/server-migration.md 4.5.1 to 4.5.4
    // Holds: W8, W18
    @Test(
        "It names destinations of both families, says when it goes and that it has arrived"
    )
    func story() throws {
        var server = try ScriptedServer(.extended)
        let prepared = server.handle(.prepare(.combined(destination: .both), .first))
        #expect(prepared.contains(.supplyConnectionIDs(3)))
        #expect(server.frames == [frame(.new, 0), frame(.new6, 1)])
        #expect(server.acknowledgeAll(server.sent).outcomes == [.ready(.combined)])
        // Specs/server-migration.md 6.3.1: the last word before the freeze.
        server.handle(.hold(.first))
        #expect(server.frames == [frame(.new, 2, preferred: true), frame(.new6, 3, preferred: true)])
        #expect(server.machine.outcome == .ready(.combined))
        #expect(server.move(to: .new).probes == [.client])
        #expect(
            server.frames == [
                frame(.new, 4, preferred: true), frame(.new6, 5, preferred: true), .serverMigrated,
            ])
        #expect(server.handle(.clientPacket(isNonProbing: true)).events == [.completed(.combined)])
    }

    // Specs/server-migration.md 2.4
    @Test(
        "A client of the draft is named addresses and challenged, and told nothing else"
    )
    func draft() throws {
        var server = try ScriptedServer([], draft: true)
        server.handle(.prepare(.combined(destination: .new), .first))
        #expect(server.frames == [frame(.new, 0)])
        _ = server.acknowledgeAll(server.sent)
        #expect(server.move(to: .new).probes == [.client])
        #expect(server.frames == [frame(.new, 1, preferred: true)])
    }

    @Test("A client of the thesis can't be moved that way (Specs/server-migration.md 4.5.1)")
    func basic() throws {
        var server = try ScriptedServer(.basic)
        #expect(
            server.handle(.prepare(.combined(destination: .new), .first)).outcomes
                == [.obstructed(.strategyNotNegotiated)])
    }

    // Holds: W19
    @Test("Re-targeted before the freeze, the old destination is withdrawn (Specs/server-migration.md 6.5.2)")
    func retarget() throws {
        var server = try ScriptedServer(.extended)
        server.handle(.prepare(.combined(destination: .new), .first))
        let first = server.sent
        server.handle(.prepare(.combined(destination: .newer), .second))
        #expect(server.frames == [frame(.newer, 1), frame(.new, 2, retired: true)])
        let second = server.sent
        // A late acknowledgement of what no longer holds is of no use.
        #expect(server.acknowledgeAll(first).isEmpty)
        #expect(server.handle(.frameAcknowledged(second[0].id)).outcomes == [.ready(.combined)])
        server.move(to: .newer, epoch: .second)
        #expect(server.frames == [frame(.newer, 3, preferred: true), .serverMigrated])
    }

    // Holds: W19
    @Test("Called off before the freeze, every destination is withdrawn (Specs/server-migration.md 6.5.2)")
    func cancel() throws {
        var server = try ScriptedServer(.extended)
        server.handle(.prepare(.combined(destination: .both), .first))
        #expect(server.handle(.cancel(.second)).isEmpty)
        #expect(server.handle(.cancel(.first)).events == [.cancelled(.combined)])
        #expect(server.frames == [frame(.new, 2, retired: true), frame(.new6, 3, retired: true)])
        #expect(server.machine.outcome == nil)
    }

    @Test("When it has moved on, the place before is withdrawn (Specs/server-migration.md 6.5.4)")
    func movedOn() throws {
        var server = try ScriptedServer(.extended)
        server.handle(.prepare(.combined(destination: .new), .first))
        server.move(to: .new)
        _ = server.acknowledgeAll(server.sent)
        server.handle(.clientPacket(isNonProbing: true))
        server.handle(.prepare(.combined(destination: .newer), .second))
        // It has not left yet.
        #expect(server.frames == [frame(.newer, 2)])
        server.move(to: .newer, epoch: .second)
        #expect(
            server.frames == [
                frame(.newer, 3, preferred: true), frame(.new, 4, retired: true), .serverMigrated,
            ])
    }

    // Holds: W19
    @Test("Called off where it has moved to, it keeps that place (Specs/server-migration.md 6.5.4)")
    func calledOffAfterMove() throws {
        var server = try ScriptedServer(.extended)
        server.handle(.prepare(.combined(destination: .new), .first))
        server.move(to: .new)
        _ = server.acknowledgeAll(server.sent)
        server.handle(.clientPacket(isNonProbing: true))
        server.handle(.prepare(.combined(destination: .newer), .second))
        server.handle(.cancel(.second))
        #expect(server.frames == [frame(.newer, 3, retired: true)])
    }

    // Specs/server-migration.md 6.5.2
    @Test(
        "A place that is named again after it was withdrawn has the higher number"
    )
    func backAndForth() throws {
        var server = try ScriptedServer([.explicit, .extended])
        for (index, destination) in [MigrationDestination.new, .newer, .new, .newer].enumerated() {
            server.handle(
                .prepare(.explicit(destination: destination), MigrationEpoch(rawValue: UInt64(index + 1))))
        }
        let numbers = server.frames.compactMap { frame -> UInt64? in
            guard case .alternativeAddress(let frame) = frame, frame.address == .newer else { return nil }
            return frame.isRetired ? nil : frame.sequenceNumber
        }
        #expect(numbers.count == 1 && numbers[0] > 3)
    }
}
