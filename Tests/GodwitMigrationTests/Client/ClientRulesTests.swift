import GodwitMigration
import GodwitWire
import Testing

@Suite("What a server may say to a client")
struct ClientRulesTests {
    private static let toNew = MigrationFrame.serverMigration(MigrationAddress(NetworkAddress.new))
    private static let toNewer = MigrationFrame.serverMigration(MigrationAddress(NetworkAddress.newer))
    private static let announcement = MigrationFrame.serverMigration(.none)
    private static let poolOfNew = MigrationFrame.poolMigrationAddress(MigrationAddress(NetworkAddress.new))
    private static let policies: [MigrationPolicy] = [.godwit, .thesis]

    private func client(_ suite: MigrationSuite, _ policy: MigrationPolicy) throws -> ScriptedClient {
        try ScriptedClient(suite) { $0.policy = policy }
    }

    /// What the last of several frames leads to.
    private func error(
        _ frames: [MigrationFrame], _ suite: MigrationSuite, _ policy: MigrationPolicy,
        from remote: NetworkAddress = .old
    ) throws -> TransportErrorCode? {
        var client = try client(suite, policy)
        for frame in frames.dropLast() { try client.receive(frame) }
        return transportError { try client.receive(frames.last!, from: remote) }?.code
    }

    @Test(
        "Nothing negotiated: every frame is a violation (Specs/server-migration.md 3.6.2)",
        arguments: policies)
    func nothing(policy: MigrationPolicy) throws {
        for frame in [Self.toNew, Self.announcement, Self.poolOfNew, .serverMigrated] {
            #expect(try error([frame], [], policy) == .protocolViolation)
        }
    }

    @Test(
        "A strategy that was not negotiated is a violation (Specs/server-migration.md 3.6.3)",
        arguments: policies)
    func notNegotiated(policy: MigrationPolicy) throws {
        let cases: [(MigrationFrame, MigrationSuite)] = [
            (Self.toNew, .explicit), (Self.announcement, .synchronizedSymmetric),
            (Self.poolOfNew, .poolOfAddresses),
            (.serverMigrated, .symmetric),
        ]
        for (frame, suite) in cases {
            #expect(
                try error([frame], MigrationSuite.basic.subtracting(suite), policy, from: .new)
                    == .protocolViolation)
            #expect(try error([frame], suite, policy, from: .new) == nil)
        }
    }

    @Test(
        "Without the extension, one strategy at a time (Specs/server-migration.md 3.6.4)", arguments: policies
    )
    func anotherUnderWay(policy: MigrationPolicy) throws {
        let frames = [Self.toNew, Self.announcement, Self.poolOfNew]
        for first in frames {
            for second in frames + [.serverMigrated] where second != first {
                let isGood = first == Self.announcement && second == .serverMigrated
                let error = try error([first, second], .basic, policy, from: .newer)
                #expect(error == (isGood ? nil : .protocolViolation))
            }
        }
    }

    // Holds: W5
    @Test("With the extension, announcements add up (Specs/server-migration.md 3.6.5)")
    func anotherUnderWayExtended() throws {
        let frames = [Self.toNew, Self.toNewer, Self.announcement, Self.poolOfNew, .serverMigrated]
        for first in frames {
            for second in frames { #expect(try error([first, second], .all, .godwit, from: .newer) == nil) }
        }
    }

    @Test(
        "A second destination is a violation, the same again is not (Specs/server-migration.md 4.1.4)",
        arguments: policies)
    func secondDestination(policy: MigrationPolicy) throws {
        #expect(try error([Self.toNew, Self.toNew], .explicit, policy) == nil)
        #expect(try error([Self.toNew, Self.toNewer], .explicit, policy) == .protocolViolation)
        let withFamily = MigrationFrame.serverMigration(MigrationAddress(ipv4: .new, ipv6: .new6))
        #expect(try error([Self.toNew, withFamily], .explicit, policy) == .protocolViolation)
    }

    @Test(
        "An address of the wrong family is a violation (Specs/server-migration.md 4.1.2, 4.2.1)",
        arguments: policies)
    func family(policy: MigrationPolicy) throws {
        let v6 = MigrationAddress(NetworkAddress.new6)
        let noPort = MigrationAddress(NetworkAddress(ip: NetworkAddress.new.ip, port: 0))
        for address in [v6, noPort] {
            #expect(try error([.serverMigration(address)], .basic, policy) == .protocolViolation)
            #expect(try error([.poolMigrationAddress(address)], .basic, policy) == .protocolViolation)
        }
        var client = try ScriptedClient(.explicit, at: .old6) { $0.policy = policy }
        #expect(transportError { try client.receive(Self.toNew) }?.code == .protocolViolation)
        try client.receive(.serverMigration(v6))
    }

    @Test(
        "The server's present address is no destination (Specs/server-migration.md 4.1.3)",
        arguments: policies)
    func presentAddress(policy: MigrationPolicy) throws {
        let here = MigrationFrame.serverMigration(MigrationAddress(NetworkAddress.old))
        #expect(try error([here], .explicit, policy) == .protocolViolation)
    }

    // Specs/server-migration.md 4.1.3
    @Test(
        "While it looks for the server there, being told once more is no violation"
    )
    func presentAddressWhileProbing() throws {
        var client = try client(.explicit, .thesis)
        try client.receive(Self.toNew)
        #expect(try client.timeOut().moves == [.new])
        try client.receive(Self.toNew)
        #expect(client.surroundings.active == .new)
    }

    // Holds: W31
    @Test("A destination that was reached may be told once more (Specs/server-migration.md 4.1.5)")
    func toldAfterMove() throws {
        var client = try client(.explicit, .godwit)
        try client.receive(Self.toNew)
        try client.timeOut()
        #expect(try client.validate(.new).moves == [.new])
        #expect(try client.receive(Self.toNew).isEmpty)
        // But not one where the server is without ever having been said to go there.
        let other = MigrationFrame.serverMigration(MigrationAddress(ipv4: .new, ipv6: .new6))
        #expect(transportError { try client.receive(other) }?.code == .protocolViolation)
    }

    // Specs/server-migration.md 3.7.1
    @Test(
        "Frames of packets older than the newest that a move was made by are ignored",
        arguments: policies)
    func oldFrames(policy: MigrationPolicy) throws {
        var client = try client(.basic, policy)
        try client.receive(Self.toNew, number: 10)
        // Each would be a violation if it were new.
        for frame in [Self.toNewer, Self.announcement, .serverMigrated] {
            #expect(try client.receive(frame, number: 9, from: .newer).isEmpty)
            #expect(try client.receive(frame, number: 10, from: .newer).isEmpty)
            var copy = client
            #expect(transportError { try copy.receive(frame, number: 11, from: .newer) } != nil)
        }
    }

    // Specs/server-migration.md 3.7.2, 3.7.3
    // Holds: W31
    @Test(
        "Pool frames come in any order, and with sequence numbers everything does"
    )
    func unordered() throws {
        var client = try client(.basic, .godwit)
        try client.receive(Self.poolOfNew, number: 10)
        let more = MigrationFrame.poolMigrationAddress(MigrationAddress(NetworkAddress.newer))
        #expect(try client.receive(more, number: 9).events == [.told(.newer)])
        var extended = try ScriptedClient([.explicit, .extended])
        try extended.receive(.serverMigrated, number: 10, from: .newer)
        #expect(try extended.receive(Self.toNew, number: 9).events.contains(.told(.new)))
    }

    @Test(
        "SERVER_MIGRATED from where data goes says nothing (Specs/server-migration.md 4.3.4)",
        arguments: policies)
    func arrivedHere(policy: MigrationPolicy) throws {
        #expect(try error([.serverMigrated], .explicit, policy, from: .old) == nil)
    }

    // Specs/server-migration.md 4.2.7
    // Holds: W5
    @Test(
        "Without the extension the pool can't change once the server has moved",
        arguments: policies)
    func poolAfterMove(policy: MigrationPolicy) throws {
        var client = try client(.poolOfAddresses, policy)
        try client.receive(Self.poolOfNew)
        try client.timeOut()
        try client.timeOut()
        try client.hear(from: .new)
        try client.validate(.new)
        #expect(client.surroundings.active == .new)
        try client.receive(Self.poolOfNew)
        let more = MigrationFrame.poolMigrationAddress(MigrationAddress(NetworkAddress.newer))
        #expect(transportError { try client.receive(more) }?.code == .protocolViolation)
    }

    // Holds: W5
    @Test("However many addresses a server names, eight are kept (Specs/server-migration.md 5.2.1)")
    func manyAddresses() throws {
        for suite in [MigrationSuite.poolOfAddresses, .all] {
            var client = try ScriptedClient(suite)
            for index in 0..<200 {
                let frame = MigrationFrame.poolMigrationAddress(MigrationAddress(NetworkAddress.other(index)))
                let events = try client.receive(frame).events
                let expected = index < 8 ? ClientMigrationEvent.told(.other(index)) : .refused(.other(index))
                // What exceeds the limit by far is not even looked at.
                #expect(events == (index < 32 ? [expected] : []))
            }
            #expect(try client.timeOut().probes.filter { $0 != .old }.count == 8)
        }
    }

    @Test("A client of the thesis's keeps 32 of however many (Specs/server-migration.md 5.2.1)")
    func manyAddressesThesis() throws {
        var client = try client(.poolOfAddresses, .thesis)
        for index in 0..<200 {
            try client.receive(.poolMigrationAddress(MigrationAddress(NetworkAddress.other(index))))
        }
        let tried = Set(try (0..<200).flatMap { _ in try client.timeOut().moves })
        #expect(tried.count == 33)
    }

    @Test("An alternative address that was not agreed on is an unknown frame (RFC 9000 section 12.4)")
    func alternativeNotNegotiated() throws {
        let frame = MigrationFrame.alternativeAddress(.init(address: .new, sequenceNumber: 0))
        #expect(try error([frame], .basic, .godwit) == .frameEncodingError)
        #expect(try error([frame], .extended, .godwit) == nil)
        var client = try ScriptedClient([], draft: true)
        #expect(try client.receive(frame).events.contains(.told(.new)))
        #expect(transportError { try client.receive(Self.toNew) }?.code == .protocolViolation)
    }
}
