import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Stateless resets between endpoints")
struct StatelessResetRoutingTests {
    private func server(
        of pair: EndpointPair, startedAt seconds: Int64 = -100,
        _ change: (inout EndpointConfiguration) -> Void = { _ in }
    ) -> Endpoint {
        var configuration = EndpointPair.configuration(
            .init(), server: pair.server.environment.configuration.server)
        configuration.unixTimeAtEpoch += seconds
        change(&configuration)
        return Endpoint(
            configuration: configuration, entropy: Entropy(seed: [UInt8](repeating: 50, count: 32)))
    }

    private func token(of server: Connection, for id: ConnectionID) -> StatelessResetToken {
        server.environment.connectionIDs.resetToken(for: id)
    }

    /// A datagram that ends in the token of the id by which the client addresses the server.
    private func reset(_ first: [UInt8], _ client: Connection, _ server: Connection) -> [UInt8] {
        let token = token(of: server, for: client.paths.active.remoteID!)
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes {
            var writer = ByteWriter($0)
            writer.writeResetToken(token)
        }
        return first + bytes
    }

    /// Beginnings of datagrams: to nobody, with a long header, of an unknown version, to the client itself.
    enum Beginning: CaseIterable {
        case short, long, unknownVersion, ownID, ownLongHeader, damagedPacket
    }

    // Holds: 9000-10.3-5, 9000-10.3.1-1, 9000-10.3.1-4
    @Test(
        "Whatever a datagram looks like, a known token at its end ends the connection silently (RFC 9000 section 10.3)",
        arguments: Beginning.allCases)
    func anyHeader(beginning: Beginning) throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        let own = client.identity.localHandshakeID.bytes
        let filler = [UInt8](repeating: 0x55, count: 30)
        let first: [UInt8] =
            switch beginning {
            case .short: [0x41] + filler
            case .long: [0xc1, 0, 0, 0, 1, 8] + filler
            case .unknownVersion: [0xc1, 0x5a, 0x6a, 0x7a, 0x8a, 8] + filler
            case .ownID: [0x41] + own + filler
            case .ownLongHeader: [0xe1, 0x5a, 0x6a, 0x7a, 0x8a, UInt8(own.count)] + own + [0] + filler
            case .damagedPacket: [0xe1, 0, 0, 0, 1, UInt8(own.count)] + own + [0, 20] + filler
            }
        pair.log = []
        pair.arrive(reset(first, client, server), atServer: false)
        #expect(client.closed == .statelessReset)
        client.ping()
        pair.arrive(server.forge(.oneRTT, Frame.ping.bytes, now: pair.now), atServer: false)
        pair.run(for: .milliseconds(100))
        #expect(pair.datagrams(toServer: true).isEmpty)
    }

    // Holds: 9000-10.3.1-3
    @Test("A token that differs in one bit, wherever, is no reset (RFC 9000 section 10.3.1)")
    func nearlyTheToken() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        let good = reset([0x41] + [UInt8](repeating: 0x55, count: 30), client, server)
        for bit in 0..<128 {
            var bytes = good
            bytes[bytes.count - 16 + bit / 8] ^= 1 << (bit % 8)
            pair.arrive(bytes, atServer: false)
            #expect(client.closed == nil)
        }
        pair.arrive(good, atServer: false)
        #expect(client.closed == .statelessReset)
    }

    // Holds: 9000-10.3-3
    @Test("Datagrams too short for a packet are dropped (RFC 9000 section 10.3)")
    func tooShort() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        let amnesiac = self.server(of: pair)
        let id = client.paths.active.remoteID!.bytes
        for count in 0...21 {
            let bytes = Array(([0x41] + id + [UInt8](repeating: 0, count: 20)).prefix(count))
            #expect(amnesiac.answers(to: bytes, now: pair.now).isEmpty)
            pair.arrive(bytes, atServer: true)
        }
        #expect(server.closed == nil)
    }

    // Holds: 9000-11-1
    @Test("A server that knows the connection never resets it (RFC 9000 section 11)")
    func noResetWithState() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        let junk = [0x41] + client.paths.active.remoteID!.bytes + [UInt8](repeating: 0x55, count: 300)
        #expect(pair.server.answers(to: junk, now: pair.now).isEmpty)
        server.close(code: 1, reason: "", now: pair.now)
        pair.exchange()
        for _ in 0..<4 { _ = pair.server.answers(to: junk, now: pair.now) }
        #expect(pair.server.statistics.statelessResetsSent == 0)
    }

    // Holds: 9000-5.2.3-1, 9000-21.11-2
    @Test("No server resets what another one with the same key may hold (RFC 9000 section 21.11)")
    func othersConnections() throws {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        let junk = [0x41] + client.paths.active.remoteID!.bytes + [UInt8](repeating: 0x55, count: 300)
        // The same server after a loss of memory may; another one and one started later may not.
        #expect(server(of: pair).answers(to: junk, now: pair.now).count == 1)
        #expect(server(of: pair) { $0.serverID = 1 }.answers(to: junk, now: pair.now).isEmpty)
        #expect(server(of: pair, startedAt: 100).answers(to: junk, now: pair.now).isEmpty)
    }

    // Holds: 9000-21.11-1
    @Test("A connection id names the event loop that its packets have to reach (RFC 9000 section 21.11)")
    func shardsAreNamed() throws {
        let pair = EndpointPair()
        let loops = (0..<4).map { shard in server(of: pair) { $0.shard = UInt16(shard) } }
        let client = try pair.connect()
        pair.exchange()
        let hello = pair.datagrams(toServer: true)
        for (shard, loop) in loops.enumerated() {
            for datagram in hello { _ = loop.answers(to: datagram, now: pair.now) }
            let connection = try #require(loop.connectionHandles.first.flatMap { loop.connection($0) })
            let short =
                [0x41] + connection.identity.localHandshakeID.bytes + [UInt8](repeating: 0, count: 100)
            short.withUnsafeBytes { bytes in
                for (index, other) in loops.enumerated() {
                    #expect(other.shard(of: bytes).map(Int.init) == shard)
                    #expect(other.owns(bytes, from: EndpointPair.clientAddress) == (index == shard))
                }
            }
        }
        #expect(client.closed == nil)
    }

    // Holds: 9000-10.3.2-1
    @Test("Reset tokens can't be told without the secret (RFC 9000 section 10.3.2)")
    func tokensNeedTheSecret() {
        let ids = (0..<500).map {
            ConnectionID([UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8), 0, 0, 0, 0, 0, 0])!
        }
        let keys = [1, 2].map { StatelessResetKey(SharedKey([UInt8](repeating: $0, count: 32))!) }
        let tokens = keys.flatMap { key in ids.map { key.token(for: $0) } }
        #expect(Set(tokens).count == 1000)
        // Half of the bits differ between ids that differ in one.
        let distances = zip(tokens, tokens.dropFirst()).map {
            ($0.high ^ $1.high).nonzeroBitCount + ($0.low ^ $1.low).nonzeroBitCount
        }
        #expect(distances.allSatisfy { 32...96 ~= $0 })
    }

    // Holds: 9000-10.3.2-3, 9000-10.3.2-4
    @Test(
        "No id is made twice, within a second, after a restart or on another loop (RFC 9000 section 10.3.2)")
    func idsAreUnique() {
        let key = SharedKey([UInt8](repeating: 2, count: 32))!
        var random = RandomGenerator(seed: [UInt8](repeating: 1, count: 32))
        var ids: Set<ConnectionID> = []
        let count = 5000
        var first = ConnectionIDGenerator(key: key, resetKey: key, serverID: 0, shard: 0)
        let cipher = ConnectionIDCipher(key, format: ConnectionIDGenerator.format)
        var counts: [UInt32] = []
        for _ in 0..<count {
            let id = first.make(unixTime: 1_800_000_000, using: &random)
            ids.insert(id)
            counts.append(UInt32(truncatingIfNeeded: cipher.decode(id)?.nonce ?? 0))
        }
        // Counted, not drawn: what is drawn comes up twice some day.
        let isCounted = zip(counts, counts.dropFirst()).allSatisfy { $0 &+ 1 == $1 }
        #expect(isCounted && ids.count == count)
        var second = ConnectionIDGenerator(key: key, resetKey: key, serverID: 0, shard: 1)
        var third = ConnectionIDGenerator(key: key, resetKey: key, serverID: 1, shard: 0)
        for _ in 0..<1000 {
            ids.insert(second.make(unixTime: 1_800_000_000, using: &random))
            ids.insert(third.make(unixTime: 1_800_000_000, using: &random))
            ids.insert(first.make(unixTime: 1_800_000_001, using: &random))
        }
        #expect(ids.count == count + 3000)
    }
}
