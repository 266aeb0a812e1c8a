import GodwitMigration
import GodwitWire
import Testing

@Suite("A server that moves by Symmetric")
struct SymmetricServerTests {
    // Specs/server-migration.md 4.3.1, 4.3.2
    @Test(
        "It is ready at once, and says SERVER_MIGRATED where it goes on"
    )
    func story() throws {
        var server = try ScriptedServer(.symmetric)
        #expect(server.handle(.prepare(.symmetric, .first)).outcomes == [.ready(.symmetric)])
        #expect(server.frames.isEmpty)
        server.move(to: .new)
        #expect(server.frames == [.serverMigrated])
        #expect(server.actions.probes.isEmpty && !server.machine.mayProbe)
        server.handle(.clientPacket(isNonProbing: true))
        #expect(server.run(for: .seconds(10)).isEmpty)
        #expect(server.handle(.pathResponseAcknowledged).events == [.completed(.symmetric)])
    }

    // Specs/server-migration.md 6.2.3
    // Holds: W11
    @Test(
        "It repeats SERVER_MIGRATED until the client's first packet, and not on loss"
    )
    func repetition() throws {
        var server = try ScriptedServer(.symmetric)
        server.handle(.prepare(.symmetric, .first))
        server.surroundings.hasDataToSend = true
        server.move(to: .new)
        let migrated = server.sent[0].id
        server.handle(.frameLost(migrated))
        #expect(server.frames.isEmpty)
        let repeated = server.run(for: .seconds(1))
        #expect((34...45).contains(repeated.count))
        #expect(repeated.allSatisfy { $0.frames == [.serverMigrated] && $0.actions.isEmpty })
        server.handle(.clientPacket(isNonProbing: false))
        #expect(server.run(for: .seconds(60)).isEmpty)
    }

    @Test("It does not go on for ever (Specs/server-migration.md 5.5.1)")
    func bounded() throws {
        var server = try ScriptedServer(.symmetric)
        server.handle(.prepare(.symmetric, .first))
        server.move(to: .new)
        #expect(server.run(for: .seconds(60)).count <= 64)
    }

    // Specs/server-migration.md 9.2
    @Test(
        "The thesis's says it once, and only when there is nothing else to send"
    )
    func thesis() throws {
        for hasData in [false, true] {
            var server = try ScriptedServer(.symmetric, policy: .thesis)
            server.handle(.prepare(.symmetric, .first))
            server.surroundings.hasDataToSend = hasData
            server.move(to: .new)
            #expect(server.frames == (hasData ? [] : [.serverMigrated]))
            if let frame = server.sent.first { server.handle(.frameLost(frame.id)) }
            #expect(server.frames.isEmpty && server.run(for: .seconds(60)).isEmpty)
        }
    }

    // Specs/server-migration.md 6.3.2
    // Holds: W8, W11
    @Test(
        "With the extension it challenges the client too, until that answers"
    )
    func extended() throws {
        var server = try ScriptedServer([.symmetric, .extended])
        server.handle(.prepare(.symmetric, .first))
        #expect(server.move(to: .new).probes == [.client])
        #expect(server.frames == [.serverMigrated] && server.machine.mayProbe)
        let log = server.run(for: .milliseconds(100))
        #expect(log.count >= 3 && log.allSatisfy { $0.actions.probes == [.client] })
        // Its answer comes in a packet that is nothing but a probe.
        server.handle(.clientPacket(isNonProbing: false))
        server.handle(.pathValidated(.client))
        // The client receives, but has not moved: it is told on, not challenged.
        #expect(
            server.run(for: .milliseconds(100)).allSatisfy {
                $0.actions.isEmpty && $0.frames == [.serverMigrated]
            })
        #expect(server.handle(.clientPacket(isNonProbing: true)).events == [.completed(.symmetric)])
        #expect(server.machine.deadline == nil)
    }

    // Holds: W29
    @Test("Every known address of the client is challenged (Specs/server-migration.md 6.3.3)")
    func severalAddresses() throws {
        var server = try ScriptedServer([.symmetric, .extended])
        server.handle(.prepare(.symmetric, .first))
        server.surroundings.local = .new
        let addresses = (0..<6).map { NetworkAddress.other($0) }
        let thaw = ServerThaw(clientAddresses: addresses, seed: 1)
        #expect(server.handle(.networkSwitched(.first, thaw)).probes == Array(addresses.prefix(4)))
    }

    @Test("A client's ports at one host share its budget, in turn (Specs/server-migration.md 5.5.1, 6.3.3)")
    func portsOfOneHost() throws {
        var server = try ScriptedServer([.symmetric, .extended])
        server.handle(.prepare(.symmetric, .first))
        server.surroundings.local = .new
        let ports = (1...4).map { NetworkAddress(ip: NetworkAddress.client.ip, port: 50000 + UInt16($0)) }
        let first = server.handle(.networkSwitched(.first, ServerThaw(clientAddresses: ports, seed: 1)))
            .probes
        let probes = first + server.run(for: .seconds(59)).flatMap(\.actions.probes)
        #expect((50...64).contains(probes.count))
        // What comes one at a time goes to each of them.
        #expect(Set(probes.suffix(4)).count == 4)
    }

    // Specs/server-migration.md 6.3.6
    @Test(
        "A connection without a plan speaks up too, where the client may be able to follow"
    )
    func unplanned() throws {
        for (suite, frames) in [
            (MigrationSuite.all, [MigrationFrame.serverMigrated]), (.symmetric, [.serverMigrated]),
            (.explicit, []),
            ([], []),
        ] {
            var server = try ScriptedServer(suite)
            server.move(to: .new)
            #expect(server.frames == frames)
        }
    }
}
