import GodwitWire
import Testing

@testable import GodwitCore

@Suite("A server whose client moves (RFC 9000 section 9.3)")
struct PathsServerTests {
    private let first = PathID(rawValue: 0)

    // Holds: 9000-9-4, 9000-9.3-1, 9000-9.3-2, 9000-9.3.3-1
    @Test("A client behind a NAT that gave it another port goes on at once (sections 9.3 and 9.4)")
    func rebinding() throws {
        var pair = try ModelPair()
        pair.server.paths.active.congestion.onPersistentCongestion()
        let window = pair.server.paths.active.congestion.window
        try pair.toServer(pair.client.data(at: .ms(10), size: 1000)!, as: Sample.rebound, at: .ms(10))
        #expect(pair.server.paths.active.remote == Sample.rebound)
        let new = pair.server.paths.activeID
        #expect(
            pair.server.actions == [.activeChanged(from: first, to: new, resetCongestion: false)])
        // Section 9.4: only the port changed.
        #expect(pair.server.paths.active.congestion.window == window)
        // Both the new and the previous path are challenged (section 9.3.3).
        let probes = pair.server.probes(at: .ms(10))
        #expect(Set(probes.map(\.to)) == [Sample.rebound, Sample.client])
        #expect(probes.allSatisfy { $0.hasChallenge })
        // The old port leads nowhere any more.
        for probe in probes where probe.to == Sample.rebound {
            try pair.toClient(probe, arrivingAt: Sample.client, at: .ms(20))
        }
        for answer in pair.client.probes(at: .ms(20)) {
            try pair.toServer(answer, as: Sample.rebound, at: .ms(30))
        }
        #expect(pair.server.paths.active.isValidated)
        #expect(pair.server.actions.contains(.validated(new)))
        #expect(pair.server.paths.active.mtu.currentSize == 1200)
        #expect(pair.server.paths.active.rtt.hasSample)
        #expect(pair.server.data(at: .ms(30))?.to == Sample.rebound)
    }

    // Holds: 9000-9.4-2
    @Test("On another network congestion control and RTT start anew (section 9.4)")
    func newNetwork() throws {
        var pair = try ModelPair()
        pair.server.paths.active.congestion.onPersistentCongestion()
        pair.server.paths.active.rtt.addSample(
            .milliseconds(7), ackDelay: .zero, now: .zero, handshakeConfirmed: true, maxAckDelay: .zero)
        try pair.toServer(pair.client.data(at: .ms(10))!, as: Sample.cellular, at: .ms(10))
        let path = pair.server.paths.active
        #expect(path.remote == Sample.cellular)
        #expect(path.congestion.window == 12000)
        #expect(!path.rtt.hasSample)
        #expect(
            pair.server.actions.contains(.activeChanged(from: first, to: path.id, resetCongestion: true)))
    }

    // Holds: 9000-8-1, 9000-8.1-2, 9000-8.2.1-2, 9000-9.3-3
    @Test("No more than three times what came from an unvalidated address goes there (sections 8 and 9.3.1)")
    func amplification() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 100)!, as: Sample.cellular, at: .ms(1))
        let probes = pair.server.probes(at: .ms(1))
        let toNew = probes.filter { $0.to == Sample.cellular }
        // Not padded, because that would exceed the limit (section 8.2.1).
        #expect(toNew.map(\.size) == [60])
        #expect(probes.filter { $0.to == Sample.client }.map(\.size) == [1200])
        var sent = 60
        while let data = pair.server.data(at: .ms(2), size: 50) { sent += data.size }
        #expect(sent == 160)
        // Junk from the same address counts as well (section 8.1).
        _ = pair.server.paths.receive(from: Sample.cellular, to: Sample.server, size: 200, at: .ms(3))
        #expect(pair.server.paths.sendAllowance(on: pair.server.paths.activeID) == 300 - sent + 600)
    }

    @Test("Data leaves room for the challenges that follow a lost one (sections 8.1 and 8.2.1)")
    func reserve() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 1000)!, as: Sample.cellular, at: .ms(1))
        let path = pair.server.paths.activeID
        _ = pair.server.probes(at: .ms(1))
        while pair.server.data(at: .ms(2), size: 50) != nil {}
        #expect(pair.server.paths.active.dataAllowance < 50)
        // With a round trip of 20 ms the probe timeout is 85 ms.
        pair.server.paths.active.rtt.addSample(
            .milliseconds(20), ackDelay: .zero, now: .ms(21), handshakeConfirmed: true, maxAckDelay: .zero)
        pair.server.paths.onFirstSample(on: path)
        var times: [Int64] = []
        while times.count < 9, let deadline = pair.server.paths.deadline, deadline < .ms(900) {
            let probes = pair.server.probes(at: deadline).filter {
                $0.to == Sample.cellular && $0.hasChallenge
            }
            times += probes.map { _ in deadline.nanoseconds / 1_000_000 }
        }
        #expect(times == [86])
    }

    // Holds: 9000-8.2.1-3, 9000-8.2.3-1
    @Test("A small challenge is followed by a padded one, and data flows in between (section 8.2.3)")
    func secondValidation() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 100)!, as: Sample.cellular, at: .ms(1))
        let new = pair.server.paths.activeID
        let small = pair.server.probes(at: .ms(1)).first { $0.to == Sample.cellular }!
        try pair.toClient(small, arrivingAt: Sample.client, at: .ms(20))
        for answer in pair.client.probes(at: .ms(20)) {
            try pair.toServer(answer, as: Sample.cellular, at: .ms(40))
        }
        #expect(pair.server.paths.sendAllowance(on: new) == .max)
        #expect(pair.server.paths[new].isSizeUnproven)
        #expect(pair.server.actions.contains(.validated(new)))
        let padded = pair.server.probes(at: .ms(40)).filter { $0.to == Sample.cellular }
        #expect(padded.map(\.size) == [1200])
        #expect(padded.allSatisfy { $0.hasChallenge })
        try pair.toClient(padded[0], arrivingAt: Sample.client, at: .ms(60))
        for answer in pair.client.probes(at: .ms(60)) {
            try pair.toServer(answer, as: Sample.cellular, at: .ms(80))
        }
        #expect(!pair.server.paths[new].isSizeUnproven)
        #expect(pair.server.paths[new].validation.state == .succeeded)
        #expect(pair.server.actions.filter { $0 == .validated(new) }.count == 1)
        #expect(pair.server.paths.active.mtu.probeSizeForTest == 1472)
    }

    // Holds: 9000-14-1, 9000-14.2-1
    @Test("A path that never carries 1200 bytes is left for one that does (sections 8.2.1 and 14)")
    func tooSmallPath() throws {
        var pair = try ModelPair()
        _ = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .zero)
        _ = pair.client.probes(at: .zero)
        try pair.toServer(pair.client.data(at: .ms(1), size: 100)!, at: .ms(1))
        let new = pair.server.paths.activeID
        for probe in pair.server.probes(at: .ms(1)) { try pair.toClient(probe, at: .ms(20)) }
        for answer in pair.client.probes(at: .ms(20)) { try pair.toServer(answer, at: .ms(40)) }
        #expect(pair.server.paths[new].isSizeUnproven)
        run(&pair.server, until: .ms(5000))
        #expect(pair.server.paths.activeID == first)
        #expect(pair.server.actions.contains(.removed(new, .validationFailed)))
        #expect(pair.server.data(at: .ms(5000))?.to == Sample.client)
        #expect(pair.server.probes(at: .ms(5000)).allSatisfy { $0.to == Sample.client })
    }

    // Holds: 9000-14-1, 9000-14.2-1
    @Test(
        "With nowhere else to go, a path too small for QUIC ends the connection with NO_VIABLE_PATH (8.2.4)")
    func tooSmallAndAlone() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 100)!, as: Sample.cellular, at: .ms(1))
        let small = pair.server.probes(at: .ms(1)).first { $0.to == Sample.cellular }!
        try pair.toClient(small, arrivingAt: Sample.client, at: .ms(20))
        for answer in pair.client.probes(at: .ms(20)) {
            try pair.toServer(answer, as: Sample.cellular, at: .ms(40))
        }
        // Small datagrams arrive all the while: it is the size that fails, time after time.
        for second in Int64(1)...15 where !pair.server.isClosed {
            try pair.toServer(
                pair.client.data(at: .ms(second * 1000))!, as: Sample.cellular, at: .ms(second * 1000))
            run(&pair.server, until: .ms(second * 1000))
            #expect(!pair.server.isClosed || second > 9)
        }
        #expect(pair.server.actions.last == .noViablePath(isReachable: true))
    }

    // Holds: 9000-8.2.2-2, 9000-8.2.2-3, 9000-8.2.2-5
    @Test(
        "A probe alone moves nothing; the first data does, to a path that is validated by then (section 9.1)")
    func probingFirst() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.addCandidate(
            remote: Sample.server, local: Sample.cellular, moves: false, at: .ms(1))
        for probe in pair.client.probes(at: .ms(1)) { try pair.toServer(probe, at: .ms(20)) }
        #expect(pair.server.paths.activeID == first)
        let answers = pair.server.probes(at: .ms(20))
        // Its own challenge rides with the response (section 8.2).
        #expect(answers.count == 1 && answers[0].hasChallenge && answers[0].hasResponse)
        #expect(answers[0].to == Sample.cellular && answers[0].size == 1200)
        try pair.toClient(answers[0], at: .ms(40))
        #expect(pair.client.paths[path].validation.state == .succeeded)
        #expect(pair.client.paths[path].rtt.latest == .milliseconds(39))
        for answer in pair.client.probes(at: .ms(40)) { try pair.toServer(answer, at: .ms(60)) }
        #expect(pair.server.paths.activeID == first)
        pair.client.paths.activate(path, at: .ms(70))
        try pair.toServer(pair.client.data(at: .ms(70))!, at: .ms(80))
        #expect(pair.server.paths.active.remote == Sample.cellular && pair.server.paths.active.isValidated)
    }

    // Holds: 9000-8.2.1-4
    @Test("Small datagrams with challenges and responses are processed all the same (section 8.2.1)")
    func smallDatagrams() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: false, at: .ms(1))
        for var probe in pair.client.probes(at: .ms(1)) {
            probe.size = 60
            try pair.toServer(probe, at: .ms(10))
        }
        for var answer in pair.server.probes(at: .ms(10)) {
            answer.size = 60
            try pair.toClient(answer, at: .ms(20))
        }
        #expect(pair.client.paths[path].isValidated)
        for var answer in pair.client.probes(at: .ms(20)) {
            answer.size = 60
            try pair.toServer(answer, at: .ms(30))
        }
        #expect(pair.server.paths.all.contains { $0.remote == Sample.cellular && $0.isValidated })
    }

    // Holds: 9000-8.2.2-4
    @Test("A response counts on whichever path it comes (section 8.2.3)")
    func responseOnAnotherPath() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 600)!, as: Sample.cellular, at: .ms(1))
        let new = pair.server.paths.activeID
        for probe in pair.server.probes(at: .ms(1)) where probe.to == Sample.cellular {
            try pair.toClient(probe, arrivingAt: Sample.client, at: .ms(10))
        }
        for answer in pair.client.probes(at: .ms(10)) {
            try pair.toServer(answer, as: Sample.client, at: .ms(20))
        }
        #expect(pair.server.paths[new].isValidated)
        #expect(!pair.server.paths[new].rtt.hasSample)
    }

    @Test("An old packet that arrives late moves nothing back (section 9.3)")
    func reordering() throws {
        var pair = try ModelPair()
        let old = pair.client.data(at: .ms(1))!
        try pair.toServer(pair.client.data(at: .ms(2))!, as: Sample.rebound, at: .ms(3))
        try pair.toServer(old, at: .ms(4))
        #expect(pair.server.paths.active.remote == Sample.rebound)
    }

    // Holds: 9000-9.3.2-1
    @Test("Validation fails: data goes to the last validated address again (section 9.3.2)")
    func fallback() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.cellular, at: .ms(1))
        let new = pair.server.paths.activeID
        run(&pair.server, until: .ms(3000))
        #expect(pair.server.paths.activeID == new)
        run(&pair.server, until: .ms(3200))
        #expect(pair.server.paths.activeID == first)
        #expect(pair.server.paths.all.count == 1)
        let change = PathAction.activeChanged(from: new, to: first, resetCongestion: false)
        #expect(pair.server.actions.contains(change))
        #expect(pair.server.actions.contains(.removed(new, .validationFailed)))
    }

    @Test("The client comes back before that: the old path is regained, the other forgotten (section 9.3.2)")
    func regained() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.cellular, at: .ms(1))
        let new = pair.server.paths.activeID
        try pair.toServer(pair.client.data(at: .ms(2))!, at: .ms(3))
        #expect(pair.server.paths.activeID == first)
        #expect(!pair.server.paths.contains(new))
        #expect(pair.server.paths.fallback == nil)
        run(&pair.server, until: .ms(60_000))
        #expect(pair.server.paths.activeID == first && !pair.server.isClosed)
    }

    @Test("A client moves on while being validated: the last validated path stays known (section 9.3.2)")
    func addressChangesDuringValidation() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.cellular, at: .ms(1))
        let second = pair.server.paths.activeID
        try pair.toServer(pair.client.data(at: .ms(2))!, as: Sample.rebound, at: .ms(3))
        #expect(pair.server.paths.active.remote == Sample.rebound)
        #expect(!pair.server.paths.contains(second))
        #expect(pair.server.paths.fallback == first)
        run(&pair.server, until: .ms(10_000))
        #expect(pair.server.paths.activeID == first)
    }

    @Test("A path that was replaced is remembered for a while, then its id retired (section 5.1.2)")
    func idlePathExpires() throws {
        var pair = try ModelPair()
        _ = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .zero)
        try pair.toServer(pair.client.data(at: .ms(1), size: 600)!, at: .ms(1))
        for probe in pair.server.probes(at: .ms(1)) { try pair.toClient(probe, at: .ms(20)) }
        for answer in pair.client.probes(at: .ms(20)) { try pair.toServer(answer, at: .ms(40)) }
        #expect(pair.server.paths.active.isValidated && pair.server.paths.contains(first))
        run(&pair.server, until: .ms(9_000))
        #expect(pair.server.paths.contains(first))
        run(&pair.server, until: .ms(11_000))
        #expect(!pair.server.paths.contains(first))
        #expect(pair.server.actions.contains(.removed(first, .noLongerUsed)))
        #expect(pair.server.idFrames(at: .ms(11_000)).contains(.retire(0)))
        #expect(pair.server.paths.deadline == nil)
    }

    // Holds: 9000-8.1-1, 9000-14.1-4
    @Test("During the handshake packets from another address are dropped (section 9)")
    func duringHandshake() {
        var paths = Paths(
            role: .server, local: Sample.server, remote: Sample.client,
            remoteIDs: RemoteConnectionIDs(handshakeID: Sample.id(1)), configuration: PathConfiguration())
        #expect(paths.receive(from: Sample.client, to: Sample.server, size: 1200, at: .zero) == .path(first))
        #expect(paths.receive(from: Sample.rebound, to: Sample.server, size: 1200, at: .zero) == .refused)
        #expect(paths.sendAllowance(on: first) == 3600)
        paths.onAddressValidated()
        #expect(paths.sendAllowance(on: first) == .max)
        #expect(paths.receive(from: Sample.rebound, to: Sample.server, size: 1200, at: .zero) == .refused)
        paths.onHandshakeConfirmed()
        #expect(paths.receive(from: Sample.rebound, to: Sample.server, size: 1200, at: .zero) == .unknown)
    }

    @Test("A token that proved the address lifts the limit from the start (section 8.1.2)")
    func validatedByToken() {
        let paths = Paths(
            role: .server, local: Sample.server, remote: Sample.client,
            remoteIDs: RemoteConnectionIDs(handshakeID: Sample.id(1)), configuration: PathConfiguration(),
            isAddressValidated: true)
        #expect(paths.sendAllowance(on: first) == .max)
    }

    // Holds: 9000-8.2.2-1, 9000-8.2.2-5, 9000-8.2.2-7, 9000-19.17-1
    @Test(
        "A challenge on the active path is answered with a packet that is not merely probing (section 9.3.3)")
    func nonProbingAnswer() throws {
        var pair = try ModelPair()
        pair.server.paths.onPathChallenge(7, on: first)
        let answers = pair.server.probes(at: .ms(1))
        #expect(answers.map(\.frames) == [[.response(7), .data]])
        #expect(answers.map(\.size) == [1200])
        #expect(pair.server.probes(at: .ms(1)).isEmpty)
    }

    @Test("A flood of challenges is answered within bounds (section 8.2.2)")
    func challengeFlood() throws {
        var pair = try ModelPair()
        for data in UInt64(0)..<10_000 { pair.server.paths.onPathChallenge(data, on: first) }
        #expect(pair.server.probes(at: .ms(1)).count == PathResponses.capacity)
        #expect(pair.server.paths[first].statistics.challengesReceived == 10_000)
    }

    @Test("Without a connection id a path can't be probed: it says so and waits for one (section 9.5)")
    func exhaustedIDs() throws {
        var pair = try ModelPair()
        while pair.server.paths.remoteIDs.take() != nil {}
        // The client uses another id of the server's: it moved on purpose, so nothing may link the paths.
        var datagram = pair.client.data(at: .ms(1), size: 1200)!
        datagram.destination = pair.server.localIDs.live[3]
        try pair.toServer(datagram, as: Sample.cellular, at: .ms(2))
        let new = pair.server.paths.activeID
        #expect(pair.server.paths.active.remote == Sample.cellular)
        #expect(pair.server.actions.contains(.needsConnectionID(new)))
        #expect(pair.server.paths.sendAllowance(on: new) == 0)
        #expect(pair.server.probes(at: .ms(2)).allSatisfy { $0.to == Sample.client })
        try pair.server.paths.receive(Sample.frame(30), at: .ms(3))
        let probes = pair.server.probes(at: .ms(3))
        #expect(probes.map(\.to) == [Sample.cellular])
        #expect(probes.map(\.destination) == [Sample.id(1030)])
    }

    @Test("A client whose NAT rebinds is answered with the id in use when there is no other (section 9.5)")
    func exhaustedIDsWhileRebinding() throws {
        var pair = try ModelPair()
        while pair.server.paths.remoteIDs.take() != nil {}
        try pair.toServer(pair.client.data(at: .ms(1), size: 1200)!, as: Sample.rebound, at: .ms(2))
        let probes = pair.server.probes(at: .ms(2))
        #expect(Set(probes.map(\.to)) == [Sample.client, Sample.rebound])
        #expect(Set(probes.map(\.destination)).count == 1)
    }

    // Holds: 9000-5.1.2-1
    @Test(
        "Ids that the client wants retired leave every path, each replaced by one of its own (section 5.1.2)")
    func forcedRetirement() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.cellular, at: .ms(1))
        _ = pair.server.probes(at: .ms(1))
        let before = pair.server.paths.all.map(\.remoteID)
        pair.client.localIDs.retireAllIssued()
        try pair.toServer(pair.client.data(at: .ms(2), size: 500)!, as: Sample.cellular, at: .ms(2))
        let after = pair.server.paths.all.map(\.remoteID)
        #expect(after.count == 2 && Set(after).count == 2)
        #expect(Set(after).isDisjoint(with: before))
        #expect(
            pair.server.idFrames(at: .ms(3)).filter { if case .retire = $0 { true } else { false } }.count
                == 8)
    }
}

extension MTUDiscovery {
    /// What would be probed at the beginning of time.
    var probeSizeForTest: Int? {
        var copy = self
        return copy.probeSize(at: .zero)
    }
}

/// Lets time pass at one end: its deadlines come, and what it wants to send goes nowhere.
func run(_ end: inout ModelEnd, until now: Instant) {
    var steps = 0
    while let deadline = end.paths.deadline, deadline <= now {
        _ = end.probes(at: deadline)
        end.timeout(at: deadline)
        steps += 1
        precondition(steps < 1000, "the deadline \(deadline) does not go away")
    }
}

/// Has the client answer what the server asks at one address, at once and without loss.
func answerChallenges(_ pair: inout ModelPair, via address: NetworkAddress, at now: Instant) throws {
    for _ in 0..<4 {
        for probe in pair.server.probes(at: now) where probe.to == address {
            try pair.toClient(probe, arrivingAt: pair.client.paths.active.local, at: now)
        }
        for answer in pair.client.probes(at: now) { try pair.toServer(answer, as: address, at: now) }
    }
}
