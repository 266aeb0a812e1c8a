import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The announced number of connection ids (RFC 9000 section 18.2)")
struct ActiveIDLimitTests {
    // Holds: 9000-18.2-6
    @Test(
        "It is never below 2, whatever the configuration says (RFC 9000 section 18.2)",
        arguments: [Int.min, -1, 0, 1, 2, 3, 1000])
    func announcement(limit: Int) throws {
        var transport = TransportConfiguration()
        transport.activeConnectionIDLimit = limit
        let pair = EndpointPair(client: transport, server: transport)
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        let expected = UInt64(max(2, limit))
        for end in [client, server] {
            #expect(end.localParameters.activeConnectionIDLimit == expected)
            #expect(end.peerParameters.activeConnectionIDLimit == expected)
            // The second id is taken.
            #expect(end.paths.remoteIDs.activeCount >= 2 && end.closed == nil)
        }
    }

    // Holds: 9000-18.2-6
    @Test("On the wire too: the parameter is there, or its default of 2 holds (RFC 9000 section 18.2)")
    func encoding() throws {
        var transport = TransportConfiguration()
        transport.activeConnectionIDLimit = 0
        let parameters = TransportParameters(transport)
        for sender in [Role.client, .server] {
            let bytes = parameters.encoded(sender: sender)
            #expect(try TransportParameters.decode(bytes, sender: sender).activeConnectionIDLimit == 2)
        }
    }
}
