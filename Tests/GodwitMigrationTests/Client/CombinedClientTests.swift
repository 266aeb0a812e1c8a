import GodwitMigration
import GodwitWire
import Testing

/// The state table of Specs/server-migration.md 6.5.
@Suite("A client and the addresses that its server names")
struct CombinedClientTests {
    private func frame(
        _ address: NetworkAddress, _ number: UInt64, preferred: Bool = false, retired: Bool = false
    ) -> MigrationFrame {
        .alternativeAddress(
            .init(address: address, sequenceNumber: number, isPreferred: preferred, isRetired: retired))
    }

    /// Where the client would send challenges after a probe timeout, and data after an answer.
    private func candidates(_ client: ScriptedClient) throws -> Set<NetworkAddress> {
        var client = client
        return Set(try client.timeOut(after: .seconds(120)).probes).subtracting([client.surroundings.active])
    }

    // Specs/server-migration.md 4.5.1
    // Holds: W18
    @Test(
        "Both families are told, an id is set aside for each, and nothing is sent yet"
    )
    func told() throws {
        var client = try ScriptedClient(.extended)
        let first = try client.receive(frame(.new, 0))
        #expect(first == [.event(.announced), .reserve(.new), .supplyConnectionIDs(2), .event(.told(.new))])
        #expect(try client.receive(frame(.new6, 1)).contains(.reserve(.new6)))
        #expect(try client.run(for: .milliseconds(150)).isEmpty)
        #expect(try candidates(client) == [.new, .new6])
    }

    // Specs/server-migration.md 5.3.3
    // Holds: W6
    @Test(
        "Preferred means now: it is challenged within an interval, and data follows the answer"
    )
    func preferred() throws {
        var delays: Set<Int64> = []
        for seed in 0..<20 {
            var configuration = ClientMigrationConfiguration()
            configuration.policy = .godwit
            var client = try ScriptedClient(.extended)
            client.machine = ClientMigrationMachine(
                agreement: try .of(.extended), configuration: configuration, seed: UInt64(seed))
            try client.receive(frame(.new, 0))
            try client.receive(frame(.new, 1, preferred: true))
            let deadline = try #require(client.machine.deadline)
            #expect(deadline < .zero + ProbeSchedule.firstInterval)
            delays.insert(deadline.nanoseconds)
            _ = try client.run(for: .milliseconds(100))
            try client.handle(.pathValidated(.old, packetNumber: 5))
            #expect(try client.validate(.new).moves == [.new])
        }
        // Not all clients at once.
        #expect(delays.count > 15)
    }

    // Specs/server-migration.md 6.5.5
    @Test(
        "Of two preferred families the first to answer gets the data, and keeps it"
    )
    func bothPreferred() throws {
        for first in [NetworkAddress.new, .new6] {
            var client = try ScriptedClient(.extended)
            try client.receive(frame(.new, 0, preferred: true))
            try client.receive(frame(.new6, 1, preferred: true))
            _ = try client.run(for: .milliseconds(60))
            #expect(try client.validate(first).moves == [first])
            let second = first == .new ? NetworkAddress.new6 : .new
            #expect(try client.validate(second).moves.isEmpty)
            try client.receive(frame(second, 2, preferred: true))
            #expect(try client.run(for: .milliseconds(60)).allSatisfy { $0.actions.probes.isEmpty })
        }
    }

    // Specs/server-migration.md 6.5.6
    // Holds: W19
    @Test(
        "Called off before anything moved, it is as if nothing had been told"
    )
    func cancelledBefore() throws {
        var client = try ScriptedClient(.extended)
        try client.receive(frame(.new, 0))
        try client.receive(frame(.new6, 1))
        try client.timeOut()
        try client.receive(frame(.new, 2, retired: true))
        #expect(client.machine.idleTimeoutSuspended(at: client.now) != nil)
        #expect(
            try client.receive(frame(.new6, 3, retired: true)) == [
                .event(.withdrawn(.new6)), .release(.new6),
            ])
        #expect(client.machine.idleTimeoutSuspended(at: client.now) == nil && client.machine.deadline == nil)
        #expect(try client.validate(.new).moves.isEmpty)
        #expect(try candidates(client).isEmpty)
    }

    // Specs/server-migration.md 6.5.7
    // Holds: W19
    @Test(
        "Called off after the client had followed, it goes back when the old address answers"
    )
    func cancelledAfter() throws {
        var client = try ScriptedClient(.extended)
        try client.receive(frame(.new, 0, preferred: true))
        try client.validate(.new)
        try client.receive(frame(.old, 1, preferred: true))
        let withdrawn = try client.receive(frame(.new, 2, retired: true))
        #expect(withdrawn.contains(.event(.withdrawn(.new))))
        #expect(client.surroundings.active == .new)
        #expect(try client.run(for: .milliseconds(50)).flatMap(\.actions.probes).contains(.old))
        #expect(try client.validate(.old).moves == [.old])
    }

    // Specs/server-migration.md 6.5.8
    @Test(
        "An address that is withdrawn while data goes there is kept when there is no other"
    )
    func lastAddressWithdrawn() throws {
        var client = try ScriptedClient(.extended)
        #expect(try client.receive(frame(.old, 0, retired: true)) == [.event(.withdrawn(.old))])
        #expect(client.surroundings.active == .old)
        // One that is told later is tried at once.
        try client.receive(frame(.new, 1))
        #expect(try candidates(client) == [.new])
    }

    // Holds: W19, W31
    @Test("Re-targeting ends the same in whichever order its frames come (Specs/server-migration.md 6.5.9)")
    func everyOrder() throws {
        let frames = [
            frame(.new, 0), frame(.new6, 1), frame(.newer, 2), frame(.new, 3, retired: true),
            frame(.new6, 4, retired: true), frame(.newer, 5, preferred: true),
        ]
        for order in permutations(frames) {
            var client = try ScriptedClient(.extended)
            for frame in order { try client.receive(frame) }
            #expect(try candidates(client) == [.newer])
        }
    }

    @Test("Withdrawn and named again, the higher number holds (Specs/server-migration.md 6.5.9)")
    func namedAgain() throws {
        let frames = [frame(.new, 0), frame(.new, 1, retired: true), frame(.new, 2), frame(.new, 2)]
        for order in permutations(frames) {
            var client = try ScriptedClient(.extended)
            for frame in order { try client.receive(frame) }
            #expect(try candidates(client) == [.new])
        }
    }

    // Holds: W31
    @Test("No longer preferred, it is not looked for, in whichever order (Specs/server-migration.md 6.5.9)")
    func noLongerPreferred() throws {
        let frames = [frame(.new, 0, preferred: true), frame(.new, 1, retired: true), frame(.new, 2)]
        for order in permutations(frames) {
            var client = try ScriptedClient(.extended)
            for frame in order { try client.receive(frame) }
            #expect(try client.run(for: .seconds(1)).flatMap(\.actions.probes).isEmpty)
            #expect(try client.validate(.new).moves.isEmpty)
            #expect(try candidates(client) == [.new])
        }
    }

    /// All that others see of what a client makes of frames.
    private struct Outcome: Hashable {
        var candidates: Set<NetworkAddress>
        var probed: Set<NetworkAddress>
        var followed: Set<NetworkAddress>
        var asks: Bool
        var waits: Bool
    }

    private func outcome(_ frames: [AlternativeAddressFrame]) throws -> Outcome {
        var client = try ScriptedClient(.extended)
        for frame in frames { try client.receive(.alternativeAddress(frame)) }
        let candidates = try candidates(client)
        let actions = try client.run(for: .milliseconds(300)).flatMap(\.actions)
        let probed = Set(actions.compactMap { if case .probe(let address) = $0 { address } else { nil } })
        let followed = try [NetworkAddress.new, .newer].filter { address in
            var copy = client
            return try copy.validate(address).moves == [address]
        }
        return Outcome(
            candidates: candidates, probed: probed, followed: Set(followed), asks: actions.contains(.ping),
            waits: client.machine.idleTimeoutSuspended(at: client.now) != nil)
    }

    // Holds: W31
    @Test(
        "Whatever is said of two addresses, the order of arrival is nothing (Specs/server-migration.md 6.5.9)"
    )
    func anyFramesInEveryOrder() throws {
        var random = TestRandom(seed: 7)
        for _ in 0..<80 {
            let frames = (0..<3 + random.below(2)).map { number in
                AlternativeAddressFrame(
                    address: random.chance(0.5) ? .new : .newer, sequenceNumber: UInt64(number),
                    isPreferred: random.chance(0.4), isRetired: random.chance(0.3))
            }
            let outcomes = Set(try permutations(frames).map(outcome))
            #expect(outcomes.count == 1, "\(frames)")
        }
    }

    @Test("Preferred and withdrawn at once is withdrawn (Specs/server-migration.md 3.4.2)")
    func bothFlags() throws {
        var client = try ScriptedClient(.extended)
        try client.receive(frame(.new, 0))
        try client.receive(frame(.new, 1, preferred: true, retired: true))
        #expect(try candidates(client).isEmpty)
    }

    // Specs/server-migration.md 6.5.10
    // Holds: W5, W31
    @Test(
        "However much a server says, little is remembered, and nothing old comes back"
    )
    func bounded() throws {
        var client = try ScriptedClient(.extended)
        for index in 0..<500 {
            try client.receive(frame(.other(index), UInt64(2 * index)))
            try client.receive(frame(.other(index), UInt64(2 * index + 1), retired: true))
        }
        for index in 0..<500 { try client.receive(frame(.other(index), UInt64(2 * index))) }
        #expect(try candidates(client).isEmpty)
        try client.receive(frame(.new, 1000))
        #expect(try candidates(client) == [.new])
    }

    // Holds: W2
    @Test("A refused address is not challenged, whatever the flags say (Specs/server-migration.md 5.2.2)")
    func refused() throws {
        var client = try ScriptedClient(.extended)
        let inside = NetworkAddress("192.168.1.1:4433")!
        #expect(
            try client.receive(frame(inside, 0, preferred: true)).events == [.announced, .refused(inside)])
        #expect(try client.run(for: .seconds(1)).allSatisfy { $0.actions.probes.isEmpty })
        #expect(try candidates(client).isEmpty)
    }

    @Test(
        "An address that was withdrawn and left is not tried again (Specs/server-migration.md 6.5.8)"
    )
    func withdrawnAndLeft() throws {
        var client = try ScriptedClient(.extended)
        try client.receive(frame(.new, 0, preferred: true))
        try client.validate(.new)
        try client.receive(frame(.newer, 1))
        #expect(try client.receive(frame(.new, 2, retired: true)).probes.contains(.newer))
        try client.validate(.newer)
        #expect(try candidates(client).isEmpty)
    }

    @Test(
        "Where the server wants the client, its word announces no move (Specs/server-migration.md 6.5.5)"
    )
    func confirmation() throws {
        var client = try ScriptedClient(.extended)
        try client.receive(frame(.new, 0, preferred: true))
        try client.receive(frame(.new6, 1, preferred: true))
        try client.validate(.new)
        for repetition in [frame(.new, 2, preferred: true), frame(.new6, 3, preferred: true)] {
            #expect(!(try client.receive(repetition)).events.contains(.announced))
            #expect(client.machine.idleTimeoutSuspended(at: client.now) == nil)
        }
        #expect(try client.receive(frame(.newer, 4)).events.contains(.announced))
    }

    @Test("A link-local address is reached by the interface in use (Specs/server-migration.md 5.2.6)")
    func linkLocal() throws {
        let here = NetworkAddress(ip: IPAddress(high: 0xfe80 << 48, low: 1, scope: 3), port: 4433)
        let there = NetworkAddress(ip: IPAddress(high: 0xfe80 << 48, low: 2), port: 4433)
        var client = try ScriptedClient(.extended, at: here)
        let reached = NetworkAddress(ip: IPAddress(high: 0xfe80 << 48, low: 2, scope: 3), port: 4433)
        #expect(try client.receive(frame(there, 0)).contains(.reserve(reached)))
        try client.receive(frame(there, 1, preferred: true))
        #expect(try client.run(for: .milliseconds(30)).flatMap(\.actions.probes).contains(reached))
    }

    // Specs/server-migration.md 6.5.3
    // Holds: W5
    @Test(
        "With the extension a pool lives beside other strategies, and changes"
    )
    func poolBeside() throws {
        var client = try ScriptedClient(.all)
        try client.receive(.poolMigrationAddress(MigrationAddress(NetworkAddress.other(1))))
        try client.receive(frame(.new, 0))
        #expect(try candidates(client) == [.other(1), .new])
        try client.receive(frame(.new, 1, retired: true))
        #expect(try candidates(client) == [.other(1)])
        try client.receive(frame(.other(1), 2, retired: true))
        // What was withdrawn stays so, though the pool is told again.
        try client.receive(.poolMigrationAddress(MigrationAddress(ipv4: .other(1), ipv6: .new6)))
        #expect(try candidates(client) == [.new6])
    }
}
