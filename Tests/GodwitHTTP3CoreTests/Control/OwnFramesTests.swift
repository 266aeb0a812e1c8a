import GodwitHTTP3Core
import GodwitQPACK
import GodwitWire
import Testing

@Suite("What we send ourselves")
struct OwnFramesTests {
    /// An endpoint whose four streams are open, with everything reserved among what it sends.
    private func greased(_ role: Role) -> TestEndpoint {
        var endpoint = TestEndpoint(role) { $0.greaseSeed = 7 }
        var streams = OwnStreams.own(by: role)
        streams.reserved = .unidirectional(3, of: role)
        endpoint.machine.start(streams)
        return endpoint
    }

    /// The types of whole frames, those of reserved ones as nil.
    private func types(_ bytes: [UInt8]) -> [UInt64?] {
        bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var types: [UInt64?] = []
            while let type = reader.readVarint(), let length = reader.readVarint() {
                types.append(isReserved(type) ? nil : type)
                if !reader.skip(Int(length)) { Issue.record("a frame that is not whole") }
            }
            let isAtEnd = reader.isAtEnd
            #expect(isAtEnd)
            return types
        }
    }

    private func isReserved(_ number: UInt64) -> Bool { number >= 0x21 && (number - 0x21) % 0x1f == 0 }

    /// What a control stream carries behind its type.
    private func controlTypes(_ bytes: [UInt8]?) -> [UInt64?] {
        #expect(bytes?.first == 0x00)
        return types(Array((bytes ?? []).dropFirst()))
    }

    // Holds: 9114-4.6-2, 9114-4.6-3, 9114-4.6-4, 9114-5.2-1, 9114-6.2-4, 9114-6.2.2-2, 9114-7.2.4-2
    // Holds: 9114-7.2.4-4, 9114-7.2.5-1, 9114-7.2.5-3, 9114-7.2.5-4, 9114-7.2.7-2, 9114-7.2.8-2, 9114-10.4-1
    // Holds: 9204-4.2-1, 9218-2.1-4, 9218-7.1-8, 9218-7.2-8, 9220-3-2
    @Test("A server promises and pushes nothing, and puts each frame where it belongs (RFC 9114 section 7.2)")
    func ofServer() {
        var server = greased(.server)
        server.receive(PeerBytes.control(PeerBytes.frame(0x0d, [63])), on: 2)
        for id: StreamID in [0, 4] { server.receive(PeerBytes.headers(PeerBytes.get), on: id, fin: true) }
        #expect(server.inform([(":status", "103")]) == nil)
        #expect(server.respond(PeerBytes.ok, fin: false) == nil)
        #expect(server.data(0) == nil && server.trailers([("x", "1")]) == nil)
        #expect(types(server.buffer) == [0x01, 0x01, 0x01])
        #expect(throws: HTTP3SendError.wrongRole) { try server.machine.updatePriority(.default, of: 4) }
        server.machine.beginShutdown()
        server.machine.completeShutdown()
        let sent = server.sent()
        #expect(Set(sent.keys) == [3, 7, 11, 15])
        #expect(controlTypes(sent[3]) == [0x04, nil, 0x07, 0x07])
        #expect(sent[7] == [0x02] && sent[11]?.first == 0x03 && sent[15].map(isReservedType) == true)
    }

    private func isReservedType(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes {
            var reader = ByteReader($0)
            return reader.readVarint().map(isReserved) == true
        }
    }

    // Holds: 9114-6.2-4, 9114-7.2.4-2, 9114-7.2.4-4, 9114-7.2.5-7, 9114-7.2.8-2, 9204-4.2-1, 9218-2.1-1
    // Holds: 9218-2.1-3, 9218-2.1-4, 9218-7.1-1, 9218-7.1-3, 9218-7.1-5, 9218-7.2-1, 9218-7.2-6
    @Test("A client allows no push, and has no signals of HTTP/2 (RFC 9114 section 7.2, RFC 9218 section 7)")
    func ofClient() throws {
        var client = greased(.client)
        client.receive(PeerBytes.control(), on: 3)
        for id: StreamID in [0, 4] { #expect(client.request(PeerBytes.post, on: id, fin: false) == nil) }
        #expect(client.data(0, fin: true) == nil && client.trailers([("x", "1")], on: 4) == nil)
        #expect(types(client.buffer) == [0x01, 0x01, 0x01])
        #expect(client.request(PeerBytes.get, on: 8) == nil)
        try client.machine.updatePriority(Priority(urgency: 1), of: 8)
        client.machine.beginShutdown()
        client.machine.completeShutdown()
        let sent = client.sent()
        #expect(Set(sent.keys) == [2, 6, 10, 14])
        #expect(controlTypes(sent[2]) == [0x04, nil, 0xf0700, 0x07, 0x07])
        // SETTINGS_NO_RFC7540_PRIORITIES is for HTTP/2 alone.
        let settings = settings(in: sent[2] ?? [])
        #expect(settings.contains(0x06) && !settings.contains(0x09))
    }

    /// The identifiers in the SETTINGS frame that a control stream begins with.
    private func settings(in bytes: [UInt8]) -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(2)))
            let length = reader.readVarint() ?? 0
            let end = reader.remaining - Int(length)
            var identifiers: [UInt64] = []
            while reader.remaining > end, let identifier = reader.readVarint(), reader.readVarint() != nil {
                identifiers.append(identifier)
            }
            return identifiers
        }
    }

    // Holds: 9114-6.2.1-4, 9114-6.2.1-5, 9204-4.2-3, 9204-4.2-4
    @Test(
        "Streams that a connection needs are neither ended nor asked to end (RFC 9114 section 6.2.1)",
        arguments: [Role.client, .server])
    func criticalStreams(role: Role) {
        var endpoint = greased(role)
        var ended: Set<StreamID> = []
        var actions = endpoint.receive(PeerBytes.control([0x21, 0x00]), on: .control(of: role.peer))
        actions += endpoint.receive([0x02, 0x20], on: .encoder(of: role.peer))
        actions += endpoint.receive([0x03, 0x44], on: .decoder(of: role.peer))
        actions += endpoint.receive([0x21, 0x44], on: .unidirectional(3, of: role.peer))
        endpoint.machine.beginShutdown()
        endpoint.machine.completeShutdown()
        endpoint.machine.writePendingBytes { id, bytes, fin in
            if fin { ended.insert(id) }
            return bytes.count
        }
        #expect(ended == [.unidirectional(3, of: role)])
        for id: StreamID in [.control(of: role.peer), .encoder(of: role.peer), .decoder(of: role.peer)] {
            #expect(actions.stopCode(of: id) == nil && actions.resetCode(of: id) == nil)
        }
        #expect(actions.stopCode(of: .unidirectional(3, of: role.peer)) == .streamCreationError)
    }
}
