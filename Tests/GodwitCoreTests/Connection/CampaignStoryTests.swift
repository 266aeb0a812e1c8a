import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

/// What fault campaigns brought to light, each as the shortest story that shows it.
@Suite("Stories that fault campaigns told")
struct CampaignStoryTests {
    private func ticket(_ pair: EndpointPair) throws -> ResumptionTicket {
        let (first, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let ticket = pair.events(of: first.handle, in: pair.clientEvents).compactMap {
            if case .resumptionTicket(let ticket) = $0 { ticket } else { nil }
        }.first
        return try #require(ticket)
    }

    private func resume(_ pair: EndpointPair, _ ticket: ResumptionTicket) throws -> Connection {
        try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
    }

    /// Another server with the same ticket keys.
    private func otherServer(
        client: TransportConfiguration = .init(), _ change: (inout TransportConfiguration) -> Void
    ) -> EndpointPair {
        var transport = TransportConfiguration()
        change(&transport)
        return EndpointPair(client: client, server: transport, seed: 77)
    }

    // A client that migrated with the first packet after NEW_CONNECTION_ID was reset by its own server.
    @Test("An id leads to its connection before the peer can have it (RFC 9000 section 5.1.1)")
    func idsOfTheMoment() throws {
        let pair = EndpointPair()
        try pair.connect()
        #expect(pair.run(for: .seconds(1)) { pair.serverConnection?.isConfirmed ?? false })
        let server = try #require(pair.serverConnection)
        // Issued and sent, and nothing has come since.
        #expect(server.localIDs.live.count > 2)
        for id in server.localIDs.live { #expect(pair.server.table.contains(id)) }
    }

    @Test("Datagrams of refused early data keep to the server's real limit (RFC 9221 section 3)")
    func refusedDatagrams() throws {
        var transport = TransportConfiguration()
        transport.maxDatagramFrameSize = 1200
        let ticket = try ticket(EndpointPair(client: transport, server: transport))
        let other = otherServer(client: transport) { $0.maxDatagramFrameSize = 0 }
        let client = try resume(other, ticket)
        for _ in 0..<3 { try [1, 2, 3].withUnsafeBytes { try client.sendDatagram($0) } }
        other.run(for: .milliseconds(5))
        for _ in 0..<3 { try [1, 2, 3].withUnsafeBytes { try client.sendDatagram($0) } }
        other.run(for: .seconds(2))
        #expect(client.isConfirmed && client.summary?.earlyDataAccepted == false)
        #expect(client.maxDatagramSize == nil && other.serverConnection?.isConfirmed == true)
    }

    @Test("A ticket that allows no early data brings no limits along (RFC 9000 section 7.4.1)")
    func ticketWithoutEarlyData() throws {
        let pair = EndpointPair { configuration in
            var tls = DeterministicTLSServer(applicationProtocols: ["test"])
            tls.ticketKeys = TicketKeys([SharedKey([UInt8](repeating: 9, count: 32))!])
            configuration.handshake = .deterministic(tls)
        }
        let ticket = try ticket(pair)
        let other = otherServer { $0.maxIncomingBidirectionalStreams = 1 }
        let client = try resume(other, ticket)
        // The ticket remembers a hundred.
        #expect(client.openStream(.bidirectional) == nil)
        other.run(for: .seconds(2))
        #expect(client.isConfirmed && client.summary?.isResumed == true)
        #expect(client.openStream(.bidirectional) != nil && client.openStream(.bidirectional) == nil)
    }

    @Test("Early data that a Version Negotiation puts an end to goes out again within the real limits")
    func negotiatedAway() throws {
        var transport = TransportConfiguration()
        transport.versions = [.v2, .v1]
        let ticket = try ticket(EndpointPair(client: transport, server: transport))
        #expect(ticket.version == .v2)
        let other = otherServer(client: transport) {
            $0.versions = [.v1]
            $0.initialStreamWindow = 1000
        }
        let client = try resume(other, ticket)
        let id = try #require(client.openStream(.unidirectional))
        let data = [UInt8](repeating: 5, count: 20_000)
        #expect(try client.write(data, to: id, fin: true) == data.count)
        var received: [UInt8] = []
        other.run(for: .seconds(5)) {
            if let server = other.serverConnection, server.isConfirmed {
                received += (try? server.readAll(from: id, now: other.now))?.bytes ?? []
            }
            return received.count == data.count
        }
        #expect(received == data && client.isConfirmed && client.version == .v1)
        #expect(other.events(of: client.handle, in: other.clientEvents).contains(.earlyDataRejected))
    }

    // A server whose client had moved once more sent the same bytes of memory again and again.
    @Test("Without a connection id for the peer there is no MTU probe either (RFC 9000 section 9.5)")
    func probeWithoutID() throws {
        let pair = EndpointPair()
        let (_, server) = try pair.establish()
        server.paths.active.mtu.forgetProbe()
        server.paths.active.remoteID = nil
        #expect(server.paths.active.mtu.probeSize(at: pair.now) != nil)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let sent = buffer.withUnsafeMutableBytes { server.transmit(into: $0, now: pair.now) }
        #expect(sent == nil)
    }
}
