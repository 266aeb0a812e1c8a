import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Version Negotiation")
struct VersionTests {
    private let unknown = QUICVersion(rawValue: 0x5a6a_7a8a)

    private func packet(_ version: QUICVersion, to destination: [UInt8], from source: [UInt8], size: Int)
        -> [UInt8]
    {
        var packet: [UInt8] = [0xc3]
        withUnsafeBytes(of: version.rawValue.bigEndian) { packet += $0 }
        packet += [UInt8(destination.count)] + destination + [UInt8(source.count)] + source
        return packet + [UInt8](repeating: 0x55, count: max(0, size - packet.count))
    }

    // Holds: 9000-5.2.2-1
    @Test(
        "A packet of an unknown version that is too small to begin a connection gets no answer (RFC 9000 section 5.2.2)"
    )
    func smallPackets() {
        let pair = EndpointPair()
        let (to, from) = ([UInt8](repeating: 1, count: 8), [UInt8](repeating: 2, count: 8))
        #expect(
            pair.server.answers(to: packet(unknown, to: to, from: from, size: 1199), now: pair.now).isEmpty)
        #expect(
            pair.server.answers(to: packet(unknown, to: to, from: from, size: 1200), now: pair.now).count == 1
        )
    }

    // Holds: 9000-5.2.2-2
    @Test("Packets that begin nothing leave nothing behind (RFC 9000 section 5.2.2)")
    func packetsOfNobody() throws {
        let pair = EndpointPair()
        let other = EndpointPair(seed: 5)
        let client = try other.connect()
        other.run(for: .seconds(1)) { client.protection.canWrite(at: .handshake) }
        let handshake = client.forge(.handshake, Frame.ping.bytes, paddedTo: 1200, now: other.now)
        #expect(pair.server.answers(to: handshake, now: pair.now).isEmpty)
        // An id that is too short for a first packet, and a genuine first packet that was damaged.
        let second = try other.connect()
        let short = second.forge(.initial, Frame.ping.bytes, paddedTo: 1200, now: other.now) {
            $0.destination = ConnectionID([1, 2, 3, 4, 5, 6, 7])!
        }
        #expect(pair.server.answers(to: short, now: pair.now).isEmpty)
        var damaged = second.forge(.initial, Frame.ping.bytes, paddedTo: 1200, now: other.now)
        damaged[600] ^= 1
        #expect(pair.server.answers(to: damaged, now: pair.now).isEmpty)
        while pair.server.nextEvent() != nil {}
        #expect(pair.server.connectionCount == 0)
    }

    // Holds: 9000-6.1-1
    @Test("Version Negotiation is never answered by Version Negotiation (RFC 9000 section 6.1)")
    func noLoop() {
        let pair = EndpointPair()
        let id = [UInt8](repeating: 1, count: 8)
        #expect(
            pair.server.answers(to: packet(.negotiation, to: id, from: id, size: 1200), now: pair.now).isEmpty
        )
        #expect(pair.client.answers(to: packet(unknown, to: id, from: id, size: 1200), now: pair.now).isEmpty)
    }

    // Holds: 9000-17.2.1-3, 9000-17.2.1-4, 9000-17.2.1-5, 9000-17.2.1-6
    @Test(
        "One Version Negotiation packet answers a datagram, with its ids swapped (RFC 9000 section 17.2.1)",
        arguments: [0, 8, 20, 21, 255])
    func idsAreSwapped(length: Int) throws {
        let pair = EndpointPair()
        let (to, from) = ([UInt8](repeating: 1, count: length), [UInt8](repeating: 2, count: 255 - length))
        let whole = packet(unknown, to: to, from: from, size: 600)
        let answers = pair.server.answers(to: whole + whole, now: pair.now)
        #expect(answers.count == 1)
        let answer = try #require(answers.first)
        #expect(Array(answer[1..<5]) == [0, 0, 0, 0])
        #expect(Array(answer[5...].prefix(1 + from.count)) == [UInt8(from.count)] + from)
        #expect(Array(answer[(6 + from.count)...].prefix(1 + to.count)) == [UInt8(to.count)] + to)
    }

    /// A client in version 1 that has heard nothing yet.
    private func waiting(_ versions: [QUICVersion]) throws -> (EndpointPair, Connection) {
        var transport = TransportConfiguration()
        transport.versions = versions
        let pair = EndpointPair(client: transport)
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        pair.exchange()
        return (pair, client)
    }

    private func negotiate(_ client: Connection, _ versions: [QUICVersion]) -> [UInt8] {
        OpenPacket.versionNegotiation(
            to: client.identity.localHandshakeID, from: client.identity.originalDestination, versions)
    }

    // Holds: 9000-6.2-1
    @Test("A client without a common version gives up (RFC 9000 section 6.2)")
    func nothingInCommon() throws {
        let (pair, client) = try waiting([.v1])
        pair.arrive(negotiate(client, [unknown]), atServer: false)
        #expect(client.closed == .versionNegotiationFailed(offered: [unknown.rawValue]))
        pair.log = []
        pair.run(for: .seconds(3))
        #expect(pair.log.isEmpty)
    }

    // Holds: 9000-6.2-2
    @Test(
        "A client that has heard anything of a server ignores Version Negotiation (RFC 9000 section 6.2)",
        arguments: 0..<3)
    func afterOtherPackets(which: Int) throws {
        let (pair, client) = try waiting([.v1, .v2])
        let (id, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        switch which {
        case 0: pair.arrive(negotiate(client, [.v2]), atServer: false)
        case 1:
            let source = ConnectionID([9, 8, 7, 6, 5, 4, 3, 2])!
            pair.arrive(
                OpenPacket.retry(to: id, from: source, token: [1], original: original), atServer: false)
        default:
            pair.log.forEach { pair.inject($0) }
            pair.collectEvents()
            let server = try #require(pair.serverConnection)
            pair.arrive(server.forge(.initial, Frame.ping.bytes, now: pair.now), atServer: false)
        }
        let version = client.identity.originalVersion
        #expect(version == (which == 0 ? .v2 : .v1))
        pair.arrive(negotiate(client, [unknown]), atServer: false)
        pair.arrive(negotiate(client, [which == 0 ? .v1 : .v2]), atServer: false)
        #expect(client.identity.originalVersion == version && client.closed == nil)
    }

    // Holds: 9000-6.2-3
    @Test("Version Negotiation that offers the version in use is ignored (RFC 9000 section 6.2)")
    func offersOurs() throws {
        let (pair, client) = try waiting([.v1, .v2])
        pair.arrive(negotiate(client, [.v2, .v1]), atServer: false)
        #expect(client.identity.originalVersion == .v1 && client.closed == nil)
        #expect(!client.identity.hasReactedToVersionNegotiation)
    }

    // Holds: 9000-21.12-1
    @Test("A client that forged Version Negotiation led astray finds out (RFC 9368 section 4)")
    func downgrade() throws {
        var transport = TransportConfiguration()
        transport.versions = [.v2, .v1]
        var serverSide = TransportConfiguration()
        serverSide.versions = [.v1, .v2]
        let pair = EndpointPair(client: transport, server: serverSide)
        let client = try pair.connect()
        // Comes before the server's own answer.
        pair.arrive(negotiate(client, [.v1]), atServer: false)
        #expect(client.identity.originalVersion == .v1)
        pair.run(for: .seconds(2)) { client.closed != nil || client.isConfirmed }
        #expect(client.ownError == .versionNegotiationError)
    }

    @Test(
        "A server that knows nothing of version negotiation is taken to speak version 1 (RFC 9368 section 8)",
        arguments: [QUICVersion.v1, .v2])
    func oldServer(led: QUICVersion) throws {
        var transport = TransportConfiguration()
        transport.versions = led == .v1 ? [.v2, .v1] : [.v1, .v2]
        var serverSide = TransportConfiguration()
        serverSide.versions = [led]
        let pair = EndpointPair(client: transport, server: serverSide)
        let client = try pair.connect()
        pair.run(for: .seconds(2)) { client.hasPeerParameters || client.closed != nil }
        #expect(client.identity.hasReactedToVersionNegotiation && client.version == led)
        var parameters = try #require(pair.serverConnection).localParameters
        parameters.versionInformation = nil
        client.hasPeerParameters = false
        if led == .v1 {
            try client.receivePeerParameters(parameters.encoded(sender: .server))
        } else {
            let failure = #expect(throws: TransportError.self) {
                try client.receivePeerParameters(parameters.encoded(sender: .server))
            }
            #expect(failure?.code == .versionNegotiationError)
        }
    }
}
