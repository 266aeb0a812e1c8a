import GodwitMigration
import GodwitWire
import Testing

@Suite("A client that is never worse off for having been told")
struct GodwitClientTests {
    private static let toNew = MigrationFrame.serverMigration(MigrationAddress(NetworkAddress.new))

    private func pool(_ addresses: NetworkAddress...) -> [MigrationFrame] {
        addresses.map { .poolMigrationAddress(MigrationAddress($0)) }
    }

    // MARK: Explicit

    // Specs/server-migration.md 5.1, 5.3.1
    // Holds: W1, W2, W12
    @Test(
        "Told where to, it sets an id aside; after a probe timeout it challenges, and data follows the answer"
    )
    func explicit() throws {
        var client = try ScriptedClient(.explicit)
        let told = try client.receive(Self.toNew)
        #expect(told == [.event(.announced), .reserve(.new), .supplyConnectionIDs(30), .event(.told(.new))])
        #expect(try client.run(for: .milliseconds(150)).isEmpty)
        let searching = try client.timeOut()
        #expect(searching == [.event(.searching(.silence)), .probe(.new)])
        client.surroundings.awaitsAcknowledgement = true
        let actions = try client.run(for: .milliseconds(500)).flatMap(\.actions)
        #expect(actions.allSatisfy { $0 == .probe(.new) } && (16...25).contains(actions.count))
        #expect(client.surroundings.active == .old)
        #expect(
            try client.validate(.new) == [
                .switchPath(to: .new), .event(.moved(from: .old, to: .new)),
            ])
        #expect(try client.run(for: .seconds(60)).isEmpty)
    }

    // Holds: W1
    @Test(
        "A false alarm ends with the first answer from where the server was (Specs/server-migration.md 5.3.6)"
    )
    func falseAlarm() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        try client.timeOut()
        #expect(client.machine.wantsAcknowledgements)
        // What was sent before the alarm says nothing about the time since.
        #expect(try client.handle(.acknowledgement(largest: 100, from: .old)).isEmpty)
        #expect(try client.handle(.acknowledgement(largest: 101, from: .old)) == [.event(.stayed)])
        #expect(!client.machine.wantsAcknowledgements)
        #expect(try client.run(for: .seconds(59)).allSatisfy { $0.actions == [.ping] })
        // A late answer of the candidate does not move anything either.
        #expect(try client.validate(.new).moves.isEmpty)
        // The next alarm is one again.
        #expect(try client.timeOut().probes == [.new])
    }

    // Specs/server-migration.md 5.1.3
    // Holds: W1, W9
    @Test(
        "A candidate that never answers changes nothing, for as long as it takes"
    )
    func deadCandidate() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        for _ in 0..<20 {
            try client.timeOut()
            _ = try client.run(for: .seconds(30))
            try client.handle(.pathFailed(.new))
        }
        #expect(client.surroundings.active == .old)
        try client.timeOut()
        #expect(try client.validate(.new).moves == [.new])
    }

    // Holds: W6
    @Test("The application may say when, without any probe timeout (Specs/server-migration.md 5.3.5)")
    func proactive() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        #expect(
            try client.handle(.moveNow(largestSent: 5)) == [.event(.searching(.application)), .probe(.new)])
        // The old address still answers: that is no reason to stay.
        #expect(try client.handle(.acknowledgement(largest: 9, from: .old)).isEmpty)
        #expect(try client.validate(.new).moves == [.new])
    }

    // Holds: W10
    @Test("A path of 600 ms is found like any other (Specs/server-migration.md 5.4)")
    func longPath() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        try client.timeOut()
        let log = try client.run(for: .milliseconds(600))
        #expect(log.count < 30)
        #expect(try client.validate(.new).moves == [.new])
    }

    @Test("A packet from a told address is a trigger (Specs/server-migration.md 5.3.2)")
    func heardFromTold() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        #expect(client.machine.admits(.new, active: .old) && !client.machine.admits(.newer, active: .old))
        #expect(try client.hear(from: .new) == [.event(.searching(.heard)), .probe(.new)])
        #expect(try client.validate(.new).moves == [.new])
    }

    // MARK: Pool

    // Specs/server-migration.md 4.2.8, 5.4
    // Holds: W3, W4
    @Test(
        "All of a pool is challenged at once, and data stays where it is"
    )
    func wholePool() throws {
        var client = try ScriptedClient(.poolOfAddresses)
        for frame in pool(.new, .newer, .other(50)) { try client.receive(frame) }
        #expect(try client.timeOut().probes == [.new, .newer, .other(50)])
        let log = try client.run(for: .seconds(1))
        for address in [NetworkAddress.new, .newer, .other(50)] {
            #expect((34...45).contains(log.flatMap(\.actions.probes).filter { $0 == address }.count))
        }
        #expect(client.surroundings.active == .old)
        #expect(try client.validate(.newer).moves == [.newer])
    }

    // Holds: W3
    @Test(
        "Eight candidates get half the pace each, and all of five seconds (Specs/server-migration.md 5.4.2)")
    func bigPool() throws {
        var client = try ScriptedClient(.poolOfAddresses)
        for index in 0..<8 { try client.receive(pool(.other(index))[0]) }
        try client.timeOut()
        let log = try client.run(for: .seconds(5))
        for index in 0..<8 {
            let times = log.filter { $0.actions.probes.contains(.other(index)) }.map(\.time)
            // 50 ms and a fifth at first, then a quarter of the time since.
            for (last, next) in zip(times, times.dropFirst()) {
                let bound = max(TimeSpan.milliseconds(60), (last - .zero) * 3 / 10)
                #expect(next - last <= bound)
            }
        }
        #expect(log.flatMap(\.actions.probes).count <= 256)
    }

    // Holds: W3
    @Test("What false alarms leave of the budget goes to all eight in turn (Specs/server-migration.md 5.5.3)")
    func spentPool() throws {
        var client = try ScriptedClient(.poolOfAddresses)
        for index in 0..<8 { try client.receive(pool(.other(index))[0]) }
        for _ in 0..<4 {
            try client.timeOut(after: .seconds(1))
            _ = try client.run(for: .milliseconds(150))
            try client.handle(.acknowledgement(largest: 101, from: .old))
        }
        try client.timeOut(after: .seconds(1))
        let start = client.now
        let log = try client.run(for: .seconds(55))
        #expect(log.flatMap(\.actions.probes).count <= 256)
        for index in 0..<8 {
            let times = log.filter { $0.actions.probes.contains(.other(index)) }.map(\.time)
            let ends = [start] + times + [start + .seconds(55)]
            let longest = zip(ends, ends.dropFirst()).map { $1 - $0 }.max()!
            #expect(longest <= .seconds(20), "\(index) waited for \(longest)")
        }
    }

    // Holds: W2, W3
    @Test(
        "The ports of one host share its budget, and each gets its turn for all of a minute (Specs/server-migration.md 5.5.3)",
        arguments: [2, 4, 8])
    func portsOfOneHost(count: Int) throws {
        let ports = (1...count).map { NetworkAddress(ip: NetworkAddress.new.ip, port: 4430 + UInt16($0)) }
        var client = try ScriptedClient(.poolOfAddresses)
        for port in ports { try client.receive(pool(port)[0]) }
        try client.timeOut()
        let start = client.now
        let log = try client.run(for: .seconds(59))
        #expect((50...64).contains(log.flatMap(\.actions.probes).count + count))
        for port in ports {
            let times = log.filter { $0.actions.probes.contains(port) }.map(\.time)
            #expect(times.prefix { $0 < start + .seconds(5) }.count >= 4, "\(port)")
            let ends = [start] + times + [start + .seconds(59)]
            let longest = zip(ends, ends.dropFirst()).map { $1 - $0 }.max()!
            // A turn of the last eighth comes every 7.5 s, to one port after the other.
            #expect(longest <= .milliseconds(7600) * Int64(count), "\(port) waited for \(longest)")
        }
    }

    // Holds: W4
    @Test("An ordinary probe timeout costs a few challenges and nothing else (Specs/server-migration.md 5.1)")
    func poolFalseAlarm() throws {
        var client = try ScriptedClient(.poolOfAddresses)
        for frame in pool(.new, .newer) { try client.receive(frame) }
        for _ in 0..<50 {
            try client.timeOut(after: .seconds(2))
            _ = try client.run(for: .milliseconds(60))
            let actions = try client.handle(.acknowledgement(largest: 101, from: .old))
            #expect(actions == [.event(.stayed)])
        }
        #expect(client.surroundings.active == .old)
    }

    @Test("After a move the pool is still good, the address in use aside (Specs/server-migration.md 4.2.8)")
    func poolAfterMove() throws {
        var client = try ScriptedClient(.poolOfAddresses)
        for frame in pool(.new, .newer) { try client.receive(frame) }
        try client.timeOut()
        try client.validate(.new)
        #expect(try client.timeOut(after: .seconds(1)).probes == [.newer])
    }

    // MARK: Symmetric

    // Specs/server-migration.md 5.7
    // Holds: W9, W12
    @Test(
        "A server that speaks up elsewhere is challenged before data goes there"
    )
    func symmetric() throws {
        var client = try ScriptedClient(.symmetric)
        #expect(client.machine.admits(.new, active: .old))
        try client.receive(.serverMigrated, from: .new)
        #expect(try client.hear(from: .new) == [.event(.searching(.heard)), .probe(.new)])
        #expect(client.surroundings.active == .old)
        #expect(try client.validate(.new).moves == [.new])
    }

    // RFC 9000 section 9, Specs/server-migration.md 4.3.3
    @Test(
        "Without Symmetric, packets from unknown addresses are dropped"
    )
    func strangers() throws {
        for suite in [MigrationSuite.explicit, .poolOfAddresses, []] {
            #expect(!(try ScriptedClient(suite)).machine.admits(.new, active: .old))
        }
        // Nor from those that nothing would be sent to.
        let inside = NetworkAddress("10.0.0.1:4433")!
        #expect(!(try ScriptedClient(.symmetric)).machine.admits(inside, active: .old))
        #expect(try ScriptedClient(.extended).machine.admits(.new, active: .old))
        #expect(try ScriptedClient([], draft: true).machine.admits(.new, active: .old))
    }

    @Test("Unannounced, only the announcement itself counts from elsewhere (Specs/server-migration.md 4.4.3)")
    func unannounced() throws {
        var client = try ScriptedClient(.synchronizedSymmetric)
        #expect(client.machine.admits(.new, active: .old))
        #expect(try client.hear(from: .new).isEmpty && client.machine.deadline == nil)
        try client.receive(.serverMigration(.none), from: .new)
        #expect(try client.hear(from: .new).probes == [.new])
        #expect(try client.validate(.new).moves == [.new])
    }

    // Holds: W9
    @Test("Copies of packets from somebody else's address move nothing (Specs/server-migration.md 5.7.4)")
    func spoofed() throws {
        var client = try ScriptedClient(.symmetric)
        for index in 0..<20 {
            let spoofed = NetworkAddress.other(index)
            try client.hear(from: spoofed)
            // The server goes on from where it is.
            #expect(client.machine.wantsPacket(from: .old, active: .old))
            try client.hear(from: .old)
            #expect(!client.machine.wantsPacket(from: .old, active: .old))
            // Even one that relays an answer does not get the data.
            #expect(try client.validate(spoofed).moves.isEmpty)
        }
        // Nothing is left of them after a while.
        let released = try client.run(for: .seconds(4)).flatMap(\.actions).filter {
            if case .release = $0 { true } else { false }
        }
        #expect(!released.isEmpty)
        #expect(client.machine.deadline == nil)
    }

    // Holds: W9
    @Test("Not even a search leads data to who relays the server's probes (Specs/server-migration.md 5.7.4)")
    func relayedDuringSearch() throws {
        var client = try ScriptedClient([.explicit, .extended])
        try client.receive(Self.toNew)
        try client.timeOut()
        try client.hear(from: .other(9), isHighestNonProbing: false)
        #expect(try client.validate(.other(9)).moves.isEmpty)
        #expect(try client.validate(.new).moves == [.new])
    }

    // Specs/server-migration.md 5.5.5
    @Test(
        "A search that has spent all it may still answers who speaks up, sparingly"
    )
    func spent() throws {
        var client = try ScriptedClient([.explicit, .extended])
        try client.receive(Self.toNew)
        try client.timeOut()
        _ = try client.run(for: .seconds(7))
        for _ in 0..<3 {
            #expect(
                try client.hear(from: .new).filter { $0 != .event(.searching(.heard)) } == [
                    .probeSparingly(.new)
                ])
        }
        #expect(try client.validate(.new).moves == [.new])
    }

    @Test("Of the addresses that packets come from, four are looked at (Specs/server-migration.md 5.7.3)")
    func fewStrangers() throws {
        var client = try ScriptedClient(.symmetric)
        var released: [NetworkAddress] = []
        for index in 0..<10 {
            for case .release(let address) in try client.hear(from: .other(index)) {
                released.append(address)
            }
        }
        #expect(released == (0..<6).map { .other($0) })
    }

    // Specs/server-migration.md 5.7.2
    @Test(
        "The server probes first and speaks later: its answer is good for a while"
    )
    func probedFirst() throws {
        var client = try ScriptedClient([], draft: true)
        #expect(try client.hear(from: .new, isHighestNonProbing: false).probes == [.new])
        #expect(try client.validate(.new).moves.isEmpty)
        #expect(try client.hear(from: .new, after: .seconds(1)).moves == [.new])
        var late = try ScriptedClient([], draft: true)
        try late.hear(from: .new, isHighestNonProbing: false)
        try late.validate(.new)
        _ = try late.run(for: .seconds(4))
        #expect(try late.hear(from: .new).moves.isEmpty)
    }

    @Test("A server that comes back is followed back (Specs/server-migration.md 5.6.3)")
    func regained() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        try client.timeOut()
        try client.validate(.new)
        #expect(client.machine.admits(.old, active: .new))
        #expect(try client.hear(from: .old).probes == [.old])
        #expect(try client.validate(.old).moves == [.old])
    }

    // Specs/server-migration.md 5.4.5
    @Test(
        "With the extension the present address is challenged as well, less often"
    )
    func home() throws {
        var client = try ScriptedClient([.explicit, .extended])
        try client.receive(Self.toNew)
        #expect(try client.timeOut().probes == [.new, .old])
        let probes = try client.run(for: .seconds(1)).flatMap(\.actions.probes)
        #expect((8...12).contains(probes.filter { $0 == .old }.count))
        #expect(try client.validate(.old) == [.event(.stayed)])
        #expect(try client.run(for: .milliseconds(150)).isEmpty)
    }

    // MARK: Silence

    // Specs/server-migration.md 5.8.1
    // Holds: W7
    @Test(
        "Told of a move, a client that only receives asks when it hears nothing"
    )
    func silentAfterAnnouncement() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        // The download goes on: nothing to ask.
        for _ in 0..<20 {
            client.surroundings.lastHeard = client.now
            client.surroundings.lastElicited = client.now
            #expect(try client.run(for: .milliseconds(50)).allSatisfy { $0.actions.isEmpty })
        }
        let log = try client.run(for: .milliseconds(300)).filter { $0.actions == [.ping] }
        #expect(log.count == 1)
        // The PING is unacknowledged from now on, and its probe timeout is the trigger.
        client.surroundings.awaitsAcknowledgement = true
        #expect(try client.run(for: .milliseconds(200)).allSatisfy { $0.actions.isEmpty })
        #expect(try client.timeOut().probes == [.new])
    }

    // Specs/server-migration.md 5.8.1
    @Test(
        "While the move does not come, it asks less and less often, and no more after a minute"
    )
    func idleAfterAnnouncement() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        var pings = 0
        for _ in 0..<1200 {
            let count = try client.run(for: .milliseconds(100)).filter { $0.actions == [.ping] }.count
            pings += count
            if count > 0 { client.surroundings.lastHeard = client.now }
        }
        #expect((50...70).contains(pings))
        #expect(client.machine.deadline == nil)
    }

    // Holds: W7
    @Test("With a pool, a stall is asked about once (Specs/server-migration.md 5.8.2)")
    func stall() throws {
        var client = try ScriptedClient(.poolOfAddresses)
        try client.receive(pool(.new)[0])
        client.surroundings.lastElicited = .zero + .milliseconds(10)
        client.surroundings.lastHeard = .zero + .milliseconds(10)
        let log = try client.run(for: .seconds(60))
        #expect(log.filter { $0.actions == [.ping] }.count == 1)
        #expect(log.count < 5)
        // An idle connection has no timer; what comes next arms it.
        #expect(client.machine.deadline == nil && client.machine.wantsElicitation)
        client.surroundings.lastElicited = client.now
        client.surroundings.lastHeard = client.now
        try client.handle(.elicited)
        #expect(!client.machine.wantsElicitation)
        #expect(try client.run(for: .seconds(2)).filter { $0.actions == [.ping] }.count == 1)
    }

    // Holds: W26
    @Test("The idle timeout waits for a server that has announced its move (Specs/server-migration.md 5.9.2)")
    func patience() throws {
        var client = try ScriptedClient(.explicit) { $0.patience = .seconds(120) }
        #expect(client.machine.idleTimeoutSuspended(at: client.now) == nil)
        try client.receive(Self.toNew, after: .seconds(5))
        #expect(client.machine.idleTimeoutSuspended(at: client.now) == .zero + .seconds(125))
        #expect(client.machine.idleTimeoutSuspended(at: .zero + .seconds(125)) == nil)
        try client.timeOut()
        try client.validate(.new)
        #expect(client.machine.idleTimeoutSuspended(at: client.now) == nil)
    }

    // Specs/server-migration.md 5.9.1
    // Holds: W14
    @Test(
        "With the extension, a reset from the old place ends the path and not the connection"
    )
    func reset() throws {
        for (suite, survives) in [(MigrationSuite.explicit, false), ([.explicit, .extended], true)] {
            var client = try ScriptedClient(suite)
            var actions = ClientMigrationActions()
            #expect(
                !client.machine.absorbsReset(
                    from: .old, in: client.surroundings, now: client.now, actions: &actions))
            try client.receive(Self.toNew)
            let absorbed = client.machine.absorbsReset(
                from: .old, in: client.surroundings, now: client.now, actions: &actions)
            #expect(absorbed == survives)
            #expect(actions.probes.contains(.new) == survives)
        }
    }

    // MARK: Peers that spend ids

    // Holds: W13
    @Test(
        "A thesis's server is not challenged more often than it has ids (Specs/server-migration.md 5.10)",
        arguments: [1, 2, 4, 8, 30])
    func supply(spareIDs: Int) throws {
        var client = try ScriptedClient(.explicit)
        client.surroundings.spareIDs = spareIDs
        try client.receive(Self.toNew)
        try client.timeOut()
        let log = try client.run(for: .seconds(3)).filter { !$0.actions.probes.isEmpty }
        let times = [Instant.zero] + log.map(\.time)
        for start in times {
            let onTheWay = times.filter { $0 >= start && $0 < start + .milliseconds(600) }.count
            #expect(onTheWay <= max(1, spareIDs))
        }
    }

    // Holds: W13
    @Test(
        "A thesis's server without an id to spare is not challenged at all (Specs/server-migration.md 5.10)")
    func noSupply() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        client.surroundings.spareIDs = 0
        #expect(try client.timeOut().probes.isEmpty)
        client.surroundings.spareIDs = 3
        #expect(try client.run(for: .seconds(1)).contains { $0.actions.probes == [.new] })
    }

    // MARK: The client's own moves

    // Holds: W29
    @Test("Its own move while the server's is announced is a trigger (Specs/server-migration.md 5.3.7)")
    func ownMove() throws {
        var client = try ScriptedClient([.explicit, .extended])
        #expect(try client.handle(.localAddressChanged(largestSent: 3)).isEmpty)
        try client.receive(Self.toNew)
        #expect(
            try client.handle(.localAddressChanged(largestSent: 3)) == [
                .event(.searching(.ownMove)), .probe(.new), .probe(.old),
            ])
    }

    @Test("What the network says of other addresses is no trigger (Specs/server-migration.md 5.3.1)")
    func unreachable() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        #expect(try client.handle(.unreachable(.newer, largestSent: 3)).isEmpty)
        #expect(try client.handle(.unreachable(.old, largestSent: 3)).probes == [.new])
    }

    @Test("A frozen client goes on where it stopped")
    func freeze() throws {
        var client = try ScriptedClient(.explicit)
        try client.receive(Self.toNew)
        try client.timeOut()
        let before = try #require(client.machine.deadline)
        client.machine.resume(shiftedBy: .seconds(3 * 86_400))
        #expect(client.machine.deadline == before + .seconds(3 * 86_400))
    }

    // Specs/server-migration.md 5.5.1
    // Holds: W2
    @Test(
        "However a hostile server tells and withdraws, the victim gets 64 datagrams a minute"
    )
    func hostile() throws {
        var client = try ScriptedClient(.all)
        var times: [Instant] = []
        for round in 0..<600 {
            let number = UInt64(round * 2)
            let told = try client.receive(
                .alternativeAddress(.init(address: .new, sequenceNumber: number, isPreferred: true)))
            times += told.probes.filter { $0 == .new }.map { _ in client.now }
            try client.timeOut()
            for entry in try client.run(for: .milliseconds(150)) {
                times += entry.actions.probes.filter { $0 == .new }.map { _ in entry.time }
            }
            try client.receive(
                .alternativeAddress(.init(address: .new, sequenceNumber: number + 1, isRetired: true)))
            client.now += .milliseconds(50)
        }
        let most = times.indices.map { first in
            times[first...].prefix { $0 < times[first] + .seconds(60) }.count
        }
        #expect((50...64).contains(most.max() ?? 0))
    }
}
