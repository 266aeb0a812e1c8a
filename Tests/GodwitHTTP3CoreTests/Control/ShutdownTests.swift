import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Shutting down")
struct ShutdownTests {
    private let request = PeerBytes.headers(PeerBytes.get)

    private func goaway(_ identifier: UInt64) -> [UInt8] {
        PeerBytes.frame(0x07, PeerBytes.varint(identifier))
    }

    // Holds: 9114-5.2-2, 9114-7.1-1
    @Test("A server shuts down in two steps, and takes what was under way (RFC 9114 section 5.2)")
    func twoSteps() {
        var server = TestEndpoint.started(.server)
        server.receive(request, on: 0, fin: true)
        server.machine.beginShutdown()
        #expect(server.sent()[3] == goaway((1 << 62) - 4))
        // Sent before the client heard of it.
        #expect(server.receive(request, on: 4, fin: true).request != nil)
        server.machine.completeShutdown()
        #expect(server.sent()[3] == goaway(8))
        server.machine.streamOpened(8)
        #expect(
            server.take() == [
                .resetStream(8, code: .requestRejected), .stopSending(8, code: .requestRejected),
            ])
        #expect(server.respond(PeerBytes.ok, on: 0) == nil && server.take().isEmpty)
        #expect(server.respond(PeerBytes.ok, on: 4) == nil)
        #expect(server.take() == [.drained])
        server.machine.completeShutdown()
        #expect(server.take().isEmpty && server.sent()[3] == nil)
    }

    @Test("A server without requests is drained at once (RFC 9114 section 5.2)")
    func nothingOpen() {
        var server = TestEndpoint.started(.server)
        server.machine.completeShutdown()
        #expect(server.sent()[3] == goaway(0))
        #expect(server.take() == [.drained])
    }

    // Holds: 9114-5.2-2
    @Test("A GOAWAY is never raised by us, whatever came since (RFC 9114 section 5.2)")
    func neverRaised() {
        var server = TestEndpoint.started(.server)
        server.machine.completeShutdown()
        _ = server.sent()
        server.machine.beginShutdown()
        server.machine.completeShutdown()
        #expect(server.sent().isEmpty)
    }

    @Test("Requests end in any way for a server to be drained", arguments: ["reset", "cancel", "failure"])
    func drainedByOtherEnds(way: String) {
        var server = TestEndpoint.started(.server)
        server.receive(request, on: 0)
        server.machine.completeShutdown()
        #expect(server.take().isEmpty)
        var actions: [HTTP3Action] = []
        switch way {
        case "reset":
            server.machine.receiveReset(of: 0, code: 0x10c)
            #expect(server.respond(PeerBytes.ok) == nil)
        case "cancel": server.machine.cancel(0)
        default: actions = server.receive(request, on: 0)
        }
        #expect((actions + server.take()).last == .drained)
    }

    // Holds: 9114-5.2-1
    @Test("A client fails what the server will not process, to be tried elsewhere (RFC 9114 section 5.2)")
    func clientHears() {
        var client = TestEndpoint.started(.client)
        for id: StreamID in [0, 4, 8] { #expect(client.request(PeerBytes.get, on: id, fin: id != 8) == nil) }
        let actions = client.receive(goaway(4), on: 3)
        let rejected = HTTP3Error(.requestRejected, "the server is shutting down")
        #expect(
            actions == [
                .goaway(4),
                .stopSending(4, code: .requestCancelled), .failed(4, rejected),
                .resetStream(8, code: .requestCancelled), .stopSending(8, code: .requestCancelled),
                .failed(8, rejected),
            ])
        #expect(client.request(PeerBytes.get, on: 12) == .goingAway && !client.machine.takesNewRequests)
        let response = client.receive(PeerBytes.headers(PeerBytes.ok), on: 0, fin: true)
        #expect(response.response != nil && response.last == .drained)
    }

    // Holds: 9114-5.2-3
    @Test("A GOAWAY may be lowered and not raised: H3_ID_ERROR (RFC 9114 section 5.2)")
    func raised() {
        for role in [Role.client, .server] {
            var endpoint = TestEndpoint.started(role)
            #expect(endpoint.receive(goaway(400), on: .control(of: role.peer)).first == .goaway(400))
            #expect(endpoint.receive(goaway(400), on: .control(of: role.peer)).first == .goaway(400))
            #expect(endpoint.receive(goaway(8), on: .control(of: role.peer)).first == .goaway(8))
            expectClose(endpoint.receive(goaway(12), on: .control(of: role.peer)), .idError)
        }
    }

    // Holds: 9114-7.2.6-1
    @Test(
        "A server's GOAWAY names a request stream: else H3_ID_ERROR (RFC 9114 section 7.2.6)",
        arguments: [
            1, 2, 3, 6, (1 << 62) - 1,
        ] as [UInt64])
    func notARequest(identifier: UInt64) {
        var client = TestEndpoint.started(.client)
        expectClose(client.receive(goaway(identifier), on: 3), .idError)
    }

    @Test("A client's GOAWAY has a push id, which can be any number (RFC 9114 section 7.2.6)")
    func fromClient() {
        var server = TestEndpoint.started(.server)
        #expect(server.receive(goaway((1 << 62) - 1), on: 2) == [.goaway((1 << 62) - 1)])
        #expect(server.receive(goaway(3), on: 2) == [.goaway(3)])
        // It is about pushes: requests go on.
        #expect(server.receive(request, on: 0).request != nil)
    }

    // Holds: 9114-5.2-2
    @Test("A client shuts down: no more requests, and drained with the last one (RFC 9114 section 5.2)")
    func clientShutsDown() {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get, on: 0) == nil && client.machine.takesNewRequests)
        client.machine.beginShutdown()
        #expect(client.sent()[2] == goaway((1 << 62) - 1))
        #expect(client.request(PeerBytes.get, on: 4) == .goingAway)
        client.machine.completeShutdown()
        #expect(client.sent()[2] == goaway(0))
        #expect(client.receive(PeerBytes.headers(PeerBytes.ok), on: 0, fin: true).last == .drained)
    }

    @Test("A connection is drained once, and by requests that nobody heard of as well")
    func drainedOnce() {
        var server = TestEndpoint.started(.server)
        server.machine.streamOpened(0)
        server.machine.completeShutdown()
        #expect(server.take().isEmpty)
        server.machine.receiveReset(of: 0, code: 0x10c)
        #expect(server.take() == [.resetStream(0, code: .requestRejected), .drained])
        var client = TestEndpoint.started(.client)
        #expect(client.receive(goaway(8), on: 3) == [.goaway(8), .drained])
        #expect(client.receive(goaway(4), on: 3) == [.goaway(4)])
    }
}
