import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What a server does once it has moved (Specs/server-migration.md 6)")
struct MovedServerTests {
    private let there = MigrationDestination(MovingPair.there)!

    /// A stream of the client's on which the server has so much to say.
    private func beginAnswer(_ moving: MovingPair, _ size: Int) throws -> StreamID {
        let stream = try #require(moving.client.openStream(.bidirectional))
        _ = try moving.client.write([1], to: stream)
        moving.run(for: .milliseconds(50))
        #expect(try moving.server.write([UInt8](repeating: 7, count: size), to: stream) == size)
        moving.server.wake()
        return stream
    }

    // Holds: W16
    @Test("Congestion window, round-trip time, MTU and ECN of the old path are forgotten (6.4)")
    func freshPath() throws {
        let moving = MovingPair()
        try moving.establish()
        let stream = try beginAnswer(moving, 250_000)
        moving.run(for: .seconds(1)) {
            _ = try? moving.client.readAll(from: stream, now: moving.pair.now)
            return false
        }
        let old = moving.server.paths.active
        let fresh = CongestionController(algorithm: old.congestion.algorithm, mtu: MTUDiscovery.base)
        #expect(old.congestion.window > 2 * fresh.window && old.mtu.currentSize > MTUDiscovery.base)
        #expect(old.rtt.smoothed < .milliseconds(40) && old.ecn.state == .capable)
        _ = try moving.prepare(.combined(destination: there))
        try moving.move()
        let new = moving.server.paths.active
        #expect(new.local == MovingPair.there && new.id != old.id)
        #expect(new.congestion.window == fresh.window && new.mtu.currentSize == MTUDiscovery.base)
        #expect(!new.rtt.hasSample && new.rtt.smoothed == RTTEstimator.defaultInitialRTT)
        #expect(new.ecn.state == .testing && new.bytesInFlight.count == 0)
        #expect(new.isValidated && new.sendAllowance == .max)
        #expect(try moving.request() != nil)
    }

    // Holds: W11
    @Test(
        "A server whose window was full at the freeze announces itself all the same, and again when that is lost",
        arguments: [true, false])
    func blockedByCongestion(isExtended: Bool) throws {
        let moving = MovingPair(isExtended ? .all : .symmetric)
        try moving.establish()
        let tape = moving.pair.watch().client
        _ = try moving.prepare(.symmetric)
        // No acknowledgement arrives any more.
        moving.isLost = { $0.toServer }
        let stream = try #require(moving.server.openStream(.bidirectional))
        _ = try moving.server.write([UInt8](repeating: 7, count: 100_000), to: stream)
        moving.run(for: .milliseconds(60))
        let old = moving.server.paths.active
        #expect(old.bytesInFlight.count + 1200 > old.congestion.window)
        try moving.freeze()
        moving.run(for: .seconds(1))
        let thawed = moving.pair.now
        // What is said at first is lost.
        moving.isLost = { !$0.toServer && $0.at < thawed + .milliseconds(60) }
        let sent = moving.pair.log.count
        try moving.thaw()
        moving.pair.exchange()
        #expect(moving.pair.log[sent...].contains { !$0.toServer && $0.remote == MovingPair.there })
        #expect(moving.run(for: .seconds(1)) { moving.client.remoteAddress == MovingPair.there })
        #expect(moving.pair.now - thawed < .milliseconds(180))
        // What has room has data in it, and says as much (4.3.2).
        #expect(!tape.frameTypes(at: .oneRTT).isEmpty)
    }

    // Holds: W17
    @Test("Challenges of a moved server, and of its client, are padded (RFC 9000 section 8.2.1)")
    func padding() throws {
        let moving = MovingPair()
        try moving.establish()
        let tapes = moving.pair.watch()
        _ = try moving.prepare(.combined(destination: there))
        try moving.freeze()
        moving.run(for: .seconds(1))
        let probes = moving.pair.log.filter { $0.toServer && $0.local == MovingPair.there }
        #expect(probes.count > 5 && probes.allSatisfy { $0.bytes.count == 1200 })
        var small = 0
        moving.pair.intercept = { flight in
            guard flight.bytes.count < 1200 else { return [flight] }
            small += 1
            return []
        }
        moving.address = MovingPair.there
        try moving.thaw()
        // Only datagrams of full size get through: no validation needs any other.
        #expect(moving.run(for: .seconds(1)) { moving.client.remoteAddress == MovingPair.there })
        moving.run(for: .milliseconds(200))
        for tape in [tapes.client, tapes.server] {
            #expect(tape.frameTypes(at: .oneRTT).contains(FrameType.pathChallenge))
        }
        #expect(small > 0 && moving.server.paths.active.hasBeenProved)
    }

    // Holds: W23
    @Test("What was in flight at the freeze, either way, arrives within a round trip of the switch (5.6)")
    func inFlight() throws {
        let moving = MovingPair()
        try moving.establish()
        let stream = try beginAnswer(moving, 100)
        moving.run(for: .milliseconds(100))
        _ = try moving.prepare(.combined(destination: there))
        moving.isLost = { _ in true }
        let up = [UInt8](repeating: 5, count: 4000)
        _ = try moving.client.write(up, to: stream, fin: true)
        _ = try moving.server.write(up, to: stream, fin: true)
        moving.run(for: .milliseconds(1))
        moving.isLost = { _ in false }
        try moving.move()
        var (atServer, atClient): (Instant?, Instant?) = (nil, nil)
        #expect(moving.run(for: .seconds(1)) { moving.client.remoteAddress == MovingPair.there })
        let switched = moving.pair.now
        moving.run(for: .seconds(1)) {
            let now = moving.pair.now
            if let (_, isFinished) = try? moving.server.readAll(from: stream, now: now), isFinished {
                atServer = atServer ?? now
            }
            if let (_, isFinished) = try? moving.client.readAll(from: stream, now: now), isFinished {
                atClient = atClient ?? now
            }
            return false
        }
        #expect(try #require(atServer) - switched <= .milliseconds(20))
        #expect(try #require(atClient) - switched <= .milliseconds(25))
    }

    // Holds: W31
    @Test("Keys may be updated on either side of a move, and in the middle of it", arguments: [0, 1, 2])
    func keyUpdate(step: Int) throws {
        let moving = MovingPair()
        try moving.establish()
        func update(_ here: Int) throws {
            guard here == step else { return }
            moving.client.updateKeys()
            moving.client.ping()
            moving.server.updateKeys()
        }
        _ = try moving.prepare(.combined(destination: there))
        try update(0)
        try moving.freeze()
        moving.run(for: .milliseconds(300))
        try update(1)
        moving.run(for: .milliseconds(300))
        try moving.thaw()
        try update(2)
        for handle in moving.pair.server.connectionHandles {
            try moving.pair.server.rewrite(handle, now: moving.pair.now)
        }
        #expect(try moving.request() != nil)
        #expect(try moving.request() != nil)
        #expect(moving.client.statistics.keyUpdates > 0)
        #expect(moving.server.statistics.keyUpdates == moving.client.statistics.keyUpdates)
        // Reordered packets of both phases found their keys.
        #expect(moving.client.statistics.packetsDropped == 0)
        #expect(moving.server.statistics.packetsDropped == 0)
    }

    // Holds: W13
    @Test("Both sides have a connection id for a path to each address (5.2.1, 6.1.2)")
    func enoughIDs() throws {
        let pool = (0..<8).map { NetworkAddress("203.0.113.\($0 + 10):443")! }
        let moving = MovingPair(.all, pool: pool)
        try moving.establish()
        // One for the path in use, one for each of the pool and one in reserve.
        #expect(moving.server.localIDs.spareCount >= pool.count + 1)
        #expect(moving.client.localIDs.spareCount >= pool.count)
        for address in pool {
            #expect(moving.client.paths.all.contains { $0.remote == address && $0.remoteID != nil })
        }
    }

    // Holds: W30
    @Test("After a move a ticket of before resumes, and a token of before spares the Retry (2.5)")
    func resumption() throws {
        let moving = MovingPair(retryPolicy: .always)
        try moving.establish()
        var (ticket, token): (ResumptionTicket?, [UInt8]?) = (nil, nil)
        for case .connection(_, let event) in moving.pair.clientEvents {
            if case .resumptionTicket(let given) = event { ticket = given }
            if case .addressToken(let given) = event { token = given }
        }
        _ = try moving.prepare(.combined(destination: there))
        try moving.move()
        #expect(try moving.request() != nil)
        let retries = moving.pair.server.statistics.retriesSent
        #expect(retries > 0)
        let second = try moving.pair.connect {
            ($0.remote, $0.resumption, $0.token) = (MovingPair.there, ticket, token ?? [])
            $0.offersEarlyData = true
        }
        moving.run(for: .seconds(2)) { second.isConfirmed }
        #expect(second.isConfirmed && moving.pair.server.statistics.retriesSent == retries)
        let summary = moving.pair.events(of: second.handle, in: moving.pair.clientEvents).compactMap {
            if case .handshakeCompleted(let summary) = $0 { summary } else { nil }
        }.first
        #expect(summary?.isResumed == true && summary?.earlyDataAccepted == true)
    }
}
