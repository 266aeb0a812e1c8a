import GodwitMigration
import GodwitWire
import Testing

@Suite("A client that follows as the thesis's does")
struct ThesisClientTests {
    private static let toNew = MigrationFrame.serverMigration(MigrationAddress(NetworkAddress.new))

    private func client(_ suite: MigrationSuite = .basic) throws -> ScriptedClient {
        try ScriptedClient(suite) { $0.policy = .thesis }
    }

    // Specs/server-migration.md 9.3
    @Test(
        "Reactive Explicit: the first probe timeout turns it to the new address"
    )
    func reactive() throws {
        var client = try client()
        try client.receive(Self.toNew)
        #expect(try client.timeOut() == [.event(.searching(.silence)), .redirect(to: .new)])
        #expect(try client.timeOut().isEmpty)
        #expect(try client.hear(from: .new) == [.follow(to: .new)])
        #expect(try client.validate(.new) == [.event(.moved(from: .old, to: .new))])
        // And again, to somewhere else.
        try client.receive(.serverMigration(MigrationAddress(NetworkAddress.newer)))
        #expect(try client.timeOut().moves == [.newer])
    }

    // Specs/server-migration.md 9.3
    @Test(
        "Proactive Explicit: the application's word is as good as a probe timeout"
    )
    func proactive() throws {
        var client = try client()
        try client.receive(Self.toNew)
        #expect(try client.handle(.moveNow(largestSent: 7)).moves == [.new])
    }

    // Specs/server-migration.md 9.3
    @Test(
        "A packet from where the server was rolls it back; the next timeout turns it again"
    )
    func rollBack() throws {
        var client = try client()
        try client.receive(Self.toNew)
        try client.timeOut()
        #expect(client.machine.wantsPacket(from: .old, active: .new))
        #expect(try client.hear(from: .old) == [.rollBack(to: .old), .event(.stayed)])
        #expect(try client.timeOut().moves == [.new])
    }

    // Specs/server-migration.md 4.6
    @Test(
        "A packet that is not the highest-numbered non-probing one changes nothing"
    )
    func oldPacket() throws {
        var client = try client()
        try client.receive(Self.toNew)
        try client.timeOut()
        #expect(try client.hear(from: .old, isHighestNonProbing: false).isEmpty)
        #expect(try client.hear(from: .new, isHighestNonProbing: false).isEmpty)
    }

    // Specs/server-migration.md 9.3
    @Test(
        "Pool: another address every probe timeout, and an answer from any of them counts"
    )
    func pool() throws {
        var client = try client(.poolOfAddresses)
        for address in [NetworkAddress.newer, .new] {
            try client.receive(.poolMigrationAddress(MigrationAddress(address)))
        }
        let tried = try (0..<5).flatMap { _ in try client.timeOut().moves }
        #expect(tried == [.old, .new, .newer, .old, .new])
        // An address that had its turn before has answered meanwhile.
        #expect(try client.hear(from: .newer) == [.follow(to: .newer)])
        #expect(try client.validate(.newer) == [.event(.moved(from: .old, to: .newer))])
        // The pool is kept, and the next search begins where the server is now.
        #expect(try client.timeOut().moves == [.newer])
    }

    @Test("Pool: a false alarm rolls back and begins the order anew (Specs/server-migration.md 9.3)")
    func poolFalseAlarm() throws {
        var client = try client(.poolOfAddresses)
        for address in [NetworkAddress.newer, .new] {
            try client.receive(.poolMigrationAddress(MigrationAddress(address)))
        }
        _ = try (0..<2).map { _ in try client.timeOut() }
        #expect(try client.hear(from: .old).moves == [.old])
        #expect(try client.timeOut().moves == [.old])
    }

    @Test("Symmetric: the first packet from elsewhere takes it there (Specs/server-migration.md 9.3)")
    func symmetric() throws {
        for carriesFrame in [true, false] {
            var client = try client(.symmetric)
            #expect(client.machine.admits(.new, active: .old))
            if carriesFrame { try client.receive(.serverMigrated, from: .new) }
            #expect(try client.hear(from: .new) == [.follow(to: .new)])
            // Meanwhile nothing else counts.
            #expect(try client.hear(from: .newer).isEmpty)
            #expect(try client.timeOut().isEmpty)
            #expect(try client.validate(.new).events == [.moved(from: .old, to: .new)])
        }
    }

    @Test("Synchronized Symmetric: only once it was announced (Specs/server-migration.md 9.3)")
    func synchronized() throws {
        var client = try client(.synchronizedSymmetric)
        #expect(try client.hear(from: .new).isEmpty)
        try client.receive(.serverMigration(.none))
        #expect(client.machine.admits(.new, active: .old))
        #expect(try client.hear(from: .new) == [.follow(to: .new)])
        try client.validate(.new)
        #expect(try client.hear(from: .newer).isEmpty)
    }

    @Test("A path that is not validated in time ends the connection (Specs/server-migration.md 9.3)")
    func failure() throws {
        var client = try client(.symmetric)
        try client.hear(from: .new)
        let actions = try client.handle(.pathFailed(.new))
        guard case .close(let error) = actions.first else {
            Issue.record("it is not closed")
            return
        }
        #expect(error.code == .noViablePath)
    }
}
