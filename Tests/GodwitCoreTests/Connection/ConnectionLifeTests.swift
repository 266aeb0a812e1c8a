import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The life of a connection")
struct ConnectionLifeTests {
    @Test("Silence ends it after the smaller of both idle timeouts (RFC 9000 section 10.1)")
    func idle() throws {
        var clientSide = TransportConfiguration()
        clientSide.idleTimeout = .seconds(3)
        let pair = EndpointPair(client: clientSide)
        let (client, server) = try pair.establish()
        let (c, s) = (client.handle, server.handle)
        pair.run(for: .seconds(5))
        #expect(pair.events(of: c, in: pair.clientEvents).last == .closed(.idleTimeout))
        #expect(pair.events(of: s, in: pair.serverEvents).last == .closed(.idleTimeout))
    }

    @Test("Keep-alive keeps it (RFC 9000 section 10.1.2)")
    func keepAlive() throws {
        var clientSide = TransportConfiguration()
        clientSide.idleTimeout = .seconds(3)
        clientSide.keepAliveInterval = .seconds(1)
        let pair = EndpointPair(client: clientSide)
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(20))
        #expect(client.closed == nil && server.closed == nil)
    }

    @Test("Either side updates the keys, again and again, and data flows on (RFC 9001 section 6)")
    func keyUpdate() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        for round in 0..<7 {
            // Not before something was acknowledged in both directions (RFC 9001 section 6.1).
            if round > 0 { (round % 2 == 0 ? client : server).updateKeys() }
            let id = try #require(client.openStream(.bidirectional))
            _ = try client.write([1, 2, 3], to: id, fin: true)
            pair.run(for: .milliseconds(300))
            #expect(try server.readAll(from: id, now: pair.now).bytes == [1, 2, 3])
            _ = try server.write([4], to: id, fin: true)
            pair.run(for: .milliseconds(300))
            #expect(try client.readAll(from: id, now: pair.now).bytes == [4])
            pair.run(for: .seconds(1))
        }
        // One that starts before the last was acknowledged waits, so two may become one.
        #expect(client.statistics.keyUpdates >= 4)
        #expect(server.statistics.keyUpdates == client.statistics.keyUpdates)
    }

    @Test("The keys change by themselves before the AEAD's limit (RFC 9001 section 6.6)")
    func keyUpdateByCount() throws {
        var clientSide = TransportConfiguration()
        clientSide.packetsPerKeyPhase = 20
        let pair = EndpointPair(client: clientSide)
        let (client, server) = try pair.establish()
        for _ in 0..<60 {
            let id = try #require(client.openStream(.bidirectional))
            _ = try client.write([1], to: id, fin: true)
            pair.run(for: .milliseconds(100))
            _ = try server.readAll(from: id, now: pair.now)
            _ = try server.write([2], to: id, fin: true)
            pair.run(for: .milliseconds(100))
            _ = try client.readAll(from: id, now: pair.now)
        }
        #expect(client.statistics.keyUpdates >= 2)
        #expect(client.closed == nil && server.closed == nil)
    }

    @Test(
        "A server without memory resets, and only the peer's own address makes the client believe it (RFC 9000 section 10.3)"
    )
    func statelessReset() throws {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        // The same keys, none of the connections, and started before the ids were made.
        var configuration = EndpointPair.configuration(
            .init(), server: pair.server.environment.configuration.server)
        configuration.unixTimeAtEpoch -= 100
        let amnesiac = Endpoint(
            configuration: configuration, entropy: Entropy(seed: [UInt8](repeating: 50, count: 32)))
        var reset: EndpointPair.Flight?
        pair.intercept = { [unowned pair] flight in
            guard flight.toServer else { return [flight] }
            var bytes = flight.bytes
            bytes.withUnsafeMutableBytes {
                amnesiac.receive(
                    $0, segmentSize: flight.bytes.count, from: flight.remote, to: flight.local, ecn: .notECT,
                    now: pair.now)
            }
            var buffer = [UInt8](repeating: 0, count: 1500)
            if let sent = buffer.withUnsafeMutableBytes({ amnesiac.transmit(into: $0, now: pair.now) }) {
                reset = .init(
                    at: pair.now, bytes: Array(buffer[..<sent.count]), remote: sent.local, local: sent.remote,
                    ecn: .notECT, toServer: false)
            }
            return []
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([UInt8](repeating: 1, count: 100), to: id)
        pair.exchange()
        var stolen = try #require(reset)
        stolen.remote = NetworkAddress("203.0.113.66:443")!
        pair.inject(stolen)
        #expect(client.closed == nil)
        pair.inject(try #require(reset))
        #expect(client.closed == .statelessReset)
    }

    @Test("A server sends no reset for an id of before its own start (RFC 9000 section 21.11)")
    func noResetForOlderIDs() throws {
        let pair = EndpointPair()
        _ = try pair.establish()
        pair.run(for: .seconds(1))
        var configuration = EndpointPair.configuration(
            .init(), server: pair.server.environment.configuration.server)
        configuration.unixTimeAtEpoch += 100
        let younger = Endpoint(
            configuration: configuration, entropy: Entropy(seed: [UInt8](repeating: 50, count: 32)))
        let short = try #require(pair.log.last { $0.toServer && $0.bytes[0] & 0x80 == 0 })
        var bytes = short.bytes
        bytes.withUnsafeMutableBytes {
            younger.receive(
                $0, segmentSize: $0.count, from: short.remote, to: short.local, ecn: .notECT, now: pair.now)
        }
        var buffer = [UInt8](repeating: 0, count: 1500)
        #expect(buffer.withUnsafeMutableBytes { younger.transmit(into: $0, now: pair.now) } == nil)
    }

    @Test("A confirmed connection is plain data: written and read back in mid-transfer, nothing changes")
    func snapshots() throws {
        let pair = EndpointPair()
        var (client, server) = try pair.establish()
        let id = try #require(client.openStream(.unidirectional))
        let data = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 2) }
        var (offset, received, finished, step) = (0, [UInt8](), false, 0)
        pair.run(for: .seconds(60)) {
            step += 1
            if step % 10 == 0 {
                try? pair.client.rewrite(client.handle, now: pair.now)
                try? pair.server.rewrite(server.handle, now: pair.now)
                client = pair.client.connection(client.handle)!
                server = pair.server.connection(server.handle)!
            }
            if offset < data.count {
                let part = Array(data[offset...].prefix(50_000))
                offset += (try? client.write(part, to: id, fin: offset + part.count == data.count)) ?? 0
            }
            if let part = try? server.readAll(from: id, now: pair.now) {
                received += part.bytes
                finished = part.isFinished
            }
            return finished
        }
        #expect(finished && received.elementsEqual(data))
    }

    @Test("A client that moves to another local address takes its connection along (RFC 9000 section 9.2)")
    func migration() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(200))
        let other = NetworkAddress("192.0.2.99:50001")!
        #expect(client.migrate(toLocal: other, now: pair.now))
        pair.run(for: .seconds(1))
        #expect(client.localAddress == other && server.remoteAddress == other)
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([1, 2], to: id, fin: true)
        pair.run(for: .milliseconds(300))
        #expect(try server.readAll(from: id, now: pair.now).bytes == [1, 2])
    }

    @Test("A NAT that rebinds is followed (RFC 9000 section 9.3)")
    func rebinding() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(200))
        let mapped = NetworkAddress("192.0.2.1:61000")!
        pair.intercept = { flight in
            var flight = flight
            if flight.toServer { flight.remote = mapped }
            if !flight.toServer { flight.local = EndpointPair.clientAddress }
            return [flight]
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([5], to: id, fin: true)
        pair.run(for: .seconds(1))
        #expect(server.remoteAddress == mapped)
        #expect(try server.readAll(from: id, now: pair.now).bytes == [5])
        #expect(client.closed == nil && server.closed == nil)
    }

    @Test("The server's preferred address is where the connection goes (RFC 9000 section 9.6)")
    func preferredAddress() throws {
        let preferred = NetworkAddress("198.51.100.2:443")!
        let pair = EndpointPair { $0.preferredIPv4Address = preferred }
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        #expect(client.remoteAddress == preferred && server.localAddress == preferred)
    }

    @Test("Datagrams travel, unreliably (RFC 9221)")
    func datagrams() throws {
        var transport = TransportConfiguration()
        transport.maxDatagramFrameSize = 1200
        let pair = EndpointPair(client: transport, server: transport)
        let (client, server) = try pair.establish()
        try [UInt8]([1, 2, 3]).withUnsafeBytes { try client.sendDatagram($0) }
        pair.run(for: .milliseconds(100))
        #expect(server.readDatagram() == [1, 2, 3])
    }

    @Test("After a freeze of three days both ends go on")
    func freeze() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        // The server's process stands still for two seconds; its clock goes on from where it stood.
        pair.intercept = { _ in [] }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([9], to: id, fin: true)
        pair.run(for: .seconds(2))
        pair.intercept = { [$0] }
        pair.server.resume(
            now: pair.now, frozen: .seconds(2), unixTime: 1_800_000_000 + 3 * 86_400, localAddress: nil,
            entropy: Entropy(seed: [UInt8](repeating: 200, count: 32)))
        pair.run(for: .seconds(3))
        #expect(try server.readAll(from: id, now: pair.now).bytes == [9])
        #expect(client.closed == nil && server.closed == nil)
    }
}
