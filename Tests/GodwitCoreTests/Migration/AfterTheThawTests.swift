import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What was under way when a server moved (Specs/server-migration.md 5.3, 6.4)")
struct AfterTheThawTests {
    private let there = MigrationDestination(MovingPair.there)!

    @Test("A client that sends all the while notices a silence as soon as one that waits (5.3.1)")
    func silence() throws {
        let moving = MovingPair(.explicit)
        try moving.establish()
        _ = try moving.prepare(.explicit(destination: there))
        moving.run(for: .seconds(2))
        try moving.freeze()
        let frozen = moving.pair.now
        let patience = moving.client.probeTimeout
        for _ in 0..<40 where !moving.clientEvents.contains(.searching(.silence)) {
            let stream = try #require(moving.client.openStream(.bidirectional))
            _ = try moving.client.write([1, 2, 3], to: stream, fin: true)
            moving.run(for: .milliseconds(5)) { moving.clientEvents.contains(.searching(.silence)) }
        }
        #expect(moving.clientEvents.contains(.searching(.silence)))
        #expect(moving.pair.now - frozen <= patience + .milliseconds(1))
    }

    /// A client that takes a megabyte, and a server that is about to be frozen in the middle of it.
    private func download(_ moving: MovingPair) throws -> Download {
        try moving.establish()
        let download = try Download(moving)
        _ = try moving.prepare(.explicit(destination: there))
        moving.run(for: .milliseconds(90)) { download.pump() }
        #expect(download.received > 0 && download.received < Download.size / 2)
        return download
    }

    @Test("What had come before the freeze is not sent again, though nobody could say so (6.4)")
    func arrived() throws {
        let moving = MovingPair()
        let download = try download(moving)
        try moving.freeze()
        moving.run(for: .seconds(1)) { download.pump() }
        let missing = Download.size - download.received
        try moving.thaw()
        var sent = 0
        moving.isLost = { flight in
            if !flight.toServer { sent += flight.bytes.count }
            return false
        }
        moving.run(for: .seconds(5)) {
            download.pump() || download.received == Download.size
        }
        #expect(download.received == Download.size)
        // Headers and the datagrams of the search come on top.
        #expect(sent < missing + missing / 10 + 20_000, "\(sent) for \(missing)")
    }

    @Test("What is lost before the client has found the server says nothing about congestion (6.4)")
    func innocentLosses() throws {
        let moving = MovingPair(.explicit)
        let download = try download(moving)
        try moving.freeze()
        moving.run(for: .milliseconds(150)) { download.pump() }
        // Nothing gets in before the client has sent to where the server is.
        (moving.isFiltered, moving.reached) = (true, [])
        try moving.thaw()
        let thawed = moving.pair.now
        var smallest = UInt64.max
        moving.run(for: .seconds(5)) {
            if moving.server.paths.active.local == MovingPair.there {
                smallest = min(smallest, moving.server.paths.active.congestion.window)
            }
            return download.pump() || download.received == Download.size
        }
        #expect(download.received == Download.size && smallest >= 10 * 1200)
        #expect(moving.pair.now - thawed < .milliseconds(700), "\(moving.pair.now - thawed)")
    }
}

/// A megabyte from a server to its client.
private final class Download {
    static let size = 1 << 20

    private let moving: MovingPair
    private let stream: StreamID
    private let payload = [UInt8](repeating: 7, count: Download.size)
    private var sent = 0
    private(set) var received = 0

    init(_ moving: MovingPair) throws {
        self.moving = moving
        stream = try #require(moving.client.openStream(.bidirectional))
        _ = try moving.client.write([1], to: stream, fin: true)
        moving.run(for: .milliseconds(100))
    }

    /// Writes and reads what it can; false, so that the run goes on.
    func pump() -> Bool {
        if sent < payload.count, !moving.isFrozen {
            sent += (try? moving.server.write(Array(payload[sent...]), to: stream)) ?? 0
        }
        received += ((try? moving.client.readAll(from: stream, now: moving.pair.now))?.bytes.count) ?? 0
        return false
    }
}
