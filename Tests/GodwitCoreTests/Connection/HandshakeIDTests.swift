import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Connection ids of the handshake")
struct HandshakeIDTests {
    private let stranger = ConnectionID([9, 9, 9, 9, 9, 9, 9, 9])!

    // Holds: 9000-7.2-2
    @Test("A client keeps to the id it made up until it hears from the server (RFC 9000 section 7.2)")
    func oneDestination() throws {
        let pair = EndpointPair()
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        pair.run(for: .seconds(5))
        let destinations = pair.datagrams(toServer: true).flatMap { VisiblePacket.all(in: $0) }.map(
            \.destination)
        #expect(destinations.count >= 4 && Set(destinations) == [client.identity.originalDestination])
    }

    // Holds: 9000-7.2-3, 9000-7.2-4, 9000-7.2-6
    @Test(
        "The server's first Initial packet names its id, and later ones with another are dropped (RFC 9000 section 7.2)"
    )
    func idOfTheServer() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        pair.intercept = { _ in [] }
        pair.inFlight = []
        pair.arrive(server.forge(.initial, Frame.ping.bytes, now: pair.now), atServer: false)
        #expect(client.identity.remoteHandshakeID == server.identity.localHandshakeID)
        #expect(client.paths.active.remoteID == server.identity.localHandshakeID)
        let before = client.received.initial.largest
        let other = server.forge(.initial, Frame.ping.bytes, now: pair.now) { $0.source = stranger }
        pair.arrive(other, atServer: false)
        #expect(client.received.initial.largest == before)
        #expect(client.paths.active.remoteID == server.identity.localHandshakeID)
        let handshake = server.forge(.handshake, Frame.ping.bytes, now: pair.now) { $0.source = stranger }
        pair.arrive(handshake, atServer: false)
        #expect(client.received.handshake.largest == nil && client.closed == nil)
    }

    // Holds: 9000-7.2-5, 9000-7.2-6
    @Test(
        "A server answers to the id of the first Initial packet, and drops those with another (RFC 9000 section 7.2)"
    )
    func idOfTheClient() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        let before = server.received.initial.largest
        let other = client.forge(.initial, Frame.ping.bytes, paddedTo: 1200, now: pair.now) {
            $0.source = stranger
        }
        pair.arrive(other, atServer: true)
        #expect(server.received.initial.largest == before && server.closed == nil)
        pair.run(for: .milliseconds(300))
        let packets = pair.datagrams(toServer: false).flatMap { VisiblePacket.all(in: $0) }.filter {
            $0.type != nil
        }
        #expect(!packets.isEmpty && packets.allSatisfy { $0.destination == client.identity.localHandshakeID })
    }

    // Holds: 9000-17.2.2-2
    @Test("A client drops an Initial packet with a token (RFC 9000 section 17.2.2)")
    func tokenFromServer() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        pair.arrive(
            server.forge(.initial, Frame.ping.bytes, now: pair.now) { $0.token = [1] }, atServer: false)
        #expect(client.received.initial.largest == nil && client.closed == nil)
    }

    // Holds: 9000-5.2.1-1
    @Test("A client drops packets of a version that it did not choose (RFC 9000 section 5.2.1)")
    func otherVersion() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        _ = client
        let second = try pair.connect { $0.transport = TransportConfiguration(versions: [.v1]) }
        pair.run(for: .milliseconds(11))
        let other = try #require(pair.serverConnection)
        #expect(other !== server)
        let packet = other.forge(.initial, Frame.ping.bytes, now: pair.now) { $0.version = .v2 }
        pair.arrive(packet, atServer: false)
        #expect(second.received.initial.largest == nil && second.version == .v1 && second.closed == nil)
        var reserved = other.forge(.initial, Frame.ping.bytes, now: pair.now)
        reserved.replaceSubrange(1..<5, with: [0x1a, 0x2a, 0x3a, 0x4a])
        pair.arrive(reserved, atServer: false)
        #expect(second.received.initial.largest == nil && second.closed == nil)
    }

    // Holds: 9000-7.3-1
    @Test(
        "The parameters name the ids that the packets carried (RFC 9000 section 7.3)",
        arguments: [true, false])
    func parametersNameIDs(withRetry: Bool) throws {
        let pair = EndpointPair { $0.retryPolicy = withRetry ? .always : .never }
        let connection = try pair.connect()
        pair.run(for: .seconds(3)) { connection.isConfirmed }
        let sent = pair.datagrams(toServer: true).flatMap { VisiblePacket.all(in: $0) }
        let answers = pair.datagrams(toServer: false).flatMap { VisiblePacket.all(in: $0) }
        let (client, server) = (pair.serverConnection!.peerParameters, connection.peerParameters)
        #expect(client.initialSourceConnectionID == sent[0].source)
        #expect(server.originalDestinationConnectionID == sent[0].destination)
        #expect(server.initialSourceConnectionID == answers.first { $0.type == .initial }?.source)
        #expect(server.retrySourceConnectionID == answers.first { $0.type == .retry }?.source)
        #expect((server.retrySourceConnectionID != nil) == withRetry)
    }

    /// What an end may find wrong in its peer's ids.
    enum Falsehood: CaseIterable {
        case noInitialSource, otherInitialSource, noOriginal, otherOriginal, retryUncalledFor, noRetry,
            otherRetry
    }

    // Holds: 9000-7.3-2, 9000-7.3-3, 9000-7.3-4
    @Test(
        "A client closes when the server's parameters name other ids than its packets (RFC 9000 section 7.3)",
        arguments: Falsehood.allCases)
    func falseServerIDs(falsehood: Falsehood) throws {
        let withRetry = falsehood == .noRetry || falsehood == .otherRetry
        let pair = EndpointPair { $0.retryPolicy = withRetry ? .always : .never }
        let client = try pair.connect()
        pair.run(for: .seconds(1)) {
            client.identity.remoteHandshakeID != nil && !client.hasPeerParameters || client.isConfirmed
        }
        var parameters = try #require(pair.serverConnection).localParameters
        switch falsehood {
        case .noInitialSource: parameters.initialSourceConnectionID = nil
        case .otherInitialSource: parameters.initialSourceConnectionID = stranger
        case .noOriginal: parameters.originalDestinationConnectionID = nil
        case .otherOriginal: parameters.originalDestinationConnectionID = stranger
        case .retryUncalledFor, .otherRetry: parameters.retrySourceConnectionID = stranger
        case .noRetry: parameters.retrySourceConnectionID = nil
        }
        client.hasPeerParameters = false
        let failure = #expect(throws: TransportError.self) {
            try client.receivePeerParameters(parameters.encoded(sender: .server))
        }
        #expect(failure?.code == .transportParameterError)
    }

    // Holds: 9000-7.3-2, 9000-7.3-3
    @Test(
        "A server closes when the client's parameters name another id than its packets (RFC 9000 section 7.3)",
        arguments: [true, false])
    func falseClientID(isMissing: Bool) throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        // The ClientHello is made before anything is sent: make it again with other parameters.
        client.localParameters.initialSourceConnectionID = isMissing ? nil : stranger
        client.crypto.initial = CryptoStream(receiveLimit: 65536)
        let parameters = client.localParameters.encoded(sender: .client)
        client.handshake = DeterministicTLSClient(applicationProtocols: ["test"]).makeHandshake(
            serverName: "server.test", transportParameters: parameters,
            random: RandomGenerator(seed: [UInt8](repeating: 4, count: 32)))
        try client.handshake?.start()
        try client.drainHandshake(now: pair.now)
        pair.run(for: .seconds(1))
        #expect(client.peersError == .transportParameterError)
    }
}

extension TransportConfiguration {
    fileprivate init(versions: [QUICVersion]) {
        self.init()
        self.versions = versions
    }
}
