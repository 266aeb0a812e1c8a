import GodwitHTTP3Core
import GodwitWire
import Testing

@Suite("Endpoints without push")
struct PushTests {
    private func clientWithRequest() -> TestEndpoint {
        var client = TestEndpoint.started(.client)
        #expect(client.request(PeerBytes.get) == nil)
        return client
    }

    // Holds: 9114-4.6-5, 9114-4.6-6, 9114-4.6-7, 9114-7.2.5-2
    @Test("A promise that we never allowed is H3_ID_ERROR (RFC 9114 sections 4.6 and 7.2.5)")
    func promise() {
        var client = clientWithRequest()
        let promise = PeerBytes.frame(0x05, [0] + PeerBytes.encoded(PeerBytes.get))
        let actions = client.receive(promise, on: 0)
        expectClose(actions, .idError)
        // Nothing of what was promised is shown, or waited for.
        #expect(actions.count == 1 && client.receive(promise, on: 0).isEmpty)
    }

    // Holds: 9114-7.1-2
    @Test("A promise without a push id is H3_FRAME_ERROR (RFC 9114 section 7.1)")
    func emptyPromise() {
        var client = clientWithRequest()
        expectClose(client.receive(PeerBytes.frame(0x05), on: 0), .frameError)
    }

    // Holds: 9114-7.2.5-8
    @Test("A promise from a client is H3_FRAME_UNEXPECTED (RFC 9114 section 7.2.5)")
    func promiseFromClient() {
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.headers(PeerBytes.get), on: 0)
        expectClose(server.receive(PeerBytes.frame(0x05, [0, 0, 0]), on: 0), .frameUnexpected)
    }

    // Holds: 9114-4.6-1, 9114-4.6-7, 9114-4.6-8, 9114-6.2.2-3
    @Test("A push stream that we never allowed is H3_ID_ERROR (RFC 9114 section 4.6)")
    func stream() {
        var client = TestEndpoint.started(.client)
        let actions = client.receive([0x01, 0x00] + PeerBytes.headers(PeerBytes.ok), on: 15, fin: true)
        expectClose(actions, .idError)
        // Neither this nor a second one is a response to anybody.
        #expect(actions.count == 1 && client.receive([0x01, 0x00], on: 19).isEmpty)
    }

    // Holds: 9114-6.2.2-1
    @Test("A push stream from a client is H3_STREAM_CREATION_ERROR (RFC 9114 section 6.2.2)")
    func streamFromClient() {
        var server = TestEndpoint.started(.server)
        expectClose(server.receive([0x01, 0x00], on: 14), .streamCreationError)
    }

    // Holds: 9114-7.2.3-2, 9114-7.2.3-3
    @Test("CANCEL_PUSH is of a push that was never promised: H3_ID_ERROR (RFC 9114 section 7.2.3)")
    func cancel() {
        var client = TestEndpoint.started(.client)
        expectClose(client.receive(PeerBytes.frame(0x03, [0]), on: 3), .idError)
        var server = TestEndpoint.started(.server)
        server.receive(PeerBytes.frame(0x0d, [9]), on: 2)
        expectClose(server.receive(PeerBytes.frame(0x03, [0]), on: 2), .idError)
    }

    // Holds: 9114-7.2.7-4
    @Test("MAX_PUSH_ID may grow and not shrink: H3_ID_ERROR (RFC 9114 section 7.2.7)")
    func maximumPushID() {
        var server = TestEndpoint.started(.server)
        #expect(server.receive(PeerBytes.frame(0x0d, [5]), on: 2).isEmpty)
        #expect(server.receive(PeerBytes.frame(0x0d, [5]), on: 2).isEmpty)
        #expect(server.receive(PeerBytes.frame(0x0d, [9]), on: 2).isEmpty)
        expectClose(server.receive(PeerBytes.frame(0x0d, [8]), on: 2), .idError)
    }

    // Holds: 9114-4.6-1
    @Test("We never allow a push (RFC 9114 section 7.2.7)")
    func neverAllowed() {
        var client = TestEndpoint(.client) { $0.greaseSeed = nil }
        client.machine.start(.own(by: .client))
        #expect(client.request(PeerBytes.get) == nil)
        let control = client.sent()[2] ?? []
        #expect(control.count == 3 + Int(control[2]) && control[1] == 0x04)
    }
}
