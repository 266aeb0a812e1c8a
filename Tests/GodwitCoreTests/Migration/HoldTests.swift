import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("One copy of a server goes on (Specs/server-migration.md 6.6)")
struct HoldTests {
    private let destination = MigrationDestination(MovingPair.there)!

    private func readyPair() throws -> MovingPair {
        let moving = MovingPair()
        try moving.establish()
        #expect(try moving.prepare(.combined(destination: destination)) == .ready(.combined))
        return moving
    }

    @Test("A held server reads nothing, sends nothing and has no timers (6.6.2)")
    func held() throws {
        let moving = try readyPair()
        try moving.freeze()
        let sent = moving.pair.log.count { !$0.toServer }
        let received = moving.server.statistics.packetsReceived
        #expect(moving.pair.server.isHeld && moving.pair.server.nextDeadline == nil)
        // Even what reaches it all the same.
        moving.isFrozen = false
        moving.client.ping()
        moving.run(for: .seconds(40))
        #expect(moving.pair.log.count { !$0.toServer } == sent)
        #expect(moving.server.statistics.packetsReceived == received)
    }

    @Test("The last word tells the client that it is now (6.3.1)")
    func lastWord() throws {
        let moving = try readyPair()
        try moving.freeze()
        moving.run(for: .milliseconds(100))
        #expect(moving.clientEvents.contains(.searching(.preferred)))
    }

    // Holds: W15
    @Test("After a thaw 2^16 to 2^20 packet numbers are left out (6.6.5)")
    func gap() throws {
        let moving = try readyPair()
        let before = moving.server.packetNumbers.application.next
        try moving.move()
        let left = moving.server.packetNumbers.application.next - before
        #expect(PacketNumberSkip.range.contains(left))
    }

    // Holds: W15
    @Test("Of two restores one goes on and the other stays held, and no number is used twice (6.6.2, 6.6.4)")
    func twoRestores() throws {
        let moving = try readyPair()
        let image = try moving.server.exportSnapshot()
        let copy = Endpoint(
            configuration: moving.pair.server.environment.configuration,
            entropy: Entropy(seed: [UInt8](repeating: 77, count: 32)))
        try moving.freeze()
        copy.moving = moving.pair.server.moving
        copy.environment.standstill = .held
        _ = try copy.importConnection(image, now: moving.pair.now)
        var arbiter = EpochArbiter()
        let first = arbiter.grant(.switched, of: moving.epoch, to: .init(rawValue: 1))
        try moving.thaw()
        let second = arbiter.grant(.switched, of: moving.epoch, to: .init(rawValue: 2))
        #expect(first && !second)
        var buffer = [UInt8](repeating: 0, count: 65536)
        let sent = buffer.withUnsafeMutableBytes { copy.transmit(into: $0, now: moving.pair.now) }
        #expect(sent == nil)
        #expect(try moving.request() != nil)
        // A copy that resolved its plan one way refuses the other.
        #expect(throws: EpochLedger.Refusal.resolved(.switched)) {
            try moving.pair.server.cancelMigration(moving.epoch, moving.nextThaw())
        }
        #expect(try moving.pair.server.networkSwitched(moving.epoch, to: [], moving.nextThaw()) == .repeated)
    }

    // Holds: W15
    @Test("An image older than what the client has seen closes as stale (6.6.6)")
    func stale() throws {
        let moving = try readyPair()
        let image = try moving.server.exportSnapshot()
        // The original goes on, and the client acknowledges what it sends: more than the copy's last words before
        // the freeze, which are sent under the same numbers here.
        for _ in 0..<20 { #expect(try moving.request() != nil) }
        let old = try Connection.read(image)
        let server = moving.pair.server
        let copy = Connection(old, environment: server.environment, handle: moving.server.handle)
        server.table.replace(moving.server.handle, by: copy)
        try moving.freeze()
        try moving.thaw()
        moving.client.ping()
        moving.run(for: .seconds(5))
        #expect(moving.serverEvents.last == .failed(.combined, .stale))
        guard
            case .connection(_, .closed(.transport(.internalError, _, let reason, _)))? = moving.pair
                .serverEvents.last
        else {
            Issue.record("not closed as stale: \(String(describing: moving.pair.serverEvents.last))")
            return
        }
        #expect(reason.hasPrefix("stale"))
    }

    /// What a checkpoint of the held server makes in another process: all the same, random generator included.
    private func restore(_ moving: MovingPair) throws -> Endpoint {
        let source = moving.pair.server
        let copy = Endpoint(
            configuration: source.environment.configuration,
            entropy: Entropy(seed: [UInt8](repeating: 0, count: 32)))
        copy.environment.random = source.environment.random
        copy.moving = source.moving
        (copy.environment.standstill, copy.environment.plan) = (.held, source.environment.plan)
        for handle in source.connectionHandles {
            guard let connection = source.connection(handle) else { continue }
            _ = try copy.importConnection(try connection.exportSnapshot(), now: moving.pair.now)
        }
        return copy
    }

    // Holds: W15
    @Test("A resumed source and a second restore say nothing, whatever comes and however late it is (6.6.2)")
    func otherCopies() throws {
        let moving = try readyPair()
        try moving.freeze()
        let copies = [try restore(moving), try restore(moving)]
        moving.isFrozen = false
        // Everything that the client sends reaches every copy of its server.
        moving.pair.intercept = { flight in
            guard flight.toServer else { return [flight] }
            for copy in copies {
                var bytes = flight.bytes
                bytes.withUnsafeMutableBytes {
                    copy.receive(
                        $0, segmentSize: $0.count, from: flight.remote, to: flight.local, ecn: flight.ecn,
                        now: flight.at)
                }
            }
            return flight.local == moving.address ? [flight] : []
        }
        try moving.thaw()
        #expect(try moving.request() != nil)
        var buffer = [UInt8](repeating: 0, count: 65536)
        for copy in copies {
            copy.handleDeadline(now: moving.pair.now + .seconds(3600))
            let sent = buffer.withUnsafeMutableBytes { copy.transmit(into: $0, now: moving.pair.now) }
            #expect(sent == nil && copy.nextDeadline == nil && copy.isHeld && copy.connectionCount == 1)
        }
    }

    // Holds: W15
    @Test("If nobody holds them back: three copies use no packet number twice (6.6.3, 6.6.5)")
    func unfencedCopies() throws {
        for seed in UInt8(0)..<20 {
            let moving = try readyPair()
            try moving.freeze()
            let copies = [moving.pair.server, try restore(moving), try restore(moving)]
            var sealed: [[UInt64]] = []
            for (index, copy) in copies.enumerated() {
                let tape = PacketTape()
                copy.observer = tape
                let seed = [UInt8](repeating: seed &* 3 &+ UInt8(index), count: 32)
                let thaw = EndpointThaw(
                    now: moving.pair.now, unixTime: 1_800_000_000, entropy: Entropy(seed: seed))
                _ = try copy.networkSwitched(moving.epoch, to: [MovingPair.there], thaw)
                var buffer = [UInt8](repeating: 0, count: 65536)
                while buffer.withUnsafeMutableBytes({ copy.transmit(into: $0, now: moving.pair.now) }) != nil
                {}
                #expect(!tape.sealed.isEmpty && Set(tape.sealed.map(\.key)).count == 1)
                sealed.append(tape.sealed.map(\.number))
            }
            let all = sealed.flatMap(\.self)
            #expect(Set(all).count == all.count)
        }
    }

    @Test("Without a hold the server does not switch, unless its operator is trusted (6.6.7)")
    func holdIsRequired() throws {
        let moving = try readyPair()
        #expect(throws: EpochLedger.Refusal.notHeld) {
            try moving.pair.server.networkSwitched(moving.epoch, to: [MovingPair.there], moving.nextThaw())
        }
        var settings = ServerMigrationSettings(ServerMigrationNegotiation())
        settings.requiresHold = false
        let trusting = MovingPair(server: settings)
        try trusting.establish()
        try trusting.prepare(.combined(destination: destination))
        try trusting.thaw()
        #expect(try trusting.request() != nil)
    }
}
