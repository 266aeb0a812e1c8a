import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Moves of a server when things go wrong (Specs/server-migration.md 5, 6)")
struct MovingTroubleTests {
    private let there = MigrationDestination(MovingPair.there)!

    @Test("The first datagrams after the thaw are lost: probes are repeated (6.3.2)")
    func lostProbes() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.symmetric)
        try moving.freeze()
        moving.run(for: .seconds(1))
        try moving.thaw()
        let thawed = moving.pair.now
        moving.isLost = { !$0.toServer && $0.at < thawed + .milliseconds(110) }
        let latency = try #require(try moving.request())
        #expect(latency < .milliseconds(300))
    }

    // Holds: W8
    @Test("A client behind a filter follows by the combined strategy (4.5.3)")
    func filtered() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        moving.isFiltered = true
        try moving.move()
        let latency = try #require(try moving.request())
        #expect(latency < .milliseconds(200))
    }

    // Holds: W7
    @Test("A client that only receives notices (5.8)", arguments: [true, false])
    func download(isExtended: Bool) throws {
        let moving = MovingPair(isExtended ? .all : .explicit)
        try moving.establish()
        let stream = moving.client.openStream(.bidirectional)!
        _ = try moving.client.write([1], to: stream, fin: true)
        moving.run(for: .milliseconds(100))
        let payload = [UInt8](repeating: 7, count: 1 << 20)
        var sent = 0
        var received = 0
        func pump() {
            if sent < payload.count, moving.server.closed == nil {
                sent += (try? moving.server.write(Array(payload[sent...]), to: stream)) ?? 0
            }
            received += ((try? moving.client.readAll(from: stream, now: moving.pair.now))?.bytes.count) ?? 0
        }
        _ = try moving.prepare(.explicit(destination: there))
        moving.run(for: .milliseconds(60)) {
            pump(); return false
        }
        #expect(received > 0 && received < payload.count)
        try moving.freeze()
        moving.run(for: .seconds(2)) {
            pump(); return false
        }
        try moving.thaw()
        let start = moving.pair.now
        #expect(
            moving.run(for: .seconds(20)) {
                pump(); return received == payload.count
            })
        #expect(moving.pair.now - start < .seconds(2))
    }

    @Test("To another family: the server goes on in IPv6 alone (4.5.4, 6.3.5)", arguments: [false, true])
    func otherFamily(isExplicit: Bool) throws {
        let moving = MovingPair()
        try moving.establish()
        let destination = MigrationDestination(ipv4: nil, ipv6: MovingPair.thereIPv6)!
        let order =
            isExplicit
            ? MigrationOrder.explicit(destination: destination) : .combined(destination: destination)
        #expect(try moving.prepare(order) == .ready(order.strategy))
        try moving.move(to: MovingPair.thereIPv6)
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.thereIPv6)
        #expect(moving.server.remoteAddress == MovingPair.clientIPv6)
        #expect(moving.serverEvents.last == .completed(order.strategy))
    }

    @Test(
        "From family to family and back again, the client follows at once (6.5.5)", arguments: [false, true])
    func familiesInARow(isFiltered: Bool) throws {
        let moving = MovingPair()
        try moving.establish()
        let places = [MovingPair.thereIPv6, MovingPair.elsewhere, MovingPair.thereIPv6, MovingPair.there]
        for place in places {
            let destination = MigrationDestination(place)!
            #expect(try moving.prepare(.combined(destination: destination)) == .ready(.combined))
            // Where nothing is let in the client has to come by itself.
            (moving.isFiltered, moving.reached) = (isFiltered, [moving.client.remoteAddress])
            try moving.move(to: place)
            let answered = try #require(try moving.request())
            #expect(answered < .milliseconds(300), "\(place)")
            #expect(moving.client.remoteAddress == place)
            moving.isFiltered = false
            moving.run(for: .seconds(3))
        }
    }

    // Holds: W29
    @Test("A client that moves on purpose while its server does finds it from its new address (5.3.7)")
    func clientMigrates() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.run(for: .milliseconds(300))
        let moved = NetworkAddress("192.0.2.200:50000")!
        moving.isLost = { $0.toServer && $0.remote != moved || !$0.toServer && $0.local != moved }
        #expect(moving.client.migrate(toLocal: moved, now: moving.pair.now))
        moving.run(for: .milliseconds(300))
        try moving.thaw()
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.there && moving.client.localAddress == moved)
    }

    // Holds: W29
    @Test("Client and server move at once (5.3.7)")
    func bothMove() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.run(for: .milliseconds(300))
        let moved = NetworkAddress("192.0.2.200:50000")!
        moving.pair.client.resume(
            now: moving.pair.now, frozen: .zero, unixTime: 1_800_000_000, localAddress: moved,
            entropy: Entropy(seed: [UInt8](repeating: 55, count: 32)))
        moving.isLost = { $0.toServer && $0.remote != moved || !$0.toServer && $0.local != moved }
        moving.run(for: .milliseconds(300))
        try moving.thaw()
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.there && moving.client.localAddress == moved)
        #expect(moving.server.remoteAddress == moved)
    }

    // Holds: W29
    @Test(
        "A client goes to another network and comes back, and its server moves in between and after that (5.3.7, 7.4)",
        arguments: [MigrationStrategy.explicit, .symmetric, .synchronizedSymmetric, .combined])
    func thereAndBack(_ strategy: MigrationStrategy) throws {
        let moving = MovingPair()
        try moving.establish()
        let home = EndpointPair.clientAddress
        let abroad = NetworkAddress("192.0.2.200:50000")!
        for (network, place) in [
            (abroad, MovingPair.there), (home, MovingPair.elsewhere), (abroad, MovingPair.home),
        ] {
            moving.isLost = { ($0.toServer ? $0.remote : $0.local) != network }
            #expect(moving.client.migrate(toLocal: network, now: moving.pair.now))
            #expect(try moving.request() != nil, "from \(network)")
            let order = MigrationOrder(strategy, to: MigrationDestination(place)!)
            #expect(try moving.prepare(order) == .ready(strategy), "from \(network)")
            try moving.move(to: place)
            #expect(try moving.request() != nil, "from \(network)")
            #expect(moving.server.remoteAddress == network)
        }
    }

    // Holds: W10
    @Test(
        "A path of 600 ms: the answer to an earlier challenge counts, and seeds the round-trip time (5.4.1)")
    func longPath() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.run(for: .milliseconds(300))
        moving.pair.delay = .milliseconds(300)
        try moving.thaw()
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.there)
        let rtt = moving.client.statistics.smoothedRTT
        #expect(rtt >= .milliseconds(590) && rtt < .milliseconds(700))
    }

    // Holds: W14
    @Test("A reset from where the server was does not end the connection (5.9.1)")
    func resetFromHome() throws {
        let moving = MovingPair()
        try moving.establish()
        // Whoever answers there now has the secret, and knows nothing of the connection.
        let id = moving.client.paths.active.remoteID!
        let token = moving.pair.server.environment.connectionIDs.resetToken(for: id)
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        let tail = withUnsafeBytes(of: (token.high.bigEndian, token.low.bigEndian)) { [UInt8]($0) }
        moving.pair.inject(
            EndpointPair.Flight(
                at: moving.pair.now, bytes: [0x41] + [UInt8](repeating: 3, count: 40) + tail,
                remote: MovingPair.home, local: EndpointPair.clientAddress, ecn: .notECT, toServer: false))
        moving.run(for: .milliseconds(500))
        #expect(moving.client.closed == nil)
        try moving.thaw()
        #expect(try moving.request() != nil)
    }

    // Holds: W10
    @Test("On a path of four seconds every challenge counts, and the first answer times it (5.4.1)")
    func everyChallenge() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.run(for: .milliseconds(20))
        moving.pair.delay = .seconds(2)
        try moving.thaw()
        let thawed = moving.pair.now
        #expect(moving.run(for: .seconds(10)) { moving.client.remoteAddress == MovingPair.there })
        // What answers is the first challenge that found the server, with some fifty after it.
        #expect(moving.pair.now - thawed < .milliseconds(4100))
        let rtt = moving.client.paths.active.rtt.smoothed
        #expect(rtt >= .seconds(4) && rtt < .milliseconds(4050))
        #expect(moving.client.paths.active.validation.challengesSent > 32)
    }

    // Holds: W14
    @Test("A second process with the same secrets, at the old address, ends no connection (5.9.1, 6.7)")
    func secondProcess() throws {
        let moving = MovingPair()
        try moving.establish()
        var configuration = moving.pair.server.environment.configuration
        // All connection ids were issued after it began: it takes them for its own.
        configuration.unixTimeAtEpoch -= 60
        let squatter = Endpoint(
            configuration: configuration,
            entropy: Entropy(seed: [UInt8](repeating: 66, count: 32)))
        moving.isLost = { [unowned moving] flight in
            guard flight.toServer, flight.local == MovingPair.home, moving.isFrozen else { return false }
            var bytes = flight.bytes
            bytes.withUnsafeMutableBytes {
                squatter.receive(
                    $0, segmentSize: $0.count, from: flight.remote, to: flight.local, ecn: flight.ecn,
                    now: flight.at)
            }
            moving.pair.transmit(squatter, toServer: false)
            return true
        }
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.client.ping()
        moving.run(for: .seconds(2))
        #expect(squatter.statistics.statelessResetsSent > 0)
        #expect(moving.client.closed == nil)
        try moving.thaw()
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.there)
    }

    // Holds: W1
    @Test("A lost request before the freeze does not bring data to where nobody was validated (5.1.1)")
    func falseAlarm() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.explicit(destination: there))
        let start = moving.pair.now
        moving.isLost = { $0.toServer && $0.at < start + .milliseconds(80) }
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.home)
        moving.run(for: .seconds(2))
        #expect(moving.clientEvents.contains(.stayed))
        moving.isLost = { _ in false }
        try moving.move()
        #expect(try moving.request() != nil)
        #expect(moving.client.remoteAddress == MovingPair.there)
    }

    // Holds: W26
    @Test("The freeze is longer than the idle timeout (5.9.2)")
    func longFreeze() throws {
        let moving = MovingPair()
        try moving.establish()
        _ = try moving.prepare(.combined(destination: there))
        try moving.move(frozenFor: .seconds(45))
        #expect(try moving.request() != nil)
    }

    // Holds: W9
    @Test("A copy of a packet from somewhere else moves nothing (5.7.4)")
    func spoofed() throws {
        let moving = MovingPair()
        try moving.establish()
        let attacker = NetworkAddress("203.0.113.66:6666")!
        moving.isLost = { [unowned moving] flight in
            guard !flight.toServer, flight.remote == MovingPair.home else { return false }
            var copy = flight
            copy.remote = attacker
            moving.pair.inFlight.append(copy)
            return false
        }
        for _ in 0..<10 { #expect(try moving.request() != nil) }
        #expect(moving.client.remoteAddress == MovingPair.home)
        let toAttacker = moving.pair.log.filter { $0.toServer && $0.local == attacker }
        let fromAttacker = moving.pair.log.filter { !$0.toServer && $0.remote == MovingPair.home }
        #expect(
            toAttacker.reduce(0) { $0 + $1.bytes.count } <= 3 * fromAttacker.reduce(0) { $0 + $1.bytes.count }
        )
    }

    // Holds: W9
    @Test("A copy of the client's last packet before the freeze leads nobody astray (RFC 9000 section 9.3.2)")
    func lastPacketSpoofed() throws {
        let moving = MovingPair()
        try moving.establish()
        #expect(try moving.request() != nil)
        _ = try moving.prepare(.symmetric)
        let attacker = NetworkAddress("203.0.113.66:6666")!
        let home = moving.server.remoteAddress
        // The copy arrives, and nothing more of the client does.
        moving.isLost = { [unowned moving] flight in
            guard flight.toServer else { return false }
            var copy = flight
            copy.remote = attacker
            moving.pair.inFlight.append(copy)
            moving.isLost = \.toServer
            return true
        }
        let stream = moving.client.openStream(.bidirectional)!
        _ = try moving.client.write([1], to: stream, fin: false)
        moving.run(for: .milliseconds(70))
        #expect(moving.server.remoteAddress == attacker)
        try moving.freeze()
        moving.isLost = { _ in false }
        moving.run(for: .milliseconds(300))
        try moving.thaw()
        #expect(moving.server.remoteAddress == home)
        let latency = try #require(try moving.request())
        #expect(latency < .milliseconds(200))
    }

    // Holds: W12, W13
    @Test("Many moves in a row, with a fresh connection id each time (6.8)")
    func manyMoves() throws {
        let moving = MovingPair()
        try moving.establish()
        let places = (0..<5).map { NetworkAddress("203.0.113.\($0 + 10):443")! }
        var seen: [ConnectionID: NetworkAddress] = [:]
        for count in 0..<30 {
            let place = places[count % places.count]
            #expect(
                try moving.prepare(.combined(destination: MigrationDestination(place)!)).map(\.isReady)
                    == true)
            try moving.move(to: place, frozenFor: .milliseconds(50))
            #expect(try moving.request() != nil, "move \(count)")
            #expect(moving.client.remoteAddress == place)
            let id = try #require(moving.client.paths.active.remoteID)
            #expect(seen[id] == nil)
            seen[id] = place
        }
    }

    @Test("Connections are written and read back in the middle of a move")
    func snapshots() throws {
        let moving = MovingPair()
        try moving.establish()
        func rewrite() throws {
            for endpoint in [moving.pair.client, moving.pair.server] {
                for handle in endpoint.connectionHandles {
                    try endpoint.rewrite(handle, now: moving.pair.now)
                }
            }
        }
        try rewrite()
        _ = try moving.prepare(.combined(destination: there))
        try rewrite()
        try moving.freeze()
        try rewrite()
        moving.run(for: .milliseconds(300))
        try rewrite()
        try moving.thaw()
        try rewrite()
        moving.run(for: .milliseconds(15))
        try rewrite()
        #expect(try moving.request() != nil)
        #expect(moving.serverEvents.last == .completed(.combined))
    }

    @Test(
        "A migration frame of a client is a violation (3.6.1), and so is one that was not agreed on (3.6.2)")
    func misplaced() throws {
        for toServer in [true, false] {
            let moving = MovingPair(client: ClientMigrationSettings())
            try moving.establish()
            let sender = toServer ? moving.client : moving.server
            var bytes: [UInt8] = [0x33]
            var buffer = [UInt8](repeating: 0, count: 1500)
            let size = buffer.withUnsafeMutableBytes { buffer in
                bytes.withUnsafeMutableBytes {
                    sender.forge(
                        Forgery(level: .oneRTT), payload: UnsafeRawBufferPointer($0), into: buffer,
                        now: moving.pair.now)
                }
            }
            moving.pair.inject(
                EndpointPair.Flight(
                    at: moving.pair.now, bytes: Array(buffer[..<size!]), remote: sender.localAddress,
                    local: sender.remoteAddress, ecn: .notECT, toServer: toServer))
            let receiver = toServer ? moving.server : moving.client
            guard case .transport(.protocolViolation, 0x33, _, false)? = receiver.closed else {
                Issue.record("closed with \(String(describing: receiver.closed))")
                continue
            }
        }
    }
}
