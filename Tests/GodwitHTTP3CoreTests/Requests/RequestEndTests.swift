import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("Request streams: how they end")
struct RequestEndTests {
    private let request = PeerBytes.headers(PeerBytes.get)

    private func serverWithRequest(fin: Bool = false) -> TestEndpoint {
        var server = TestEndpoint.started(.server)
        server.receive(request, on: 0, fin: fin)
        return server
    }

    @Test("A stream is forgotten when both sides have ended, and not before")
    func forgotten() {
        var server = serverWithRequest()
        #expect(server.respond(PeerBytes.ok) == nil)
        #expect(server.machine.openRequestCount == 1)
        #expect(server.receive([], on: 0, fin: true) == [.end(0)])
        #expect(server.machine.openRequestCount == 0)
        #expect(server.receive(request, on: 0, fin: true).isEmpty)
        #expect(server.respond(PeerBytes.ok) == .unknownStream)
    }

    @Test("The peer's reset is told with its code, and our side stays open (RFC 9114 section 4.1.1)")
    func resetByPeer() {
        var server = serverWithRequest()
        server.machine.receiveReset(of: 0, code: 0x10c)
        #expect(server.take() == [.resetByPeer(0, code: .requestCancelled)])
        #expect(server.respond(PeerBytes.ok) == nil)
        #expect(server.machine.openRequestCount == 0)
    }

    @Test("A request that was reset before anybody heard of it is rejected (RFC 9114 section 4.1.1)")
    func resetBeforeHead() {
        var server = TestEndpoint.started(.server)
        server.receive(Array(request.dropLast()), on: 0)
        server.machine.receiveReset(of: 0, code: 0x10c)
        #expect(server.take() == [.resetStream(0, code: .requestRejected)])
        #expect(server.machine.openRequestCount == 0)
    }

    @Test("STOP_SENDING is told with its code; receiving goes on (RFC 9114 section 4.1.1)")
    func stoppedByPeer() {
        var server = serverWithRequest()
        server.machine.receiveStopSending(of: 0, code: 0x10c)
        #expect(server.take() == [.stoppedByPeer(0, code: .requestCancelled)])
        #expect(server.respond(PeerBytes.ok) == .sendingEnded)
        #expect(server.receive([], on: 0, fin: true) == [.end(0)])
        #expect(server.machine.openRequestCount == 0)
    }

    // Holds: 9114-4.1-9
    @Test("A client keeps a response whose server stopped its request (RFC 9114 section 4.1)")
    func stoppedRequest() {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.post, fin: false) == nil)
        #expect(client.data(100) == nil)
        client.machine.receiveStopSending(of: 0, code: 0x100)
        #expect(client.take() == [.stoppedByPeer(0, code: .noError)])
        let actions = client.receive(PeerBytes.headers(PeerBytes.ok) + PeerBytes.data("x"), on: 0, fin: true)
        #expect(actions.response?.status == 200 && actions.last == .end(0))
        #expect(client.machine.openRequestCount == 0)
    }

    @Test("STOP_SENDING before the request was heard of rejects it (RFC 9114 section 4.1.1)")
    func stoppedBeforeHead() {
        var server = TestEndpoint.started(.server)
        server.machine.streamOpened(0)
        server.machine.receiveStopSending(of: 0, code: 0x10c)
        #expect(server.take() == [.stopSending(0, code: .requestRejected)])
        #expect(server.machine.openRequestCount == 0)
    }

    // Holds: 9114-4.1.1-1, 9114-4.1.1-2
    @Test("Giving up ends what is open: cancelled where somebody knows of it (RFC 9114 section 4.1.1)")
    func cancel() {
        var server = serverWithRequest()
        server.machine.cancel(0)
        #expect(
            server.take() == [
                .resetStream(0, code: .requestCancelled), .stopSending(0, code: .requestCancelled),
            ])
        var unheard = TestEndpoint.started(.server)
        unheard.machine.streamOpened(0)
        unheard.machine.cancel(0)
        #expect(unheard.take().resetCode(of: 0) == .requestRejected)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        client.machine.cancel(0, code: .requestRejected)
        #expect(client.take() == [.stopSending(0, code: .requestCancelled)])
        client.machine.cancel(0)
        #expect(client.take().isEmpty)
    }

    // Holds: 9114-4.1.1-1, 9114-4.1.1-2
    @Test("A request that is being answered is not rejected any more (RFC 9114 section 4.1.1)")
    func rejectedTooLate() {
        var untouched = serverWithRequest()
        untouched.machine.cancel(0, code: .requestRejected)
        #expect(untouched.take().resetCode(of: 0) == .requestRejected)
        var answered = serverWithRequest()
        #expect(answered.respond(PeerBytes.ok, fin: false) == nil)
        answered.machine.stopReceiving(0, code: .requestRejected)
        #expect(answered.take() == [.stopSending(0, code: .requestCancelled)])
        answered.machine.cancel(0, code: .requestRejected)
        #expect(answered.take() == [.resetStream(0, code: .requestCancelled)])
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        client.machine.stopReceiving(0, code: .requestRejected)
        #expect(client.take() == [.stopSending(0, code: .requestCancelled)])
    }

    // Holds: 9114-8-1
    @Test(
        "A code that nobody knows, or that has no meaning there, is like H3_NO_ERROR (RFC 9114 section 8)",
        arguments: [0x100, 0x103, 0x21, 0xdead_beef, 1 << 62 - 1] as [UInt64])
    func unknownCodes(code: UInt64) {
        var server = serverWithRequest()
        server.machine.receiveReset(of: 0, code: code)
        #expect(server.take() == [.resetByPeer(0, code: HTTP3ErrorCode(rawValue: code))])
        #expect(server.respond(PeerBytes.ok) == nil && server.machine.openRequestCount == 0)
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.post, fin: false) == nil)
        client.machine.receiveStopSending(of: 0, code: code)
        #expect(client.take() == [.stoppedByPeer(0, code: HTTP3ErrorCode(rawValue: code))])
        #expect(client.receive(PeerBytes.headers(PeerBytes.ok), on: 0, fin: true).response != nil)
    }

    @Test("A broken tunnel is H3_CONNECT_ERROR (RFC 9114 section 4.4)")
    func cancelWithCode() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.connect), on: 0)
        server.machine.cancel(0, code: .connectError)
        #expect(server.take().resetCode(of: 0) == .connectError)
    }

    @Test("A server that needs no more of a request says so with H3_NO_ERROR (RFC 9114 section 4.1)")
    func stopReceiving() {
        var server = serverWithRequest()
        server.machine.stopReceiving(0)
        #expect(server.take() == [.stopSending(0, code: .noError)])
        #expect(server.receive(PeerBytes.data("late"), on: 0).isEmpty)
        server.machine.receiveReset(of: 0, code: 0)
        #expect(server.take().isEmpty)
        #expect(server.respond(PeerBytes.ok) == nil)
        #expect(server.machine.openRequestCount == 0)
    }

    @Test("Streams above our limit are rejected, and those below go on (RFC 9114 section 4.1.1)")
    func tooMany() {
        var server = TestEndpoint.started(.server) { $0.limits.requestStreams = 2 }
        for id: StreamID in [0, 4] {
            server.machine.streamOpened(id)
            #expect(server.take().isEmpty)
        }
        server.machine.streamOpened(8)
        #expect(
            server.take() == [
                .resetStream(8, code: .requestRejected), .stopSending(8, code: .requestRejected),
            ])
        // What is not read is cancelled at QPACK (RFC 9204 section 2.2.2.2).
        #expect(server.sent()[11] == [0x48])
        #expect(server.receive(request, on: 8).isEmpty)
        #expect(server.receive(request, on: 4).request != nil)
    }

    @Test("What has ended on our side is over with the peer's reset, or with our stop")
    func overOnBothSides() {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        client.machine.receiveReset(of: 0, code: 0x10b)
        #expect(client.take() == [.resetByPeer(0, code: .requestRejected)])
        #expect(client.machine.openRequestCount == 0)
        var server = serverWithRequest()
        #expect(server.respond(PeerBytes.ok) == nil)
        server.machine.stopReceiving(0)
        #expect(server.take() == [.stopSending(0, code: .noError)] && server.machine.openRequestCount == 0)
    }

    @Test("STOP_SENDING ends a request that has come whole, and says nothing of a response that has ended")
    func stoppedAtTheEnd() {
        var server = serverWithRequest(fin: true)
        server.machine.receiveStopSending(of: 0, code: 0x10c)
        #expect(server.take().count == 1 && server.machine.openRequestCount == 0)
        var answered = serverWithRequest()
        #expect(answered.respond(PeerBytes.ok) == nil)
        answered.machine.receiveStopSending(of: 0, code: 0x10c)
        #expect(answered.take().isEmpty && answered.machine.openRequestCount == 1)
    }

    @Test("There is nothing to stop in a request that has come whole")
    func nothingToStop() {
        var server = serverWithRequest(fin: true)
        server.machine.stopReceiving(0)
        #expect(server.take().isEmpty && server.machine.openRequestCount == 1)
    }
}
