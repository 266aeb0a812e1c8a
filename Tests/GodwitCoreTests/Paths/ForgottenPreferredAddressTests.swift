import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("A preferred address is for one connection")
struct ForgottenPreferredAddressTests {
    private let preferred = NetworkAddress("198.51.100.2:443")!

    /// Resumes a session of a server that had a preferred address, with early data.
    private func resume(_ pair: EndpointPair, _ ticket: ResumptionTicket) throws -> Connection {
        let client = try pair.connect {
            $0.resumption = ticket
            $0.offersEarlyData = true
        }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([1, 2, 3], to: id, fin: true)
        return client
    }

    private func destinations(_ pair: EndpointPair) -> Set<NetworkAddress> {
        Set(pair.log.filter(\.toServer).map(\.local))
    }

    // Holds: 9000-9.6.2-4
    @Test(
        "A resumed connection knows nothing of where the one before went to (RFC 9000 section 9.6.2)"
    )
    func otherServer() throws {
        let preferred = preferred
        let first = EndpointPair { $0.preferredIPv4Address = preferred }
        let ticket = try first.ticket()
        // Another server of the same name, which has none.
        let second = EndpointPair(seed: 40)
        let client = try resume(second, ticket)
        #expect(client.remoteAddress == EndpointPair.serverAddress)
        second.run(for: .seconds(3))
        #expect(client.summary?.isResumed == true && client.summary?.earlyDataAccepted == true)
        #expect(destinations(second) == [EndpointPair.serverAddress])
        #expect(client.remoteAddress == EndpointPair.serverAddress && client.isConfirmed)
    }

    // Holds: 9000-9.6.2-4
    @Test(
        "It begins at the server's own address, and moves when it is asked to anew (RFC 9000 section 9.6.2)")
    func sameServer() throws {
        let preferred = preferred
        let pair = EndpointPair { $0.preferredIPv4Address = preferred }
        let ticket = try pair.ticket()
        let client = try resume(pair, ticket)
        #expect(client.paths.active.remoteID == client.identity.originalDestination)
        pair.run(for: .seconds(1)) { client.lifecycle == .established }
        #expect(client.summary?.earlyDataAccepted == true)
        #expect(destinations(pair) == [EndpointPair.serverAddress])
        pair.run(for: .seconds(1))
        #expect(client.remoteAddress == preferred)
    }

    // Holds: 9000-9.6.2-4
    @Test("What is kept for later connections doesn't have it (RFC 9000 section 9.6.2)")
    func ticket() throws {
        let preferred = preferred
        let pair = EndpointPair { $0.preferredIPv4Address = preferred }
        let (client, _) = try pair.establish()
        pair.run(for: .milliseconds(500))
        #expect(client.peerParameters.preferredAddress?.ipv4 == preferred)
        let kept = try TransportParameters.decode(pair.ticket().transportParameters, sender: .server)
        #expect(kept.preferredAddress == nil)
    }
}
