import GodwitHTTP3Core
import GodwitWire
import Testing

@Suite("Control stream")
struct ControlStreamTests {
    private static let roles: [Role] = [.client, .server]

    // Holds: 9114-3.2-3, 9114-6.2.1-1, 9114-7.2.4-1
    @Test("SETTINGS are the first thing on our control stream (RFC 9114 section 6.2.1)", arguments: roles)
    func settingsComeFirst(role: Role) {
        var endpoint = TestEndpoint(role)
        endpoint.machine.beginShutdown()
        #expect(endpoint.sent().isEmpty)
        endpoint.machine.start(.own(by: role))
        let sent = endpoint.sent()
        #expect(sent[.control(of: role)]?.starts(with: [0x00, 0x04]) == true)
        #expect(sent[.encoder(of: role)] == [0x02])
        #expect(sent[.decoder(of: role)] == [0x03])
    }

    // Holds: 9114-6.2.1-1, 9114-7.2.4-2, 9114-7.2.4.2-2, 9114-7.2.4.2-3
    @Test("SETTINGS need nothing from the peer, and go out once (RFC 9114 section 7.2.4)", arguments: roles)
    func settingsGoOutOnce(role: Role) {
        var endpoint = TestEndpoint(role)
        endpoint.machine.start(.own(by: role))
        #expect(endpoint.machine.hasPendingBytes)
        _ = endpoint.sent()
        endpoint.machine.start(.own(by: role))
        #expect(!endpoint.machine.hasPendingBytes)
    }

    // Holds: 9114-6.2.1-2
    @Test(
        "A control stream that begins with anything else is H3_MISSING_SETTINGS (RFC 9114 section 6.2.1)",
        arguments: [0x00, 0x01, 0x03, 0x05, 0x07, 0x0d, 0x21, 0x40, 0x02, 0xf0700] as [UInt64])
    func firstFrame(type: UInt64) {
        for role in Self.roles {
            var endpoint = TestEndpoint(role)
            let actions = endpoint.receive([0x00] + PeerBytes.frame(type, [1]), on: .control(of: role.peer))
            expectClose(actions, .missingSettings)
        }
    }

    // Holds: 9114-6.2.1-3
    @Test("A second control stream is H3_STREAM_CREATION_ERROR (RFC 9114 section 6.2.1)", arguments: roles)
    func secondControlStream(role: Role) {
        var endpoint = TestEndpoint.started(role)
        expectClose(
            endpoint.receive([0x00], on: .unidirectional(9, of: role.peer)), .streamCreationError)
    }

    // Holds: 9114-6.2.1-6
    @Test(
        "The end of the control stream is H3_CLOSED_CRITICAL_STREAM (RFC 9114 section 6.2.1)",
        arguments: roles)
    func closedControlStream(role: Role) {
        var ended = TestEndpoint.started(role)
        expectClose(ended.receive([], on: .control(of: role.peer), fin: true), .closedCriticalStream)
        var reset = TestEndpoint.started(role)
        reset.machine.receiveReset(of: .control(of: role.peer), code: 0x100)
        expectClose(reset.take(), .closedCriticalStream)
        var stopped = TestEndpoint.started(role)
        stopped.machine.receiveStopSending(of: .control(of: role), code: 0x100)
        expectClose(stopped.take(), .closedCriticalStream)
    }

    // Holds: 9114-6.2.1-6
    @Test("A control stream that ends with its SETTINGS is too short as well (RFC 9114 section 6.2.1)")
    func endedAtOnce() {
        var endpoint = TestEndpoint(.server)
        expectClose(endpoint.receive(PeerBytes.control(), on: 2, fin: true), .closedCriticalStream)
    }

    // Holds: 9114-7.2.1-2, 9114-7.2.2-1, 9114-7.2.5-6
    @Test(
        "Frames of requests on the control stream are H3_FRAME_UNEXPECTED (RFC 9114 section 7.2)",
        arguments: [0x00, 0x01, 0x05] as [UInt64])
    func requestFrames(type: UInt64) {
        for role in Self.roles {
            var endpoint = TestEndpoint.started(role)
            expectClose(
                endpoint.receive(PeerBytes.frame(type), on: .control(of: role.peer)), .frameUnexpected)
        }
    }

    // Holds: 9114-7.2.4-3
    @Test("A second SETTINGS frame is H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.4)", arguments: roles)
    func secondSettings(role: Role) {
        var endpoint = TestEndpoint.started(role)
        expectClose(endpoint.receive(PeerBytes.settings(), on: .control(of: role.peer)), .frameUnexpected)
    }

    // Holds: 9114-7.2.8-3, 9218-2.1-5
    @Test(
        "Frames that HTTP/2 had are H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.8)",
        arguments: [0x02, 0x06, 0x08, 0x09] as [UInt64])
    func reservedFrames(type: UInt64) {
        for role in Self.roles {
            var endpoint = TestEndpoint.started(role)
            expectClose(
                endpoint.receive(PeerBytes.frame(type, [0]), on: .control(of: role.peer)), .frameUnexpected)
        }
    }

    // Holds: 9114-7.1-2, 9114-7.1-3, 9114-10.8-1
    @Test(
        "Frames of one integer have nothing else, and not less (RFC 9114 section 7.1)",
        arguments: [
            "07 00", "07 02 0000", "07 01 40", "0d 00", "0d 02 0000", "03 00", "03 03 400000", "07 09 00",
        ])
    func wrongLength(text: String) {
        var endpoint = TestEndpoint.started(.server)
        expectClose(endpoint.receive(hex(text), on: 2), .frameError)
    }

    // Holds: 9114-7.1-2
    @Test("A length that no frame of one integer has is refused before the payload (RFC 9114 section 7.1)")
    func hugeLength() {
        var endpoint = TestEndpoint.started(.server)
        expectClose(endpoint.receive([0x07] + PeerBytes.varint(1 << 40), on: 2), .frameError)
    }

    // Holds: 9114-7.2.7-3
    @Test("MAX_PUSH_ID is for servers alone (RFC 9114 section 7.2.7)")
    func maximumPushIDToClient() {
        var client = TestEndpoint.started(.client)
        expectClose(client.receive(hex("0d 01 05"), on: 3), .frameUnexpected)
        var server = TestEndpoint.started(.server)
        #expect(server.receive(hex("0d 01 05"), on: 2).isEmpty)
    }

    // Holds: 9114-7.2.8-1, 9114-9-1
    @Test(
        "Unknown and reserved frames mean nothing, whole or in pieces (RFC 9114 section 9)", arguments: roles)
    func unknownFrames(role: Role) {
        var endpoint = TestEndpoint.started(role)
        let bytes =
            PeerBytes.frame(0x21) + PeerBytes.frame(0x40, [1, 2, 3]) + PeerBytes.frame(0x0c, [9])
            + PeerBytes.frame(0x1f * 1000 + 0x21, [UInt8](repeating: 7, count: 100))
        #expect(endpoint.receive(bytes, on: .control(of: role.peer)).isEmpty)
        for byte in bytes { #expect(endpoint.receive([byte], on: .control(of: role.peer)).isEmpty) }
        #expect(endpoint.receive(hex("07 01 00"), on: .control(of: role.peer)) != [])
    }

    @Test("SETTINGS in pieces are the same SETTINGS (RFC 9114 section 7.2.4)", arguments: roles)
    func settingsInPieces(role: Role) {
        var endpoint = TestEndpoint(role)
        var actions: [HTTP3Action] = []
        for byte in [0x00] + PeerBytes.settings([(0x06, 70_000), (0x33, 1), (0x4242, 5)]) {
            actions += endpoint.receive([byte], on: .control(of: role.peer))
        }
        let expected = HTTP3Settings(
            maximumFieldSectionSize: 70_000, areDatagramsEnabled: true,
            additional: [HTTP3Setting(identifier: 0x4242, value: 5)])
        #expect(actions == [.settings(expected)])
        #expect(endpoint.machine.peerSettings == expected)
        #expect(endpoint.machine.hasPeerSettings)
    }

    @Test("After the connection has closed nothing has an effect")
    func closedMeansClosed() {
        var server = TestEndpoint.started(.server, peer: [(0x33, 1)]) { $0.areDatagramsEnabled = true }
        for id: StreamID in [0, 4, 8] { server.receive(PeerBytes.headers(PeerBytes.connect), on: id) }
        _ = server.sent()
        expectClose(server.receive(PeerBytes.settings(), on: 2), .frameUnexpected)
        #expect(server.machine.isClosed)
        #expect(server.receive(PeerBytes.data("x"), on: 0, fin: true).isEmpty)
        #expect(server.receiveDatagram([0, 1]).isEmpty)
        server.machine.receiveReset(of: 0, code: 0)
        server.machine.receiveReset(of: 2, code: 0)
        server.machine.receiveStopSending(of: 0, code: 0)
        server.machine.receiveStopSending(of: 3, code: 0)
        server.machine.streamOpened(12)
        server.machine.beginShutdown()
        server.machine.completeShutdown()
        server.machine.cancel(4)
        server.machine.stopReceiving(8)
        #expect(server.take().isEmpty && server.sent().isEmpty)
        #expect(server.respond(PeerBytes.ok) == .connectionClosed)
        #expect(server.machine.openRequestCount == 3)
    }

    @Test("A client whose connection has closed sends nothing more")
    func closedClient() {
        var client = TestEndpoint.started(.client)
        expectClose(client.receive(PeerBytes.settings(), on: 3), .frameUnexpected)
        #expect(client.request(PeerBytes.get) == .connectionClosed && !client.machine.takesNewRequests)
        client.machine.streamOpened(1)
        #expect(client.take().isEmpty)
    }
}
