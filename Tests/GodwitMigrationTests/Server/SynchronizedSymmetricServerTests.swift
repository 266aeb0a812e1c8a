import GodwitMigration
import GodwitWire
import Testing

@Suite("A server that moves by Synchronized Symmetric")
struct SynchronizedSymmetricServerTests {
    @Test("It announces the move without an address, then speaks up (Specs/server-migration.md 4.4.1)")
    func story() throws {
        var server = try ScriptedServer(.synchronizedSymmetric)
        #expect(
            server.handle(.prepare(.synchronizedSymmetric, .first)).outcomes == [
                .preparing(.synchronizedSymmetric)
            ])
        #expect(server.frames == [.serverMigration(.none)])
        #expect(server.acknowledgeAll(server.sent).outcomes == [.ready(.synchronizedSymmetric)])
        server.move(to: .new)
        #expect(server.frames == [.serverMigrated])
        server.handle(.clientPacket(isNonProbing: true))
        #expect(server.handle(.pathResponseAcknowledged).events == [.completed(.synchronizedSymmetric)])
    }

    // Specs/server-migration.md 4.4.3
    @Test(
        "Moved too early, it repeats the announcement: SERVER_MIGRATED would be misunderstood"
    )
    func tooEarly() throws {
        var server = try ScriptedServer(.synchronizedSymmetric)
        server.handle(.prepare(.synchronizedSymmetric, .first))
        let announcement = server.sent
        server.move(to: .new)
        #expect(server.sent == announcement)
        #expect(server.run(for: .milliseconds(200)).allSatisfy { $0.frames == [.serverMigration(.none)] })
        _ = server.acknowledgeAll(announcement)
        server.handle(.clientPacket(isNonProbing: true))
        #expect(server.run(for: .seconds(5)).isEmpty)
    }

    @Test("The thesis's gives up a client that was not told in time (Specs/server-migration.md 9.2)")
    func thesisTooEarly() throws {
        var server = try ScriptedServer(.synchronizedSymmetric, policy: .thesis)
        server.handle(.prepare(.synchronizedSymmetric, .first))
        let actions = server.move(to: .new)
        #expect(actions.contains { if case .close = $0 { true } else { false } })
    }

    @Test(
        "A client that knows that a move is coming can't be told where to (Specs/server-migration.md 6.5.1)")
    func committed() throws {
        var server = try ScriptedServer([.explicit, .synchronizedSymmetric, .symmetric])
        server.handle(.prepare(.synchronizedSymmetric, .first))
        server.handle(.cancel(.first))
        for order in [MigrationOrder.explicit(destination: .new), .symmetric] {
            #expect(server.handle(.prepare(order, .second)).outcomes == [.obstructed(.alreadyAnnounced)])
        }
        #expect(
            server.handle(.prepare(.synchronizedSymmetric, .second)).outcomes == [
                .preparing(.synchronizedSymmetric)
            ])
    }
}
