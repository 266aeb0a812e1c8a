import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Paths that are frozen, moved and written down")
struct PathsResumeTests {
    private let first = PathID(rawValue: 0)

    @Test("After a freeze every timer is put off by its length, and nothing has failed")
    func timersShift() throws {
        var pair = try ModelPair()
        try pair.toServer(pair.client.data(at: .ms(1), size: 1200)!, as: Sample.cellular, at: .ms(1))
        _ = pair.server.probes(at: .ms(1))
        let before = pair.server.paths.deadline!
        pair.server.paths.resume(at: .ms(900_001), shiftedBy: .seconds(900), localAddress: nil)
        #expect(pair.server.paths.deadline == before + .seconds(900))
        pair.server.timeout(at: .ms(900_001))
        #expect(pair.server.paths.active.remote == Sample.cellular)
        // A clock that was set back does no harm either.
        pair.server.paths.resume(at: .ms(1), shiftedBy: .seconds(-900), localAddress: nil)
        #expect(pair.server.paths.deadline == before)
    }

    @Test("A server that wakes up at another address asks from there, without limit (section 8)")
    func serverMoved() throws {
        var pair = try ModelPair()
        let used = pair.server.paths.active.remoteID
        pair.server.paths.resume(at: .ms(1000), shiftedBy: .seconds(1), localAddress: Sample.preferred)
        pair.server.collect()
        let path = pair.server.paths.active
        #expect(path.local == Sample.preferred && path.remote == Sample.client)
        #expect(path.id != first && !pair.server.paths.contains(first))
        #expect(path.remoteID != used)
        #expect(
            pair.server.actions.prefix(2) == [
                .activeChanged(from: first, to: path.id, resetCongestion: true), .removed(first, .replaced),
            ])
        #expect(pair.server.paths.sendAllowance(on: path.id) == .max)
        let probes = pair.server.probes(at: .ms(1000))
        #expect(probes.map(\.from) == [Sample.preferred] && probes[0].hasChallenge)
        // Nobody gives up: it may take the client a while to let the packets through.
        run(&pair.server, until: .ms(120_000))
        #expect(pair.server.paths.activeID == path.id && !pair.server.isClosed)
        // A client that speaks the extension answers in the end.
        let challenge = pair.server.random.next()
        pair.server.paths[path.id].validation.onChallengeSent(challenge, at: .ms(120_000), isFullSize: true)
        pair.server.paths.onPathResponse(challenge, on: path.id, at: .ms(120_020))
        pair.server.collect()
        #expect(pair.server.actions.last == .validated(path.id))
        #expect(pair.server.paths.deadline == nil)
    }

    @Test(
        "Where the client has given no other id the old one goes on, for there is no way to ask (section 9.5)"
    )
    func serverMovedWithoutIDs() throws {
        var pair = try ModelPair()
        while pair.server.paths.remoteIDs.take() != nil {}
        let used = pair.server.paths.active.remoteID
        pair.server.paths.resume(at: .ms(1000), shiftedBy: .seconds(1), localAddress: Sample.preferred)
        #expect(pair.server.paths.active.remoteID == used)
        #expect(
            pair.server.idFrames(at: .ms(1000)).allSatisfy { if case .retire = $0 { false } else { true } })
    }

    @Test("An attacker's copy right after the move doesn't end the connection (section 9.3.2)")
    func attackedAfterMove() throws {
        var pair = try ModelPair()
        pair.server.paths.resume(at: .ms(1000), shiftedBy: .seconds(1), localAddress: Sample.preferred)
        let moved = pair.server.paths.activeID
        var packet = pair.client.data(at: .ms(1001))!
        packet.to = Sample.preferred
        try pair.toServer(packet, as: Sample.attacker, at: .ms(1001))
        #expect(pair.server.paths.active.remote == Sample.attacker)
        run(&pair.server, until: .ms(60_000))
        #expect(pair.server.paths.activeID == moved && !pair.server.isClosed)
    }

    @Test("The same address again, or a socket bound to any, moves nothing")
    func sameAddress() throws {
        var pair = try ModelPair()
        pair.server.paths.resume(at: .ms(1000), shiftedBy: .seconds(1), localAddress: Sample.server)
        #expect(pair.server.paths.activeID == first)
        pair.server.paths.resume(
            at: .ms(1000), shiftedBy: .zero, localAddress: NetworkAddress("0.0.0.0:443")!)
        #expect(pair.server.paths.activeID == first)
    }

    // Holds: 9000-21.5-1
    @Test(
        "By an extension a client follows its server, under the limit, and asks both addresses (section 9.3)")
    func clientFollows() throws {
        var pair = try ModelPair()
        pair.client.paths.followsPeer = true
        pair.server.paths.resume(at: .ms(10), shiftedBy: .milliseconds(10), localAddress: Sample.preferred)
        try pair.toClient(pair.server.data(at: .ms(10), size: 1000)!, at: .ms(20))
        let new = pair.client.paths.active
        #expect(new.remote == Sample.preferred && new.origin == .peer)
        #expect(pair.client.paths.sendAllowance(on: new.id) == 3000)
        let probes = pair.client.probes(at: .ms(20))
        #expect(Set(probes.map(\.to)) == [Sample.server, Sample.preferred])
        for probe in probes where probe.to == Sample.preferred { try pair.toServer(probe, at: .ms(30)) }
        for probe in pair.server.probes(at: .ms(30)) { try pair.toClient(probe, at: .ms(40)) }
        #expect(pair.client.paths.active.isViable)
        for probe in pair.client.probes(at: .ms(40)) { try pair.toServer(probe, at: .ms(50)) }
        #expect(
            pair.server.paths.active.isViable
                && pair.server.actions.contains(.validated(pair.server.paths.activeID)))
    }

    @Test("A client that followed an attacker's copy is led back by the server (section 9.3.2)")
    func clientFollowsAnAttacker() throws {
        var pair = try ModelPair()
        pair.client.paths.followsPeer = true
        try pair.toClient(pair.server.data(at: .ms(1))!, as: Sample.attacker, at: .ms(1))
        #expect(pair.client.paths.active.remote == Sample.attacker)
        try pair.toClient(pair.server.data(at: .ms(2))!, at: .ms(2))
        #expect(pair.client.paths.activeID == first)
    }

    @Test("A candidate is probed as often as its owner says, by all the challenges that are out")
    func candidateProbedFromOutside() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.addCandidate(
            remote: Sample.preferred, moves: true, schedule: .outside(outstandingLimit: 64), at: .zero)
        #expect(pair.client.probes(at: .zero).isEmpty)
        var probes: [ModelDatagram] = []
        for step in 0..<40 {
            let now = Instant.ms(Int64(step) * 25)
            pair.client.paths.requestChallenge(on: path, at: now)
            probes += pair.client.probes(at: now)
            pair.client.timeout(at: now)
        }
        #expect(probes.count == 40)
        // A second of round trip: the answer to the very first one comes now.
        try pair.toServer(probes[0], at: .ms(1000))
        for answer in pair.server.probes(at: .ms(1000)) { try pair.toClient(answer, at: .ms(1100)) }
        #expect(pair.client.paths.activeID == path)
    }

    @Test("What was abandoned is gone, and its id retired if it was used (section 5.1.2)")
    func abandon() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.addCandidate(remote: Sample.preferred, moves: false, at: .zero)
        _ = pair.client.probes(at: .zero)
        pair.client.paths.abandon(path)
        pair.client.paths.abandon(first)
        #expect(!pair.client.paths.contains(path) && pair.client.paths.contains(first))
        #expect(pair.client.idFrames(at: .zero).contains(.retire(1)))
    }

    @Test("In the middle of a migration everything can be written down and read back")
    func codable() throws {
        var pair = try ModelPair()
        _ = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        for probe in pair.client.probes(at: .ms(1)) { try pair.toServer(probe, at: .ms(10)) }
        try pair.toServer(pair.client.data(at: .ms(10))!, at: .ms(10))
        pair.client.paths.onPathChallenge(99, on: first)
        pair.server.localIDs.retireAllIssued()
        pair.client.paths = try roundTrip(pair.client.paths)
        pair.server.paths = try roundTrip(pair.server.paths)
        pair.client.localIDs = try roundTrip(pair.client.localIDs)
        pair.server.localIDs = try roundTrip(pair.server.localIDs)
        for probe in pair.server.probes(at: .ms(10)) { try pair.toClient(probe, at: .ms(20)) }
        for probe in pair.client.probes(at: .ms(20)) { try pair.toServer(probe, at: .ms(30)) }
        #expect(pair.client.paths.active.isViable && pair.client.paths.active.local == Sample.cellular)
        #expect(pair.server.paths.active.isViable && pair.server.paths.active.remote == Sample.cellular)
    }

    private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let bytes = try encoder.encode(value)
        let back = try JSONDecoder().decode(Value.self, from: bytes)
        #expect(try encoder.encode(back) == bytes)
        return back
    }
}
