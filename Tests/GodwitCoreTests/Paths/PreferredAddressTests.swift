import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The server's preferred address (RFC 9000 section 9.6)")
struct PreferredAddressTests {
    private let first = PathID(rawValue: 0)

    private func pair() throws -> ModelPair {
        var pair = try ModelPair()
        pair.server.paths.offerPreferredAddresses([Sample.preferred])
        return pair
    }

    private func exchangeProbes(_ pair: inout ModelPair, at now: Instant) throws {
        for _ in 0..<3 {
            for probe in pair.client.probes(at: now) { try pair.toServer(probe, at: now) }
            for probe in pair.server.probes(at: now) { try pair.toClient(probe, at: now) }
        }
    }

    // Holds: 9000-9.6.2-1, 9000-9.6.2-2, 9000-9.6.2-3, 9000-21.5.3-1
    @Test(
        "The client validates it with probes alone, then moves; the server follows (sections 9.6.1 and 9.6.2)"
    )
    func move() throws {
        var pair = try pair()
        let path = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        let probes = pair.client.probes(at: .ms(1))
        #expect(probes.map(\.to) == [Sample.preferred])
        // Section 21.5.3: nothing but probing frames goes there yet.
        #expect(probes.allSatisfy { !$0.isNonProbing })
        #expect(pair.client.data(at: .ms(1))!.to == Sample.server)
        for probe in probes { try pair.toServer(probe, at: .ms(10)) }
        // Section 9.6.2: the server probes from its preferred address.
        let answers = pair.server.probes(at: .ms(10))
        #expect(answers.count == 1 && answers[0].hasChallenge && answers[0].hasResponse)
        #expect(answers[0].from == Sample.preferred && answers[0].size == 1200)
        #expect(pair.server.data(at: .ms(10))!.from == Sample.server)
        try pair.toClient(answers[0], at: .ms(20))
        #expect(pair.client.paths.activeID == path)
        #expect(pair.client.paths.preferredAddress == .moved)
        for answer in pair.client.probes(at: .ms(20)) { try pair.toServer(answer, at: .ms(30)) }
        #expect(pair.server.paths.activeID == first)
        try pair.toServer(pair.client.data(at: .ms(20))!, at: .ms(30))
        #expect(pair.server.paths.active.local == Sample.preferred)
        #expect(pair.server.paths.preferredAddress == .moved)
    }

    // Holds: 9000-9.6.2-2
    @Test("The server stays where it is until it has validated the path itself (section 9.6.2)")
    func serverWaitsForValidation() throws {
        var pair = try pair()
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        for probe in pair.client.probes(at: .ms(1)) { try pair.toServer(probe, at: .ms(10)) }
        let answer = pair.server.probes(at: .ms(10))[0]
        try pair.toClient(answer, at: .ms(20))
        // The client's data overtakes its answer to the server's challenge.
        try pair.toServer(pair.client.data(at: .ms(20))!, at: .ms(25))
        #expect(pair.server.paths.active.local == Sample.server)
        for probe in pair.client.probes(at: .ms(25)) { try pair.toServer(probe, at: .ms(30)) }
        #expect(pair.server.paths.active.local == Sample.preferred)
    }

    // Holds: 9000-9.6.1-1
    @Test("If it doesn't answer, the client stays with the original address (section 9.6.1)")
    func unreachable() throws {
        var pair = try pair()
        let path = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        run(&pair.client, until: .ms(5000))
        #expect(pair.client.paths.activeID == first)
        #expect(pair.client.paths.preferredAddress == .none)
        #expect(pair.client.actions.contains(.removed(path, .validationFailed)))
    }

    @Test("Having moved, the server drops new packets to its old address (section 9.6.2)")
    func oldAddress() throws {
        var pair = try pair()
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        try exchangeProbes(&pair, at: .ms(1))
        var late = pair.client.data(at: .ms(2))!
        try pair.toServer(late, at: .ms(2))
        #expect(pair.server.paths.active.local == Sample.preferred)
        // A delayed or copied packet to the old address moves nothing back.
        late = pair.client.data(at: .ms(3))!
        late.to = Sample.server
        try pair.toServer(late, at: .ms(3))
        #expect(pair.server.paths.active.local == Sample.preferred)
        let origin = pair.server.paths.receive(
            from: Sample.attacker, to: Sample.server, size: 100, at: .ms(4))
        #expect(origin == .refused)
    }

    @Test("A client that turns back before the server moved is followed back (section 9.3)")
    func turnsBack() throws {
        var pair = try pair()
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        for probe in pair.client.probes(at: .ms(1)) { try pair.toServer(probe, at: .ms(10)) }
        var early = pair.client.data(at: .ms(10))!
        early.to = Sample.preferred
        try pair.toServer(early, at: .ms(10))
        #expect(pair.server.paths.awaitedPeerMove != nil)
        try pair.toServer(pair.client.data(at: .ms(11))!, at: .ms(11))
        #expect(pair.server.paths.awaitedPeerMove == nil)
        #expect(pair.server.paths.active.local == Sample.server)
    }

    // Holds: 9000-9.6.3-1
    @Test("A client that migrates meanwhile tries both server addresses from its new one (section 9.6.3)")
    func clientMigratesMeanwhile() throws {
        var pair = try pair()
        let old = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        let moved = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: false, at: .ms(2))
        #expect(!pair.client.paths.contains(old))
        let probes = pair.client.probes(at: .ms(2))
        #expect(Set(probes.map(\.to)) == [Sample.server, Sample.preferred])
        #expect(probes.allSatisfy { $0.from == Sample.cellular })
        #expect(Set(probes.map(\.destination)).count == 2)
        for probe in probes { try pair.toServer(probe, at: .ms(10)) }
        let answers = pair.server.probes(at: .ms(10))
        // The preferred address answers first: the other attempt is abandoned.
        for answer in answers where answer.from == Sample.preferred { try pair.toClient(answer, at: .ms(20)) }
        #expect(pair.client.paths.active.remote == Sample.preferred)
        #expect(pair.client.paths.active.local == Sample.cellular)
        #expect(!pair.client.paths.contains(moved))
    }

    @Test("The original address answers first: the client goes there, and then on (section 9.6.3)")
    func originalAnswersFirst() throws {
        var pair = try pair()
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        let moved = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: false, at: .ms(2))
        for probe in pair.client.probes(at: .ms(2)) { try pair.toServer(probe, at: .ms(10)) }
        let answers = pair.server.probes(at: .ms(10))
        for answer in answers where answer.from == Sample.server { try pair.toClient(answer, at: .ms(20)) }
        #expect(pair.client.paths.activeID == moved)
        for answer in answers where answer.from == Sample.preferred { try pair.toClient(answer, at: .ms(20)) }
        #expect(pair.client.paths.active.remote == Sample.preferred)
    }

    @Test("At a preferred address the client may migrate though the server wanted none (section 18.2)")
    func migratesAfterwards() throws {
        var pair = try pair()
        pair.client.paths.applyPeerParameters(
            maximumPayload: 1500, disablesActiveMigration: true, maxAckDelay: .milliseconds(25))
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        #expect(throws: MigrationRefusal.disabledByPeer) {
            try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        }
        try exchangeProbes(&pair, at: .ms(2))
        #expect(pair.client.paths.active.remote == Sample.preferred)
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(3))
        #expect(pair.client.paths.activeID == path)
    }

    @Test("A client at its known address meets no limit at the preferred one (section 8)")
    func sameAddressAtPreferred() throws {
        var pair = try pair()
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        var probe = pair.client.probes(at: .ms(1))[0]
        probe.size = 100
        try pair.toServer(probe, at: .ms(10))
        // Only our own address is another one: the client was shown to be where it is.
        #expect(pair.server.paths.all.last?.sendAllowance == .max)
        #expect(pair.server.probes(at: .ms(10)).map(\.size) == [1200])
    }

    // Holds: 9000-8.2.2-6, 9000-9.6.3-2
    @Test("Seen from another address at the preferred one, a client meets the usual limit (section 9.6.3)")
    func otherAddressAtPreferred() throws {
        var pair = try pair()
        _ = try pair.client.paths.usePreferredAddress(Sample.preferred, at: .ms(1))
        var probe = pair.client.probes(at: .ms(1))[0]
        probe.size = 100
        try pair.toServer(probe, as: Sample.attacker, at: .ms(10))
        let answers = pair.server.probes(at: .ms(10))
        #expect(answers.map(\.to) == [Sample.attacker])
        #expect(answers.map(\.size) == [60])
        #expect(answers.allSatisfy { $0.hasResponse && $0.hasChallenge })
        let path = pair.server.paths.all.last!
        #expect(path.sendAllowance == 240)
    }
}
