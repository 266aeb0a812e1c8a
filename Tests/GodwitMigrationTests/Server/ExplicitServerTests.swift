import GodwitMigration
import GodwitWire
import Testing

@Suite("A server that moves by Explicit")
struct ExplicitServerTests {
    private let order = MigrationOrder.explicit(destination: .new)

    // Specs/server-migration.md 4.1.1
    @Test(
        "It says where it is going to be, is ready when that is acknowledged, and waits for the client"
    )
    func story() throws {
        var server = try ScriptedServer(.explicit)
        #expect(server.handle(.prepare(order, .first)).outcomes == [.preparing(.explicit)])
        #expect(server.frames == [.serverMigration(MigrationAddress(NetworkAddress.new))])
        let announcement = server.sent
        let ready = server.acknowledgeAll(announcement)
        #expect(ready.outcomes == [.ready(.explicit)])
        #expect(ready.events == [.ready(.explicit)])

        // Specs/server-migration.md 6.2.1: silent after the thaw, and no challenge of its own.
        #expect(server.move(to: .new).isEmpty)
        #expect(server.frames.isEmpty && server.machine.deadline == nil && !server.machine.mayProbe)
        #expect(server.handle(.clientPacket(isNonProbing: true)).isEmpty)
        #expect(server.handle(.pathResponseAcknowledged).events == [.completed(.explicit)])
        #expect(server.machine.outcome == nil && !server.machine.awaitsClient)
    }

    @Test("A lost announcement is sent again (Specs/server-migration.md 3.5.3)")
    func loss() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(order, .first))
        let announcement = server.sent
        server.handle(.frameLost(announcement[0].id))
        #expect(server.sent == announcement)
        #expect(server.acknowledgeAll(announcement).outcomes == [.ready(.explicit)])
        server.handle(.frameLost(announcement[0].id))
        #expect(server.frames.isEmpty)
    }

    @Test("It is said again before a loss could be noticed, for a freeze may come first (6.1.4)")
    func repetition() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(order, .first))
        let announcement = server.sent
        let log = server.run(for: .seconds(1))
        #expect(log.map(\.time) == [25, 75, 175].map { .zero + .milliseconds($0) })
        #expect(log.allSatisfy { $0.frames == announcement.map(\.frame) })
        var told = try ScriptedServer(.explicit)
        told.handle(.prepare(order, .first))
        _ = told.acknowledgeAll(told.sent)
        let silence = told.run(for: .seconds(1))
        #expect(silence.allSatisfy { $0.frames.isEmpty })
    }

    @Test("The last word before a freeze goes out three times (6.3.1)")
    func lastWord() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(order, .first))
        let announcement = server.frames
        server.handle(.hold(.first))
        #expect(server.frames == announcement && server.packets == 3 && server.machine.deadline == nil)
        // The extension says of every strategy that it happens now, or at least that it does.
        for (order, last) in [
            (MigrationOrder.symmetric, MigrationFrame.serverMigration(.none)),
            (
                .explicit(destination: .new),
                .alternativeAddress(.init(address: .new, sequenceNumber: 0, isPreferred: true))
            ),
        ] {
            var server = try ScriptedServer(.all)
            server.handle(.prepare(order, .first))
            _ = server.acknowledgeAll(server.sent)
            server.handle(.hold(.first))
            #expect(server.frames == [last] && server.packets == 3)
        }
    }

    // Specs/server-migration.md 3.5.4
    // Holds: W20
    @Test(
        "The announcement leaves a packet number out, so that any peer acknowledges at once"
    )
    func gap() throws {
        var server = try ScriptedServer(.explicit)
        var actions = ServerMigrationActions()
        server.machine.handle(.prepare(order, .first), in: server.surroundings, now: .zero, actions: &actions)
        #expect(server.machine.wantsImmediateAcknowledgement)
        let frame = try #require(server.machine.frameToSend)
        server.machine.onFrameSent(frame.id)
        #expect(!server.machine.wantsImmediateAcknowledgement)
        server.machine.handle(.frameLost(frame.id), in: server.surroundings, now: .zero, actions: &actions)
        #expect(server.machine.wantsImmediateAcknowledgement)
    }

    // Specs/server-migration.md 4.1.2
    @Test(
        "A destination of another family than the client's, or where the server is, is an obstacle"
    )
    func destinations() throws {
        for destination in [NetworkAddress.new6, .old] {
            var server = try ScriptedServer(.explicit)
            let order = MigrationOrder.explicit(destination: MigrationDestination(destination)!)
            #expect(server.handle(.prepare(order, .first)).outcomes == [.obstructed(.unusableDestination)])
            #expect(server.frames.isEmpty)
        }
        // Specs/server-migration.md 6.3.5: with the extension families may change.
        var server = try ScriptedServer([.explicit, .extended])
        let order = MigrationOrder.explicit(destination: MigrationDestination(NetworkAddress.new6)!)
        #expect(server.handle(.prepare(order, .first)).outcomes == [.preparing(.explicit)])
    }

    @Test("A repeated command is answered and changes nothing (Specs/server-migration.md 6.1.3)")
    func repeated() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(order, .first))
        let announcement = server.sent
        #expect(server.handle(.prepare(order, .first)).isEmpty)
        #expect(server.frames.isEmpty)
        // The same under a new number is reported under that number.
        let adopted = server.handle(.prepare(order, .second))
        #expect(
            adopted == [
                .report(.init(epoch: .second, revision: 2, outcome: .preparing(.explicit), time: .zero))
            ])
        #expect(server.acknowledgeAll(announcement).outcomes == [.ready(.explicit)])
    }

    // Specs/server-migration.md 6.5.1
    // Holds: W19
    @Test(
        "Without the extension a client can't be told another destination, before or after calling off"
    )
    func noRetarget() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(order, .first))
        let announcement = server.sent
        _ = server.acknowledgeAll(announcement)
        let other = MigrationOrder.explicit(destination: .newer)
        #expect(server.handle(.prepare(other, .second)).outcomes == [.obstructed(.alreadyAnnounced)])
        #expect(server.frames.isEmpty)
        server.handle(.cancel(.second))
        // The first destination is still good.
        #expect(server.handle(.prepare(order, .init(rawValue: 3))).outcomes == [.preparing(.explicit)])
        #expect(server.frames == [.serverMigration(MigrationAddress(NetworkAddress.new))])
    }

    // Specs/server-migration.md 6.5.2
    // Holds: W19
    @Test(
        "With the extension it is re-targeted and called off by sequence numbers"
    )
    func retarget() throws {
        var server = try ScriptedServer([.explicit, .extended])
        server.handle(.prepare(order, .first))
        #expect(server.frames == [.serverMigration(MigrationAddress(NetworkAddress.new))])
        server.handle(.prepare(.explicit(destination: .newer), .second))
        #expect(
            server.frames == [
                .alternativeAddress(.init(address: .new, sequenceNumber: 0, isRetired: true)),
                .alternativeAddress(.init(address: .newer, sequenceNumber: 1)),
            ])
        // The retirement is sent until it is acknowledged, but readiness does not wait for it.
        let ready = server.handle(.frameAcknowledged(server.sent[1].id))
        #expect(ready.outcomes == [.ready(.explicit)])
        #expect(server.handle(.cancel(.second)).events == [.cancelled(.explicit)])
        #expect(
            server.frames == [.alternativeAddress(.init(address: .newer, sequenceNumber: 2, isRetired: true))]
        )
    }

    // Specs/server-migration.md 6.5.2
    @Test(
        "An announcement that was called off before it was sent is never sent"
    )
    func withdrawnUnsent() throws {
        var server = try ScriptedServer(.explicit)
        var actions = ServerMigrationActions()
        server.machine.handle(.prepare(order, .first), in: server.surroundings, now: .zero, actions: &actions)
        #expect(server.handle(.cancel(.first)).events == [.cancelled(.explicit)])
        #expect(server.frames.isEmpty)
    }

    @Test(
        "A client that has found the server is not told again where it is (Specs/server-migration.md 4.1.5)")
    func noRepetitionAfterFinding() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(order, .first))
        let announcement = server.sent
        server.move(to: .new)
        server.handle(.clientPacket(isNonProbing: true))
        server.handle(.frameLost(announcement[0].id))
        #expect(server.frames.isEmpty)
    }

    @Test(
        "After one move there may be another, to another place (Specs/server-migration.md 4.1.6)",
        arguments: [MigrationSuite.explicit, [.explicit, .extended]])
    func thousandMoves(suite: MigrationSuite) throws {
        var server = try ScriptedServer(suite)
        for index in 1...1000 {
            let epoch = MigrationEpoch(rawValue: UInt64(index))
            let destination = NetworkAddress.other(index % 100)
            server.handle(.prepare(.explicit(destination: MigrationDestination(destination)!), epoch))
            var actions = server.acknowledgeAll(server.sent)
            #expect(actions.outcomes == [.ready(.explicit)])
            server.move(to: destination, epoch: epoch)
            actions = server.acknowledgeAll(server.sent)
            server.handle(.clientPacket(isNonProbing: true))
            server.handle(.pathResponseAcknowledged)
            #expect(server.machine.outcome == nil)
        }
        // Nothing of all this is left but the last word about the present address and the one before.
        #expect(server.frames.isEmpty)
    }
}
