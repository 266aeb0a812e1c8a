import Foundation
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Streams as plain data")
struct StreamSnapshotTests {
    private func copy(_ end: StreamsEnd) throws {
        end.streams = try JSONDecoder().decode(Streams.self, from: JSONEncoder().encode(end.streams))
    }

    @Test("A transfer goes on from a snapshot as if nothing had happened (RFC 9000 section 2.2)")
    func goesOn() throws {
        let peers = StreamPeers(server: StreamLimits(initialMaxStreamDataUnidirectional: 3000))
        let first = try #require(peers.client.open(.unidirectional))
        let second = try #require(peers.client.open(.bidirectional))
        try peers.client.write(first, pattern(6000), fin: true)
        try peers.client.write(second, pattern(500))
        try peers.client.setPriority(second, .init(urgency: 1, isIncremental: false))
        var packets = (0..<3).compactMap { _ in peers.client.packet(size: 700) }
        try peers.server.receive(packets[2])
        try copy(peers.client)
        try copy(peers.server)
        for packet in [packets[1], packets[0]] { try peers.server.receive(packet) }
        peers.client.lose(packets.removeFirst())
        for packet in packets { peers.client.acknowledge(packet) }
        try peers.settle()
        #expect(
            peers.server.events() == [.opened(second), .opened(first), .readable(second), .readable(first)])
        #expect(try peers.server.read(second).bytes == pattern(500))
        var bytes = try peers.server.read(first).bytes
        try peers.settle()
        try copy(peers.server)
        bytes += try peers.server.read(first).bytes
        #expect(bytes == pattern(6000))
    }

    @Test("Queues keep their order across a snapshot (RFC 9000 section 2.3)")
    func keepsOrder() throws {
        let peers = StreamPeers()
        let ids = try (0..<4).map { _ in try #require(peers.client.open(.unidirectional)) }
        for id in ids.reversed() { try peers.client.write(id, pattern(3000)) }
        _ = peers.client.packet(size: 500)
        let twin = StreamsEnd(role: .client)
        twin.streams = peers.client.streams
        try copy(twin)
        #expect(twin.frames(size: 500) == peers.client.frames(size: 500))
        #expect(twin.events() == peers.client.events())
    }

    @Test("Whose turn it is does not depend on a snapshot (RFC 9218 section 10)", arguments: 1...6)
    func keepsTurns(before count: Int) throws {
        let client = StreamPeers().client
        let ids = try (0..<3).map { _ in try #require(client.open(.unidirectional)) }
        try client.setPriority(ids[2], .init(urgency: 3, isIncremental: true))
        try client.write(ids[0], pattern(8000))
        let packets = (0..<7).compactMap { _ in client.packet(size: 1000) }
        for packet in packets { client.lose(packet) }
        for id in ids { try client.write(id, pattern(8000)) }
        for _ in 0..<count { _ = client.packet(size: 1000) }
        let twin = StreamsEnd(role: .client)
        twin.streams = client.streams
        try copy(twin)
        for _ in 0..<8 { #expect(twin.frames(size: 1000) == client.frames(size: 1000)) }
    }

    @Test("A snapshot holds what is held and not the capacity it is held in")
    func isCompact() throws {
        let server = StreamsEnd(
            role: .server,
            limits: StreamLimits(initialMaxData: 1 << 28, initialMaxStreamDataUnidirectional: 1 << 26))
        try server.receiveStream(StreamID(rawValue: 2), 1 << 25, [7])
        #expect(try JSONEncoder().encode(server.streams).count < 4000)
        try copy(server)
        try server.receiveReset(StreamID(rawValue: 2), finalSize: 1 << 25 + 1)
        #expect(server.receiveCredit.islandCount == 0)
    }

    @Test(
        "A damaged snapshot is refused and does not trap",
        arguments: [
            ("\"used\":", "\"used\":99999999"), ("\"consumedOffset\":", "\"consumedOffset\":7"),
            ("\"acknowledgedOffset\":", "\"acknowledgedOffset\":9"), ("\"nextOffset\":", "\"nextOffset\":9"),
            ("\"openedCount\":", "\"openedCount\":999999999999999999"),
            ("\"islandCount\":", "\"islandCount\":4"),
            ("\"urgency\":", "\"urgency\":9"), ("\"highestOffset\":", "\"highestOffset\":8888888888"),
        ])
    func damagedSnapshot(key: String, replacement: String) throws {
        let peers = StreamPeers()
        let id = try #require(peers.client.open(.bidirectional))
        try peers.client.write(id, pattern(50))
        try peers.settle()
        try peers.client.write(id, pattern(50))
        for end in [peers.client, peers.server] {
            let text = String(decoding: try JSONEncoder().encode(end.streams), as: UTF8.self)
            try #require(text.contains(key))
            let damaged = text.replacingOccurrences(of: key, with: replacement)
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(Streams.self, from: Data(damaged.utf8))
            }
        }
    }

    @Test("Handshake bytes and datagrams survive a snapshot too (RFC 9000 section 7.5)")
    func otherRooms() throws {
        var crypto = CryptoStream()
        pattern(3000).withUnsafeBytes { crypto.write($0) }
        var records = SentFrameList()
        var bytes = [UInt8](repeating: 0, count: 1000)
        bytes.withUnsafeMutableBytes { buffer in
            var writer = ByteWriter(buffer)
            crypto.writeFrames(into: &writer, records: &records)
        }
        crypto = try JSONDecoder().decode(CryptoStream.self, from: JSONEncoder().encode(crypto))
        crypto.onLost(records[0])
        #expect(crypto.hasDataToSend && !crypto.isFullyAcknowledged)
        var datagrams = DatagramQueue(maxFrameSize: 1200)
        datagrams.applyPeerLimit(1200)
        _ = try [UInt8](repeating: 5, count: 9).withUnsafeBytes { try datagrams.enqueue($0) }
        try [UInt8](repeating: 6, count: 3).withUnsafeBytes { try datagrams.receive($0) }
        datagrams = try JSONDecoder().decode(DatagramQueue.self, from: JSONEncoder().encode(datagrams))
        #expect(datagrams.hasDataToSend)
        #expect(datagrams.read { Array($0) } == [6, 6, 6])
    }
}
