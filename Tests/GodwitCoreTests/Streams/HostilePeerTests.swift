import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Peers that want to cost us memory or time")
struct HostilePeerTests {
    @Test("An idle connection costs nothing but its struct")
    func idleIsSmall() {
        #expect(MemoryLayout<Streams>.size < 640)
        #expect(MemoryLayout<CryptoStream>.size <= 128)
        #expect(MemoryLayout<DatagramQueue>.size <= 256)
        let server = StreamsEnd(role: .server)
        #expect(server.table.slots.capacity == 0)
    }

    @Test("A byte at the far end of a window is kept where it belongs (RFC 9000 section 2.2)")
    func farByte() throws {
        let server = StreamsEnd(
            role: .server,
            limits: StreamLimits(initialMaxData: 1 << 28, initialMaxStreamDataUnidirectional: 1 << 26))
        let id = StreamID(rawValue: 2)
        let end: UInt64 = 1 << 26
        try server.receiveStream(id, end - 1, [7])
        try server.receiveStream(id, end / 2, [6])
        try server.receiveStream(id, 0, [5])
        #expect(try server.read(id) == ([5], false))
        try server.receiveReset(id, finalSize: end)
        #expect(server.receiveCredit.consumed == end)
        #expect(server.receiveCredit.islandCount == 0)
    }

    @Test("Alternate bytes on one stream close the connection before they cost much (RFC 9000 section 21.6)")
    func alternateBytes() throws {
        let server = StreamsEnd(
            role: .server, limits: StreamLimits(initialMaxStreamDataUnidirectional: 100_000))
        let id = StreamID(rawValue: 2)
        var accepted: UInt64 = 0
        let code = errorCode {
            while true {
                try server.receiveStream(id, 2 * accepted + 1, [1])
                accepted += 1
            }
        }
        #expect(code == .internalError)
        #expect(accepted == 1024)
    }

    @Test("Alternate bytes on many streams do too (RFC 9000 section 21.6)")
    func alternateBytesOnManyStreams() throws {
        let server = StreamsEnd(role: .server)
        var accepted = 0
        let code = errorCode {
            for index: UInt64 in 0..<100 {
                let id = StreamID(index: index, direction: .unidirectional, initiator: .client)
                for offset: UInt64 in 0..<500 {
                    try server.receiveStream(id, 2 * offset + 1, [1])
                    accepted += 1
                }
            }
        }
        #expect(code == .internalError)
        #expect(accepted == 4096)
    }

    @Test("Gaps that close make room for others (RFC 9000 section 2.2)")
    func gapsThatClose() throws {
        let server = StreamsEnd(role: .server)
        for index: UInt64 in 0..<90 {
            let id = StreamID(index: index, direction: .unidirectional, initiator: .client)
            for offset: UInt64 in 0..<100 { try server.receiveStream(id, 2 * offset + 1, [1]) }
            if index % 3 == 0 { try server.receiveReset(id, finalSize: 200) }
            if index % 3 == 1 { try server.receiveStream(id, 0, pattern(200)) }
            if index % 3 == 2 { try server.stopSending(id, code: 0) }
        }
        #expect(server.receiveCredit.islandCount == 0)
    }

    @Test("A stream far above the others costs no slot for each below it (RFC 9000 section 2.1)")
    func manyImplicitStreams() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(maxStreamsBidirectional: 1 << 40))
        try server.receiveStream(
            StreamID(index: 1 << 39, direction: .bidirectional, initiator: .client), 0, [1])
        #expect(server.openCount == 1)
        #expect(server.streams.nextEvent() == .opened(StreamID(rawValue: 0)))
        #expect(server.streams.nextEvent() == .opened(StreamID(rawValue: 4)))
    }

    @Test("Slots and storage of streams that end serve those that follow")
    func slotsAreReused() throws {
        let peers = StreamPeers()
        for round in 0..<300 {
            let id = try #require(peers.client.open(.bidirectional))
            try peers.client.write(id, pattern(1000), fin: true)
            try peers.settle()
            try peers.server.read(id)
            try peers.server.write(id, pattern(1000), fin: true)
            try peers.settle()
            try peers.client.read(id)
            _ = peers.client.events()
            _ = peers.server.events()
            #expect(peers.client.openCount == 0 && peers.server.openCount == 0, "round \(round)")
        }
        #expect(peers.server.table.slots.count <= 2 && peers.client.table.slots.count <= 2)
    }

    @Test("Storage kept for later streams is bounded, and can be given up")
    func spareStorageIsBounded() throws {
        let server = StreamsEnd(role: .server, limits: StreamLimits(initialMaxData: 1 << 26))
        let ids = (0..<100).map { StreamID(index: $0, direction: .unidirectional, initiator: .client) }
        for id in ids { try server.receiveStream(id, 0, pattern(60_000), fin: true) }
        for id in ids { try server.read(id) }
        _ = server.events()
        #expect(server.openCount == 0)
        #expect(server.table.slots.reduce(0) { $0 + $1.capacity } <= StreamTable.spareBudget)
        server.streams.releaseSpareMemory()
        #expect(server.table.slots.isEmpty)
        #expect(server.frames().contains("MAX_STREAMS unidirectional 200"))
        let next = StreamID(index: 100, direction: .unidirectional, initiator: .client)
        try server.receiveStream(next, 0, [3])
        #expect(server.readableBytes(next) == 1)
    }

    @Test("Giving up memory in the middle of work loses nothing")
    func releaseMidway() throws {
        let peers = StreamPeers()
        let busy = try #require(peers.client.open(.bidirectional))
        let quiet = try #require(peers.client.open(.bidirectional))
        try peers.client.write(busy, pattern(5000))
        try peers.client.write(quiet, [1])
        try peers.settle()
        try peers.server.read(quiet)
        try peers.client.write(busy, pattern(5000, from: 5000), fin: true)
        peers.client.streams.releaseSpareMemory()
        peers.server.streams.releaseSpareMemory()
        try peers.settle()
        #expect(try peers.server.read(busy) == (pattern(10_000), true))
        #expect(peers.server.events().contains(.opened(quiet)))
    }
}
