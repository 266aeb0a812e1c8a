import GodwitMigration
import GodwitWire
import Testing

@Suite("A server's connection and its plan")
struct ServerMigrationMachineTests {
    @Test("A client's migration frame is a violation (Specs/server-migration.md 3.6.1)")
    func received() {
        for frame in [MigrationFrame.serverMigration(.none), .serverMigrated, .poolMigrationAddress(.none)] {
            #expect(ServerMigrationMachine.refusal(of: frame).code == .protocolViolation)
            #expect(MigrationMachine.refusal(of: frame).code == .protocolViolation)
        }
        let unknown = MigrationFrame.alternativeAddress(.init(address: .new, sequenceNumber: 0))
        #expect(MigrationMachine.refusal(of: unknown).code == .frameEncodingError)
    }

    // Holds: W22
    @Test("A client without the extension is an obstacle, and is left alone (Specs/server-migration.md 7.3)")
    func withoutExtension() throws {
        var server = try ScriptedServer([])
        let actions = server.handle(.prepare(.explicit(destination: .new), .first))
        #expect(actions.outcomes == [.obstructed(.notNegotiated)])
        #expect(actions.count == 1 && server.frames.isEmpty)
    }

    // Holds: W22
    @Test("A connection in its handshake joins when it is confirmed (Specs/server-migration.md 7.4.2)")
    func joinsLater() throws {
        var server = try ScriptedServer(.explicit, isConfirmed: false)
        #expect(
            server.handle(.prepare(.explicit(destination: .new), .first)).outcomes
                == [.obstructed(.handshakeUnfinished)])
        #expect(server.frames.isEmpty)
        #expect(server.handle(.handshakeConfirmed).outcomes == [.preparing(.explicit)])
        #expect(server.frames.count == 1)
        #expect(server.acknowledgeAll(server.sent).outcomes == [.ready(.explicit)])
    }

    // Specs/server-migration.md 7.4.2
    @Test(
        "A plan that is called off while the handshake is under way is forgotten"
    )
    func calledOffEarly() throws {
        var server = try ScriptedServer(.explicit, isConfirmed: false)
        server.handle(.prepare(.explicit(destination: .new), .first))
        server.handle(.cancel(.first))
        #expect(server.handle(.handshakeConfirmed).isEmpty && server.frames.isEmpty)
    }

    // Specs/server-migration.md 7.4.1
    @Test(
        "A client that moves has to be found again before its connection is ready"
    )
    func clientMoves() throws {
        var server = try ScriptedServer(.symmetric)
        server.handle(.prepare(.symmetric, .first))
        server.surroundings.remote = .other(1)
        server.surroundings.isRemoteValidated = false
        #expect(server.handle(.clientMoved).outcomes == [.clientMoving(.symmetric)])
        #expect(server.handle(.pathValidated(.client)).isEmpty)
        #expect(server.handle(.pathValidated(.other(1))).outcomes == [.ready(.symmetric)])
    }

    @Test("A client that moves to another family may lose its destination (Specs/server-migration.md 7.4.1)")
    func clientChangesFamily() throws {
        var server = try ScriptedServer(.explicit)
        server.handle(.prepare(.explicit(destination: .new), .first))
        server.surroundings.local = .old6
        #expect(server.handle(.clientMoved).outcomes == [.obstructed(.unusableDestination)])
    }

    @Test("A connection that closes says so, whatever it was before (Specs/server-migration.md 7.4.3)")
    func closes() throws {
        for (steps, strategy) in [(0, MigrationStrategy.symmetric), (1, .symmetric)] {
            var server = try ScriptedServer(.symmetric)
            server.handle(.prepare(.symmetric, .first))
            if steps == 1 { server.move(to: .new) }
            let actions = server.handle(.closed)
            #expect(actions.outcomes == [.closed])
            #expect(actions.events == [.failed(strategy, .closed)])
            #expect(server.handle(.closed).isEmpty)
        }
    }

    @Test("A connection that has not arrived can't be moved again (Specs/server-migration.md 7.3)")
    func underWay() throws {
        var server = try ScriptedServer(.symmetric)
        server.handle(.prepare(.symmetric, .first))
        server.move(to: .new)
        #expect(server.handle(.prepare(.symmetric, .second)).outcomes == [.obstructed(.moveUnderWay)])
        #expect(server.machine.awaitsClient)
    }

    @Test("A connection that the plan does not name says so (Specs/server-migration.md 7.1.3)")
    func notNamed() throws {
        var server = try ScriptedServer(.symmetric)
        #expect(server.handle(.leaveOut(.first)).outcomes == [.obstructed(.notPlanned)])
    }

    // Specs/server-migration.md 6.6.6
    // Holds: W15
    @Test(
        "An image older than what the client has seen closes the connection, with that reason",
        arguments: [false, true])
    func stale(isFollowed: Bool) throws {
        var server = try ScriptedServer(.symmetric)
        server.handle(.prepare(.symmetric, .first))
        #expect(server.handle(.unsentPacketAcknowledged).isEmpty)
        server.move(to: .new)
        if isFollowed {
            #expect(server.handle(.pathResponseAcknowledged).events == [.completed(.symmetric)])
        }
        let actions = server.handle(.unsentPacketAcknowledged)
        #expect(actions.events == [.failed(.symmetric, .stale)])
        guard case .close(let error) = actions.last else {
            Issue.record("it is not closed")
            return
        }
        #expect(error.reason.hasPrefix("stale"))
    }

    @Test(
        "It is not ready before the client has issued an id for the place where it goes (Specs/server-migration.md 7.2.5)"
    )
    func spareID() throws {
        var server = try ScriptedServer([.symmetric, .extended])
        server.surroundings.hasSpareID = false
        #expect(server.handle(.prepare(.symmetric, .first)).outcomes == [.preparing(.symmetric)])
        server.surroundings.hasSpareID = true
        #expect(server.handle(.connectionIDsIssued).outcomes == [.ready(.symmetric)])
        #expect(server.handle(.connectionIDsIssued).isEmpty)
        // The thesis's client issues none for that.
        var plain = try ScriptedServer(.symmetric)
        plain.surroundings.hasSpareID = false
        #expect(plain.handle(.prepare(.symmetric, .first)).outcomes == [.ready(.symmetric)])
    }

    @Test("Reports are numbered, also over several plans (Specs/server-migration.md 7.2.2)")
    func revisions() throws {
        var server = try ScriptedServer(.symmetric)
        var revisions: [UInt32] = []
        for epoch in 1...5 {
            let actions = server.handle(.prepare(.symmetric, MigrationEpoch(rawValue: UInt64(epoch))))
            for case .report(let report) in actions { revisions.append(report.revision) }
            server.handle(.cancel(MigrationEpoch(rawValue: UInt64(epoch))))
        }
        #expect(revisions == [1, 2, 3, 4, 5])
    }

    // Holds: W15
    @Test("After a thaw no two copies choose alike (Specs/server-migration.md 6.6.3)")
    func freshRandomness() throws {
        func times(seed: UInt64) throws -> [Instant] {
            var server = try ScriptedServer([.symmetric, .extended])
            server.handle(.prepare(.symmetric, .first))
            server.surroundings.local = .new
            server.handle(.networkSwitched(.first, ServerThaw(clientAddresses: [.client], seed: seed)))
            return server.run(for: .milliseconds(200)).map(\.time)
        }
        #expect(try times(seed: 1) == times(seed: 1))
        #expect(try times(seed: 1) != times(seed: 2))
    }

    @Test("The door offers what the machine has")
    func door() throws {
        var machine = MigrationMachine.off
        #expect(
            machine.frameToSend == nil && machine.deadline == nil && !machine.wantsImmediateAcknowledgement)
        var server = ServerMigrationMachine(agreement: try .of(.explicit), seed: 1)
        var actions = ServerMigrationActions()
        let surroundings = ServerSurroundings(local: .old, remote: .client)
        server.handle(.handshakeConfirmed, in: surroundings, now: .zero, actions: &actions)
        server.handle(
            .prepare(.explicit(destination: .new), .first), in: surroundings, now: .zero, actions: &actions)
        machine = .server(server)
        let frame = try #require(machine.frameToSend)
        #expect(machine.wantsImmediateAcknowledgement)
        machine.onFrameSent(frame.id)
        #expect(machine.frameToSend == nil)
    }
}
