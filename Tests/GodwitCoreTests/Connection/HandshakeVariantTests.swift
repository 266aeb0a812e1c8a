import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Ways into a connection")
struct HandshakeVariantTests {
    @Test("A Retry makes the client prove its address and the handshake goes on (RFC 9000 section 8.1.2)")
    func retry() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        let (client, server) = try pair.establish()
        #expect(client.isConfirmed && server.isConfirmed)
        #expect(pair.server.statistics.retriesSent == 2)
        #expect(client.identity.retrySource != nil)
    }

    @Test("A Retry token works once, from its address, for a short time (RFC 9000 section 8.1.4)")
    func retryTokenReuse() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        var withToken: EndpointPair.Flight?
        pair.intercept = { flight in
            if flight.toServer, withToken == nil, flight.at > .zero + .milliseconds(20) { withToken = flight }
            return [flight]
        }
        _ = try pair.establish()
        let before = pair.server.statistics.accepted
        pair.run(for: .seconds(40))
        pair.inject(try #require(withToken))
        #expect(pair.server.statistics.accepted == before)
    }

    @Test("A token of an earlier connection spares the Retry (RFC 9000 section 8.1.3)")
    func newToken() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        let (client, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let token = pair.events(of: client.handle, in: pair.clientEvents).compactMap {
            if case .addressToken(let token) = $0 { token } else { nil }
        }.first
        let again = try pair.connect { $0.token = token ?? [] }
        pair.run(for: .seconds(5)) { again.isConfirmed }
        #expect(again.isConfirmed)
        #expect(pair.server.statistics.retriesSent == 2)
    }

    @Test("A client whose version the server lacks starts over in another (RFC 9000 section 6)")
    func versionNegotiation() throws {
        var serverSide = TransportConfiguration()
        serverSide.versions = [.v1]
        var clientSide = TransportConfiguration()
        clientSide.versions = [.v2, .v1]
        let pair = EndpointPair(client: clientSide, server: serverSide)
        let (client, server) = try pair.establish()
        #expect(client.isConfirmed && server.isConfirmed)
        #expect(client.version == .v1)
        #expect(pair.server.statistics.versionNegotiationsSent == 2)
    }

    @Test("No version in common ends the attempt and says which there were (RFC 9000 section 6.2)")
    func noCommonVersion() throws {
        var clientSide = TransportConfiguration()
        clientSide.versions = [.v2]
        var serverSide = TransportConfiguration()
        serverSide.versions = [.v1]
        let pair = EndpointPair(client: clientSide, server: serverSide)
        let client = try pair.connect()
        let handle = client.handle
        pair.run(for: .seconds(5))
        let last = pair.events(of: handle, in: pair.clientEvents).last
        guard case .closed(.versionNegotiationFailed(let offered)) = last else {
            Issue.record("closed otherwise: \(String(describing: last))")
            return
        }
        #expect(offered.contains(QUICVersion.v1.rawValue))
    }

    @Test("A server that wants version 2 moves a version 1 client there on the way (RFC 9368 section 2.3)")
    func compatibleUpgrade() throws {
        var serverSide = TransportConfiguration()
        serverSide.versions = [.v2, .v1]
        let pair = EndpointPair(server: serverSide)
        let (client, server) = try pair.establish()
        #expect(client.version == .v2 && server.version == .v2)
        #expect(client.isConfirmed && server.isConfirmed)
    }

    @Test("Early data arrives with the first flight and is answered (RFC 9001 section 4.6)")
    func earlyData() throws {
        let pair = EndpointPair()
        let (first, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let ticket = try #require(self.ticket(of: first, pair))
        let client = try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write(Array("early".utf8), to: id, fin: true)
        // One way there: the server has the data before the handshake can be over.
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        #expect(try server.readAll(from: id, now: pair.now).bytes == Array("early".utf8))
        pair.run(for: .seconds(1))
        #expect(client.isConfirmed)
        #expect(client.summary?.earlyDataAccepted == true)
    }

    @Test("Early data that the server refuses is sent again after the handshake (RFC 9001 section 4.6.2)")
    func earlyDataRejected() throws {
        let pair = EndpointPair()
        let (first, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let ticket = try #require(self.ticket(of: first, pair))
        // The same ticket a second time is a replay to the filter of the server's TLS; so is its ClientHello.
        let other = EndpointPair(seed: 77) {
            var tls = DeterministicTLSServer(applicationProtocols: ["test"])
            tls.ticketKeys = TicketKeys([SharedKey([UInt8](repeating: 9, count: 32))!])
            $0.handshake = .deterministic(tls)
        }
        let client = try other.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write(Array("early".utf8), to: id, fin: true)
        other.run(for: .seconds(2))
        let server = try #require(other.serverConnection)
        #expect(client.isConfirmed)
        #expect(client.summary?.earlyDataAccepted == false)
        #expect(try server.readAll(from: id, now: other.now).bytes == Array("early".utf8))
    }

    private func ticket(of connection: Connection, _ pair: EndpointPair) -> ResumptionTicket? {
        pair.events(of: connection.handle, in: pair.clientEvents).compactMap {
            if case .resumptionTicket(let ticket) = $0 { ticket } else { nil }
        }.first
    }

    @Test("Every tenth datagram lost in each direction only delays the handshake", arguments: 0..<10)
    func lossyHandshake(offset: Int) throws {
        let pair = EndpointPair(seed: UInt8(offset))
        var count = 0
        pair.intercept = { flight in
            count += 1
            return (count + offset) % 3 == 0 ? [] : [flight]
        }
        let (client, server) = try pair.establish()
        #expect(client.isConfirmed && server.isConfirmed)
    }

    @Test(
        "With room for less than an Initial packet, a server waits instead of spinning (RFC 9002 section 6.2.2.1)"
    )
    func littleRoom() throws {
        let pair = EndpointPair { configuration in
            var tls = DeterministicTLSServer(applicationProtocols: ["test"])
            tls.certificateLength = 9000
            configuration.handshake = .deterministic(tls)
        }
        var toServer = 0
        pair.intercept = { flight in
            if flight.toServer { toServer += flight.bytes.count }
            return flight.toServer && toServer > 2500 ? [] : [flight]
        }
        try pair.connect()
        pair.run(for: .milliseconds(100))
        // Junk counts too: three times its 100 bytes are room for something, but not for an Initial packet.
        var junk = try #require(pair.log.first { $0.toServer })
        junk.bytes = Array(junk.bytes.prefix(100))
        pair.inject(junk)
        let end = pair.now + .seconds(3)
        pair.run(for: .seconds(3))
        #expect(pair.now == end)
        #expect(try #require(pair.server.nextDeadline) > end)
    }

    @Test("The server sends an unproved address three times what it got, and no more (RFC 9000 section 8.1)")
    func amplification() throws {
        let pair = EndpointPair { configuration in
            var tls = DeterministicTLSServer(applicationProtocols: ["test"])
            tls.certificateLength = 9000
            configuration.handshake = .deterministic(tls)
        }
        var (toServer, toClient) = (0, 0)
        pair.intercept = { flight in
            if flight.toServer {
                toServer += flight.bytes.count
                return toServer > 2500 ? [] : [flight]
            }
            toClient += flight.bytes.count
            return [flight]
        }
        try pair.connect()
        pair.run(for: .seconds(9))
        #expect(toClient > 1200 && toClient <= 3 * 2500)
    }
}
