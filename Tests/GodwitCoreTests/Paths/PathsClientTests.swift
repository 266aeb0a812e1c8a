import GodwitWire
import Testing

@testable import GodwitCore

@Suite("A client that moves (RFC 9000 section 9.2)")
struct PathsClientTests {
    private let first = PathID(rawValue: 0)

    private func refusal(_ body: () throws -> PathID) -> MigrationRefusal? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? MigrationRefusal
        }
    }

    // Holds: 9000-8.2.1-2
    @Test("It asks first and moves when the path is validated; the server follows (sections 9.1 to 9.3)")
    func validateThenMove() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: false, at: .ms(1))
        #expect(pair.client.paths.activeID == first)
        let probes = pair.client.probes(at: .ms(1))
        #expect(probes.count == 1 && probes[0].from == Sample.cellular && probes[0].size == 1200)
        #expect(probes[0].destination != Sample.id(2 << 20))
        for probe in probes { try pair.toServer(probe, at: .ms(10)) }
        for probe in pair.server.probes(at: .ms(10)) { try pair.toClient(probe, at: .ms(20)) }
        #expect(pair.client.paths.activeID == path)
        #expect(
            pair.client.actives == [.activeChanged(from: first, to: path, resetCongestion: true)])
        for answer in pair.client.probes(at: .ms(20)) { try pair.toServer(answer, at: .ms(30)) }
        try pair.toServer(pair.client.data(at: .ms(30))!, at: .ms(40))
        #expect(pair.server.paths.active.remote == Sample.cellular)
        #expect(pair.server.paths.active.isViable && pair.server.paths.fallback == nil)
        // Each side uses an id on the new path that it never used on the old one (section 9.5).
        #expect(pair.client.paths.active.remoteID != pair.client.paths[first].remoteID)
        #expect(pair.server.paths.active.remoteID != pair.server.paths[first].remoteID)
    }

    @Test("It may move at once, since it knows the server's address, and still asks (section 9.2)")
    func moveAtOnce() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        #expect(pair.client.paths.activeID == path)
        #expect(pair.client.paths.fallback == first)
        #expect(pair.client.paths.sendAllowance(on: path) == .max)
        let probes = pair.client.probes(at: .ms(1))
        #expect(probes.map(\.from) == [Sample.cellular])
        try pair.toServer(pair.client.data(at: .ms(1))!, at: .ms(10))
        for probe in probes { try pair.toServer(probe, at: .ms(10)) }
        #expect(pair.server.paths.active.remote == Sample.cellular)
        for probe in pair.server.probes(at: .ms(10)) { try pair.toClient(probe, at: .ms(20)) }
        #expect(pair.client.paths.active.isViable && pair.client.paths.fallback == nil)
    }

    @Test("If nobody answers it goes back to where it was (section 9.3.2)")
    func moveAtOnceFails() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        run(&pair.client, until: .ms(4000))
        #expect(pair.client.paths.activeID == first)
        #expect(pair.client.actions.contains(.removed(path, .validationFailed)))
    }

    // Holds: 9000-9.3.2-2
    @Test("With no validated address left to return to, the connection is given up (section 9.3.2)")
    func nowhereToReturn() throws {
        var pair = try ModelPair()
        _ = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        pair.client.paths.abandon(first)
        run(&pair.client, until: .ms(5000))
        // Nobody is there to be told.
        #expect(pair.client.actions.last == .noViablePath(isReachable: false))
    }

    @Test("A path that fails while it is only tried changes nothing (section 9.1)")
    func probeFails() throws {
        var pair = try ModelPair()
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: false, at: .ms(1))
        run(&pair.client, until: .ms(4000))
        #expect(pair.client.paths.activeID == first)
        #expect(pair.client.actives.isEmpty)
        #expect(pair.client.actions.contains(.removed(path, .validationFailed)))
        // Its id was sent with, so it is not used for another path (section 9.5).
        #expect(pair.client.idFrames(at: .ms(4000)).contains(.retire(1)))
    }

    // Holds: 9000-9.4-3
    @Test("The challenges of a new path are no more frequent than Initial packets (sections 8.2.1 and 9.4)")
    func challengeIntervals() throws {
        var pair = try ModelPair()
        _ = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: false, at: .zero)
        var times: [Instant] = []
        while let deadline = pair.client.paths.deadline, deadline < .ms(5000) {
            if !pair.client.probes(at: deadline).isEmpty { times.append(deadline) }
            pair.client.timeout(at: deadline)
        }
        // kInitialRtt, four times half of it, and max_ack_delay.
        let pto = TimeSpan.milliseconds(333 + 666 + 25)
        // The third would be due at three PTOs, when it is too late.
        #expect(times == [Instant.zero, Instant.zero + pto])
    }

    // Holds: 9000-9-1
    @Test("Before the handshake is confirmed nobody migrates (section 9)")
    func beforeConfirmation() {
        var paths = Paths(
            role: .client, local: Sample.client, remote: Sample.server,
            remoteIDs: RemoteConnectionIDs(handshakeID: Sample.id(1)), configuration: PathConfiguration())
        #expect(
            refusal { try paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .zero) }
                == .handshakeNotConfirmed)
        #expect(
            refusal { try paths.usePreferredAddress(Sample.preferred, at: .zero) } == .handshakeNotConfirmed)
    }

    // Holds: 9000-9-2, 9000-18.2-2
    @Test("A server that wants no migration is obeyed, probes included (sections 9 and 18.2)")
    func disabledByPeer() throws {
        var pair = try ModelPair()
        pair.client.paths.applyPeerParameters(
            maximumPayload: 1500, disablesActiveMigration: true, maxAckDelay: .milliseconds(25))
        #expect(
            refusal { try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .zero) }
                == .disabledByPeer)
        #expect(
            refusal {
                try pair.client.paths.addCandidate(
                    remote: Sample.server, local: Sample.cellular, moves: false, at: .zero)
            } == .disabledByPeer)
        #expect(pair.client.probes(at: .zero).isEmpty)
    }

    // Holds: 9000-9-3
    @Test(
        "A client that was told not to migrate and does is validated like any other, not closed (section 9)")
    func migratesAllTheSame() throws {
        var pair = try ModelPair()
        #expect(try pair.toServer(pair.client.data(at: .ms(1))!, as: Sample.cellular, at: .ms(1)) == true)
        #expect(!pair.server.isClosed)
        #expect(pair.server.probes(at: .ms(1)).contains { $0.to == Sample.cellular && $0.hasChallenge })
    }

    @Test(
        "With a server that has no connection ids migration is linkable, and refused by default (section 9.5)"
    )
    func zeroLengthIDs() throws {
        for allows in [false, true] {
            var configuration = PathConfiguration()
            configuration.allowsLinkableMigration = allows
            var paths = Paths(
                role: .client, local: Sample.client, remote: Sample.server,
                remoteIDs: RemoteConnectionIDs(handshakeID: .empty), configuration: configuration)
            paths.onHandshakeConfirmed()
            let outcome = refusal { try paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .zero) }
            #expect(outcome == (allows ? nil : .linkable))
            #expect(paths.active.remoteID == .empty)
            #expect(paths.active.local == (allows ? Sample.cellular : Sample.client))
        }
    }

    @Test("Servers don't migrate, and there is no moving to where one is (section 9)")
    func pointlessMigrations() throws {
        var pair = try ModelPair()
        #expect(
            refusal { try pair.server.paths.migrate(toLocal: Sample.preferred, atOnce: true, at: .zero) }
                == .clientsOnly)
        #expect(
            refusal { try pair.client.paths.migrate(toLocal: Sample.client, atOnce: true, at: .zero) }
                == .alreadyThere)
        #expect(
            refusal {
                try pair.client.paths.addCandidate(
                    remote: NetworkAddress("0.0.0.0:0")!, moves: true, at: .zero)
            } == .unusableAddress)
    }

    @Test("Without a spare connection id it waits, says so, and moves when one comes (sections 8.2 and 9.5)")
    func noIDLeft() throws {
        for atOnce in [true, false] {
            var pair = try ModelPair()
            while pair.client.paths.remoteIDs.take() != nil {}
            let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: atOnce, at: .ms(1))
            #expect(pair.client.probes(at: .ms(1)).isEmpty)
            #expect(pair.client.paths.activeID == first)
            #expect(pair.client.actions.contains(.needsConnectionID(path)))
            try pair.client.paths.receive(Sample.frame(20), at: .ms(50))
            #expect(pair.client.paths.activeID == (atOnce ? path : first))
            let probes = pair.client.probes(at: .ms(50))
            #expect(probes.map(\.from) == [Sample.cellular])
            #expect(probes.map(\.destination) == [Sample.id(1020)])
        }
    }

    @Test("An unspecified local address stands for every one of the host (section 9)")
    func wildcard() throws {
        let anywhere = NetworkAddress("0.0.0.0:5000")!
        var paths = Paths(
            role: .client, local: anywhere, remote: Sample.server,
            remoteIDs: RemoteConnectionIDs(handshakeID: Sample.id(1)), configuration: PathConfiguration())
        #expect(paths.receive(from: Sample.server, to: Sample.client, size: 100, at: .zero) == .path(first))
        #expect(paths.receive(from: Sample.server, to: Sample.cellular, size: 100, at: .zero) == .path(first))
        let otherPort = NetworkAddress("192.0.2.10:5001")!
        #expect(paths.receive(from: Sample.server, to: otherPort, size: 100, at: .zero) == .refused)
        #expect(paths.uses(local: Sample.client) && !paths.uses(local: otherPort))
    }

    @Test("Data from the server on the old path doesn't pull the client back (section 9)")
    func serverLagsBehind() throws {
        var pair = try ModelPair()
        let late = pair.server.data(at: .ms(1))!
        let path = try pair.client.paths.migrate(toLocal: Sample.cellular, atOnce: true, at: .ms(1))
        try pair.toClient(late, at: .ms(2))
        #expect(pair.client.paths.activeID == path)
    }

    // Holds: 9000-9.5-1, 9000-9.5-2
    @Test("Through many migrations no connection id is used on two paths (section 9.5)")
    func unlinkable() throws {
        var pair = try ModelPair()
        var users: [ConnectionID: Set<NetworkAddress>] = [:]
        func note(_ datagram: ModelDatagram, _ clientAddress: NetworkAddress) {
            users[datagram.destination, default: []].insert(clientAddress)
        }
        for step in 1..<40 {
            let now = Instant.ms(Int64(step) * 1000)
            let address = NetworkAddress(ip: Sample.cellular.ip, port: UInt16(1000 + step))
            _ = try pair.client.paths.migrate(toLocal: address, atOnce: step % 2 == 0, at: now)
            for _ in 0..<4 {
                for probe in pair.client.probes(at: now) {
                    note(probe, probe.from)
                    try pair.toServer(probe, at: now)
                }
                for probe in pair.server.probes(at: now) {
                    note(probe, probe.to)
                    try pair.toClient(probe, at: now)
                }
                let up = pair.client.data(at: now)!
                note(up, up.from)
                try pair.toServer(up, at: now)
                if let down = pair.server.data(at: now) {
                    note(down, down.to)
                    try pair.toClient(down, at: now)
                }
            }
            #expect(pair.client.paths.active.local == address)
            #expect(pair.server.paths.active.remote == address)
            pair.client.timeout(at: now)
            pair.server.timeout(at: now)
        }
        #expect(users.count > 70)
        for (id, addresses) in users { #expect(addresses.count == 1, "\(id) was used with \(addresses)") }
    }

    // Holds: 9000-14.2.1-2
    @Test("Datagrams that are too large for one path leave the others alone (section 14.2.1)")
    func messageTooLarge() throws {
        var pair = try ModelPair()
        _ = pair.client.paths.active.mtu.probeSize(at: .zero)
        pair.client.paths.active.mtu.onProbeSent(size: 1472)
        #expect(pair.client.paths.active.onMTUProbeAcknowledged(size: 1472) == true)
        #expect(
            pair.client.paths.onMessageTooLarge(
                size: 1300, from: Sample.client, to: Sample.attacker, at: .zero)
                == false)
        #expect(pair.client.paths.active.mtu.currentSize == 1472)
        #expect(
            pair.client.paths.onMessageTooLarge(size: 1300, from: Sample.client, to: Sample.server, at: .zero)
                == true)
        #expect(pair.client.paths.active.mtu.currentSize == 1200)
    }
}
