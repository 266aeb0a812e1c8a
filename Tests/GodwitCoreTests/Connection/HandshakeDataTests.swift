import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The CRYPTO data of the handshake and its levels")
struct HandshakeDataTests {
    /// The server has the first of the two datagrams of the ClientHello.
    private func halfHello(_ transport: TransportConfiguration = .init()) throws -> (
        EndpointPair, Connection, Connection
    ) {
        let pair = EndpointPair(server: transport)
        var count = 0
        pair.intercept = { flight in
            count += 1
            return count == 1 ? [flight] : []
        }
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        #expect(!server.protection.canRead(at: .handshake))
        return (pair, client, server)
    }

    // Holds: 9000-7.5-1, 9000-7.5-2
    @Test(
        "4096 bytes of handshake data out of order are kept, more may close (RFC 9000 section 7.5)"
    )
    func bufferedData() throws {
        var transport = TransportConfiguration()
        transport.cryptoBufferLimit = 1
        let (pair, client, server) = try halfHello(transport)
        // Up to here TLS has read.
        let read = try end(of: server)
        for offset in stride(from: read + 100, to: read + 4096, by: 500) {
            let data = [UInt8](repeating: 0, count: min(500, Int(read + 4096 - offset)))
            arrive(Frame.cryptoBytes(data, at: offset), from: client, pair)
        }
        #expect(server.closed == nil && server.crypto.initial.hasUnreadData)
        arrive(Frame.cryptoBytes([0], at: read + 4096), from: client, pair)
        #expect(server.ownError == .cryptoBufferExceeded)
    }

    /// Where the data that TLS has read ends: what is up to there may come again, what is one further is new.
    private func end(of server: Connection) throws -> UInt64 {
        var low: UInt64 = 0
        var copy = server.crypto.initial
        while low < 4096 {
            try [UInt8]([0]).withUnsafeBytes { try copy.receive(CryptoFrame(offset: low, data: $0)) }
            if copy.hasUnreadData { return low }
            low += 1
        }
        return low
    }

    private func arrive(_ payload: [UInt8], from client: Connection, _ pair: EndpointPair) {
        pair.arrive(client.forge(.initial, payload, paddedTo: 1200, now: pair.now), atServer: true)
    }

    // Holds: 9001-4.1.3-2
    @Test(
        "New handshake data at a level that TLS has left closes, behind a gap too (RFC 9001 section 4.1.3)",
        arguments: [0, 5])
    func newDataAtLeftLevel(gap: UInt64) throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        #expect(server.protection.canRead(at: .handshake))
        let end = try end(of: server)
        arrive(Frame.cryptoBytes([1], at: end - 1), from: client, pair)
        #expect(server.closed == nil)
        arrive(Frame.cryptoBytes([1], at: end + gap), from: client, pair)
        #expect(server.ownError == .protocolViolation)
    }

    // Holds: 9001-4.1.3-3
    @Test(
        "Handshake data left over when TLS goes to the next level closes (RFC 9001 section 4.1.3)",
        arguments: [0, 5])
    func unconsumedData(gap: UInt64) throws {
        let whole = EndpointPair()
        try whole.connect()
        whole.run(for: .milliseconds(11))
        let length = try end(of: try #require(whole.serverConnection))

        let (pair, client, server) = try halfHello()
        arrive(Frame.cryptoBytes([1, 2, 3], at: length + gap), from: client, pair)
        #expect(server.closed == nil)
        pair.intercept = { [$0] }
        pair.run(for: .seconds(3)) { server.closed != nil }
        #expect(server.ownError == .protocolViolation)
    }

    // Holds: 9001-4-1, 9001-4.1.3-1, 9001-4.9-1
    @Test("Lost handshake data is sent again at its own level, and nothing beyond it (RFC 9001 section 4)")
    func lostHandshakeData() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        var lost = 0
        pair.intercept = { flight in
            guard !flight.toServer, lost < 3 else { return [flight] }
            lost += 1
            return []
        }
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let hello = try end(of: try #require(pair.serverConnection))
        pair.run(for: .seconds(5)) { client.isConfirmed }
        #expect(client.isConfirmed && lost == 3)
        // ServerHello in Initial packets, the rest of the flight in Handshake packets.
        #expect(tapes.client.cryptoBytes(at: .initial).first == 2)
        #expect(tapes.client.cryptoBytes(at: .handshake).first == 8)
        for packet in tapes.server.opened where packet.level == .initial {
            packet.visitFrames { if case .crypto(let frame) = $0 { #expect(frame.endOffset <= hello) } }
        }
    }

    // Holds: 9000-7.5-3
    @Test("A packet whose handshake data is thrown away is acknowledged (RFC 9000 section 7.5)")
    func discardedData() throws {
        let pair = EndpointPair()
        let (original, server) = try pair.establish()
        pair.run(for: .seconds(1))
        try pair.client.rewrite(original.handle, now: pair.now)
        let client = try #require(pair.client.connection(original.handle))
        let tapes = pair.watch()
        let number = server.packetNumbers.application.next
        let data = Frame.cryptoBytes([4, 0, 0, 1, 0], at: 0) + Frame.ping.bytes
        pair.arrive(server.forge(.oneRTT, data, now: pair.now), atServer: false)
        pair.run(for: .milliseconds(100))
        #expect(client.closed == nil && server.closed == nil)
        var largest: UInt64 = 0
        for packet in tapes.server.opened {
            packet.visitFrames {
                if case .ack(let ack) = $0 { largest = max(largest, ack.largestAcknowledged) }
            }
        }
        #expect(largest >= number)
    }
}
