import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("When keys come and go")
struct HandshakeKeysTests {
    // Holds: 9001-4.9.1-1, 9001-4.9.1-3
    @Test(
        "A client's Initial keys go with its first Handshake packet, and no Initial follows (RFC 9001 section 4.9.1)"
    )
    func clientInitialKeys() throws {
        let pair = EndpointPair()
        var connection: Connection?
        pair.intercept = { flight in
            let hasHandshake = VisiblePacket.all(in: flight.bytes).contains { $0.type == .handshake }
            if flight.toServer, hasHandshake {
                #expect(connection?.protection.canWrite(at: .initial) == false)
                #expect(connection?.protection.canRead(at: .initial) == false)
            }
            return [flight]
        }
        connection = try pair.connect()
        pair.run(for: .seconds(3))
        let types = pair.datagrams(toServer: true).flatMap { VisiblePacket.all(in: $0) }.map(\.type)
        let first = try #require(types.firstIndex(of: .handshake))
        #expect(!types[first...].contains(.initial) && connection?.isConfirmed == true)
    }

    // Holds: 9001-4.9.1-2, 9001-4.9.1-3
    @Test("A server's Initial keys go with the first Handshake packet that it opens (RFC 9001 section 4.9.1)")
    func serverInitialKeys() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        #expect(server.protection.canRead(at: .initial))
        pair.intercept = { $0.toServer ? [] : [$0] }
        pair.run(for: .seconds(1)) { client.protection.canWrite(at: .handshake) }
        pair.arrive(client.forge(.handshake, Frame.ping.bytes, now: pair.now), atServer: true)
        #expect(!server.protection.canRead(at: .initial) && !server.protection.canWrite(at: .initial))
        pair.log = []
        pair.run(for: .seconds(2))
        let types = pair.datagrams(toServer: false).flatMap { VisiblePacket.all(in: $0) }.map(\.type)
        #expect(types.contains(.handshake) && !types.contains(.initial))
    }

    // Holds: 9001-4.9.2-1
    @Test("Handshake keys go when the handshake is confirmed (RFC 9001 section 4.9.2)")
    func handshakeKeys() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        for _ in 0..<400 {
            pair.run(for: .milliseconds(1))
            for end in [client, pair.serverConnection].compactMap({ $0 }) {
                let holdsKeys =
                    end.protection.canRead(at: .handshake) || end.protection.canWrite(at: .handshake)
                #expect(!end.isConfirmed || !holdsKeys)
            }
        }
        #expect(client.isConfirmed)
    }

    // Holds: 9001-5.7-1, 9001-5.7-2
    @Test("A server opens no 1-RTT packet before its handshake is complete (RFC 9001 section 5.7)")
    func earlyOneRTTAtServer() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        // Handshake packets are late, 1-RTT packets are not.
        pair.intercept = { flight in
            let types = VisiblePacket.all(in: flight.bytes).map(\.type)
            return flight.toServer && types.contains(.handshake) ? [] : [flight]
        }
        let client = try pair.connect()
        pair.run(for: .milliseconds(200)) { client.lifecycle == .established }
        let server = try #require(pair.serverConnection)
        tapes.server.onOpening = { [unowned server] in
            #expect($0.level != .oneRTT || server.lifecycle != .handshaking)
        }
        let id = try #require(client.openStream(.bidirectional))
        let packet = client.forge(.oneRTT, Frame.streamBytes([1, 2], on: id), now: pair.now)
        pair.arrive(packet, atServer: true)
        #expect(server.lifecycle == .handshaking && server.undecryptable.count > 0)
        #expect(tapes.server.opened.allSatisfy { $0.level != .oneRTT })
        #expect(server.streams.openCount == 0)
        // It waits for the end of the handshake, and counts then.
        pair.intercept = { [$0] }
        pair.run(for: .seconds(3)) { server.isConfirmed }
        #expect(try server.readAll(from: id, now: pair.now).bytes == [1, 2])
    }

    // Holds: 9001-5.7-1, 9001-5.7-3
    @Test("A client opens no 1-RTT packet before its handshake is complete (RFC 9001 section 5.7)")
    func earlyOneRTTAtClient() throws {
        let pair = EndpointPair { configuration in
            var tls = DeterministicTLSServer(applicationProtocols: ["test"])
            tls.certificateLength = 3000
            configuration.handshake = .deterministic(tls)
        }
        let tapes = pair.watch()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        tapes.client.onOpening = { [unowned client] in
            #expect($0.level != .oneRTT || client.lifecycle != .handshaking)
        }
        #expect(server.protection.canWrite(at: .oneRTT) && !client.protection.canRead(at: .oneRTT))
        pair.arrive(server.forge(.oneRTT, Frame.ping.bytes, now: pair.now), atServer: false)
        #expect(client.lifecycle == .handshaking && client.undecryptable.count == 1)
        #expect(tapes.client.opened.allSatisfy { $0.level != .oneRTT })
        pair.run(for: .seconds(1)) { client.lifecycle != .handshaking }
        #expect(tapes.client.opened.contains { $0.level == .oneRTT })
    }

    // Holds: 9000-19.20-1, 9001-4.1.2-1
    @Test(
        "HANDSHAKE_DONE goes out when the server's handshake is complete, not before (RFC 9001 section 4.1.2)"
    )
    func handshakeDone() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        let client = try pair.connect()
        pair.run(for: .seconds(1)) { pair.serverConnection?.isConfirmed ?? false }
        let complete = pair.now
        #expect(!tapes.client.frameTypes(at: .oneRTT).contains(FrameType.handshakeDone))
        pair.run(for: .seconds(1)) { client.isConfirmed }
        #expect(tapes.client.frameTypes(at: .oneRTT).contains(FrameType.handshakeDone))
        #expect(pair.now <= complete + pair.delay)
    }

    // Holds: 9000-13.3-2
    @Test("HANDSHAKE_DONE is sent until it is acknowledged (RFC 9000 section 13.3)")
    func handshakeDoneLost() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .seconds(1)) { pair.serverConnection?.isConfirmed ?? false }
        // Everything that the server says for a while is lost.
        pair.inFlight = []
        var lost = 0
        pair.intercept = { flight in
            guard !flight.toServer, lost < 6 else { return [flight] }
            lost += 1
            return []
        }
        pair.run(for: .seconds(5)) { client.isConfirmed }
        #expect(client.isConfirmed && lost == 6)
    }

    // Holds: 9001-4.9-2
    @Test(
        "Data goes out at the highest level there is, lower ones finish the handshake (RFC 9001 section 4.9)")
    func highestLevel() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        let client = try pair.connect()
        pair.run(for: .seconds(1)) { client.protection.canWrite(at: .oneRTT) }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([1], to: id, fin: true)
        pair.run(for: .seconds(1))
        let low: Set<UInt64> = [FrameType.ack, FrameType.ackECN, FrameType.crypto, FrameType.ping]
        for level in [EncryptionLevel.initial, .handshake] {
            #expect(tapes.server.frameTypes(at: level).allSatisfy { low.contains($0) })
            #expect(tapes.client.frameTypes(at: level).allSatisfy { low.contains($0) })
        }
        #expect(
            tapes.server.frameTypes(at: .oneRTT).contains { FrameType.stream...FrameType.stream + 7 ~= $0 })
    }
}
