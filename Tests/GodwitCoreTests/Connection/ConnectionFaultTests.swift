import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

// What a campaign of simulated faults found, each as a story of its own.
@Suite("A connection under faults")
struct ConnectionFaultTests {
    static let mapped = NetworkAddress("192.0.2.1:61000")!

    /// From now on the client is at `mapped`, as far as the server is concerned, and nowhere else.
    private func rebind(_ pair: EndpointPair) {
        pair.intercept = { flight in
            var flight = flight
            if flight.toServer {
                flight.remote = Self.mapped
            } else {
                guard flight.local == Self.mapped else { return [] }
                flight.local = EndpointPair.clientAddress
            }
            return [flight]
        }
    }

    @Test(
        "A client whose address changes in its handshake is not kept busy by a challenge it has no keys for")
    func addressChangeInHandshake() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.client.resume(
            now: pair.now, frozen: .zero, unixTime: 1_800_000_000,
            localAddress: NetworkAddress("192.0.2.7:50000")!,
            entropy: Entropy(seed: [UInt8](repeating: 20, count: 32)))
        #expect(client.protection.oneRTT == nil)
        #expect(try #require(pair.client.nextDeadline) > pair.now)
    }

    @Test(
        "An acknowledgement that the amplification limit holds back is waited for (RFC 9000 section 8)"
    )
    func heldBackAcknowledgement() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        // One small packet from a new address allows a challenge and hardly more.
        pair.intercept = { flight in
            var flight = flight
            flight.remote = Self.mapped
            return flight.toServer ? [flight] : []
        }
        client.ping()
        pair.run(for: .milliseconds(11))
        pair.intercept = { _ in [] }
        #expect(server.remoteAddress == Self.mapped && !server.hasRoomToSend)
        let end = pair.now + .seconds(1)
        pair.run(for: .seconds(1))
        #expect(pair.now == end)
    }

    @Test("Nothing follows the event that tells of a connection's end")
    func endComesLast() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        let handle = server.handle
        rebind(pair)
        client.close(code: 1, reason: "", now: pair.now)
        pair.run(for: .seconds(1))
        #expect(
            pair.events(of: handle, in: pair.serverEvents).last
                == .closed(.application(code: 1, reason: "", byPeer: true)))
    }

    @Test(
        "A client that is rebound before HANDSHAKE_DONE shows itself in 1-RTT (RFC 9001 section 4.9.2)"
    )
    func rebindingBeforeConfirmation() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .seconds(1)) { client.lifecycle == .established }
        // Its last flight still comes from the old address; what answers it finds nobody there.
        pair.run(for: .milliseconds(1))
        rebind(pair)
        pair.inFlight.removeAll { !$0.toServer }
        #expect(pair.run(for: .seconds(10)) { client.isConfirmed })
        #expect(pair.serverConnection?.remoteAddress == Self.mapped)
    }

    @Test(
        "After a freeze a client is heard from, so that its server learns where it is (RFC 9000 section 9.3)")
    func clientIsHeardAfterFreeze() throws {
        let pair = EndpointPair()
        let (_, server) = try pair.establish()
        pair.run(for: .seconds(1))
        rebind(pair)
        pair.client.resume(
            now: pair.now, frozen: .zero, unixTime: 1_800_000_000, localAddress: nil,
            entropy: Entropy(seed: [UInt8](repeating: 20, count: 32)))
        pair.run(for: .seconds(1))
        #expect(server.remoteAddress == Self.mapped)
    }

    @Test(
        "A peer that falls silent while its path's size is in question is waited for (RFC 9000 section 8.2.4)"
    )
    func silenceIsNoProofOfSmallness() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        rebind(pair)
        client.ping()
        pair.run(for: .seconds(1)) { server.paths.active.isSizeUnproven }
        #expect(server.paths.active.isSizeUnproven)
        pair.intercept = { _ in [] }
        pair.inFlight.removeAll()
        pair.run(for: .seconds(8))
        rebind(pair)
        client.ping()
        pair.run(for: .seconds(20))
        #expect(server.closed == nil && client.closed == nil)
        #expect(server.remoteAddress == Self.mapped && !server.paths.active.isSizeUnproven)
    }

    @Test("A connection that is written and read back sends the same at the same times")
    func rewritingChangesNothing() throws {
        func log(rewrites: Bool) throws -> [[Int64]] {
            let pair = EndpointPair()
            let (client, server) = try pair.establish()
            let (c, s) = (client.handle, server.handle)
            let id = try #require(client.openStream(.unidirectional))
            var sent = 0
            pair.run(for: .seconds(5)) {
                if rewrites {
                    try? pair.client.rewrite(c, now: pair.now)
                    try? pair.server.rewrite(s, now: pair.now)
                }
                let piece = [UInt8](repeating: 1, count: min(10_000, 200_000 - sent))
                sent += (try? pair.client.connection(c)?.write(piece, to: id)) ?? 0
                _ = try? pair.server.connection(s)?.readAll(from: id, now: pair.now)
                return false
            }
            return pair.log.map { [$0.at.nanoseconds, Int64($0.bytes.count), $0.toServer ? 1 : 0] }
        }
        let plain = try log(rewrites: false)
        let rewritten = try log(rewrites: true)
        #expect(plain == rewritten)
    }
}
