import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("A connection from its first packet to its last")
struct ConnectionStoryTests {
    @Test("Client and server complete and confirm the handshake (RFC 9001 section 4.1)")
    func handshake() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        #expect(client.isConfirmed && server.isConfirmed)
        #expect(client.applicationProtocol == "test" && server.applicationProtocol == "test")
        #expect(client.closed == nil && server.closed == nil)
    }

    @Test("A request and its answer on one stream (RFC 9000 section 2)")
    func requestAndResponse() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        let id = try #require(client.openStream(.bidirectional))
        #expect(try client.write(Array("hello".utf8), to: id, fin: true) == 5)
        pair.run(for: .milliseconds(100))
        let request = try server.readAll(from: id, now: pair.now)
        #expect(request.bytes == Array("hello".utf8) && request.isFinished)
        #expect(try server.write(Array("world".utf8), to: id, fin: true) == 5)
        pair.run(for: .milliseconds(100))
        let response = try client.readAll(from: id, now: pair.now)
        #expect(response.bytes == Array("world".utf8) && response.isFinished)
    }

    @Test("A megabyte arrives whole and in order (RFC 9000 section 2.2)")
    func bulk() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        let id = try #require(client.openStream(.unidirectional))
        let data = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var offset = 0
        var received: [UInt8] = []
        var finished = false
        let done = pair.run(for: .seconds(60)) {
            if offset < data.count {
                offset +=
                    (try? client.write(
                        Array(data[offset...].prefix(100_000)), to: id, fin: offset + 100_000 >= data.count))
                    ?? 0
            }
            if let part = try? server.readAll(from: id, now: pair.now) {
                received += part.bytes
                finished = part.isFinished
            }
            return finished
        }
        #expect(done)
        #expect(received.count == data.count && received.elementsEqual(data))
    }

    @Test("The application closes, and its peer hears code and reason (RFC 9000 section 10.2)")
    func close() throws {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        let handle = server.handle
        client.close(code: 42, reason: "enough", now: pair.now)
        pair.run(for: .seconds(10))
        #expect(
            pair.events(of: handle, in: pair.serverEvents).last
                == .closed(.application(code: 42, reason: "enough", byPeer: true)))
        #expect(pair.client.connectionCount == 0 && pair.server.connectionCount == 0)
    }
}
