import GodwitHTTP3Core
import GodwitWire
import Testing

@Suite("Unidirectional streams")
struct UnidirectionalStreamTests {
    private static let roles: [Role] = [.client, .server]

    // Holds: 9114-6.2-2, 9114-6.2-3, 9114-6.2.3-1, 9114-9-1, 9114-9-2
    @Test("A stream of unknown type is refused, and is no error (RFC 9114 section 6.2)", arguments: roles)
    func unknownType(role: Role) {
        var endpoint = TestEndpoint.started(role)
        let id = StreamID.unidirectional(3, of: role.peer)
        let actions = endpoint.receive([0x21, 1, 2, 3], on: id)
        #expect(actions == [.stopSending(id, code: .streamCreationError)])
        #expect(endpoint.receive([4, 5], on: id, fin: true).isEmpty)
        endpoint.machine.receiveReset(of: id, code: 0)
        #expect(endpoint.take().isEmpty)
    }

    // Holds: 9114-6.2-2
    @Test("A type may come byte by byte (RFC 9114 section 6.2)", arguments: roles)
    func typeInPieces(role: Role) {
        var endpoint = TestEndpoint.started(role)
        let id = StreamID.unidirectional(3, of: role.peer)
        endpoint.machine.streamOpened(id)
        let bytes = PeerBytes.varint(0x1f * 70_000_000 + 0x21)
        for byte in bytes.dropLast() { #expect(endpoint.receive([byte], on: id).isEmpty) }
        #expect(endpoint.receive([bytes[bytes.count - 1]], on: id).stopCode(of: id) == .streamCreationError)
    }

    @Test("A control stream may write its type in a longer form (RFC 9114 section 6.2)")
    func longForm() {
        var endpoint = TestEndpoint(.server)
        let actions = endpoint.receive([0x40, 0x00] + PeerBytes.settings(), on: 2)
        #expect(actions == [.settings(HTTP3Settings())])
    }

    // Holds: 9114-6.2-5
    @Test("A stream may end or be reset before it says what it is (RFC 9114 section 6.2)", arguments: roles)
    func endBeforeType(role: Role) {
        var endpoint = TestEndpoint.started(role) { $0.limits.undeterminedStreams = 1 }
        for index in 3..<10 as Range<UInt64> {
            let id = StreamID.unidirectional(index, of: role.peer)
            if index.isMultiple(of: 2) {
                #expect(endpoint.receive([], on: id, fin: true).isEmpty)
            } else {
                endpoint.machine.streamOpened(id)
                endpoint.machine.receiveReset(of: id, code: 0x10c)
                #expect(endpoint.take().isEmpty)
            }
        }
    }

    // Holds: 9204-4.2-2
    @Test(
        "A second QPACK stream of a kind is H3_STREAM_CREATION_ERROR (RFC 9204 section 4.2)", arguments: roles
    )
    func secondQPACKStream(role: Role) {
        for type: UInt8 in [0x02, 0x03] {
            var endpoint = TestEndpoint.started(role)
            expectClose(endpoint.receive([type], on: .unidirectional(5, of: role.peer)), .streamCreationError)
        }
    }

    // Holds: 9204-4.2-5
    @Test("The end of a QPACK stream is H3_CLOSED_CRITICAL_STREAM (RFC 9204 section 4.2)", arguments: roles)
    func closedQPACKStream(role: Role) {
        for (theirs, ours) in [
            (StreamID.encoder(of: role.peer), StreamID.encoder(of: role)),
            (.decoder(of: role.peer), .decoder(of: role)),
        ] {
            var ended = TestEndpoint.started(role)
            expectClose(ended.receive([], on: theirs, fin: true), .closedCriticalStream)
            var reset = TestEndpoint.started(role)
            reset.machine.receiveReset(of: theirs, code: 0x100)
            expectClose(reset.take(), .closedCriticalStream)
            var stopped = TestEndpoint.started(role)
            stopped.machine.receiveStopSending(of: ours, code: 0x100)
            expectClose(stopped.take(), .closedCriticalStream)
        }
    }

    // Holds: 9204-4.2-6
    @Test(
        "QPACK streams may be opened where nothing can come on them (RFC 9204 section 4.2)", arguments: roles)
    func unusedQPACKStreams(role: Role) {
        var endpoint = TestEndpoint.started(role) {
            $0.qpackMaximumTableCapacity = 0
            $0.qpackBlockedStreams = 0
            $0.qpackEncoderTableCapacity = 0
        }
        #expect(endpoint.take().isEmpty && !endpoint.machine.isClosed)
        // Neither is free for a second one.
        expectClose(endpoint.receive([0x02], on: .unidirectional(9, of: role.peer)), .streamCreationError)
    }

    // Holds: 9114-6.1-1
    @Test("A server opens no bidirectional streams (RFC 9114 section 6.1)")
    func bidirectionalFromServer() {
        var client = TestEndpoint.started(.client)
        client.machine.streamOpened(1)
        expectClose(client.take(), .streamCreationError)
    }

    @Test("Streams that do not say what they are are not kept without number (RFC 9114 section 10.5)")
    func tooManyUndetermined() {
        var endpoint = TestEndpoint.started(.server) { $0.limits.undeterminedStreams = 4 }
        for index in 3..<7 as Range<UInt64> {
            endpoint.machine.streamOpened(.unidirectional(index, of: .client))
            #expect(endpoint.take().isEmpty)
        }
        endpoint.machine.streamOpened(.unidirectional(7, of: .client))
        expectClose(endpoint.take(), .excessiveLoad)
    }

    @Test("What is said of our own unidirectional streams as if they were the peer's is ignored")
    func ownStreams() {
        var endpoint = TestEndpoint.started(.server)
        #expect(endpoint.receive([0, 1, 2], on: 3).isEmpty)
        endpoint.machine.receiveReset(of: 3, code: 0)
        endpoint.machine.streamOpened(.unidirectional(100, of: .server))
        endpoint.machine.streamOpened(1)
        endpoint.machine.receiveStopSending(of: .unidirectional(20, of: .server), code: 0)
        #expect(endpoint.take().isEmpty)
        var client = TestEndpoint.started(.client)
        client.machine.streamOpened(0)
        #expect(client.take().isEmpty && client.machine.openRequestCount == 0)
    }
}
