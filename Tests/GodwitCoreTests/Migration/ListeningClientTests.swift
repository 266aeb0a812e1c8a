import GodwitCrypto
import GodwitMigration
import GodwitWire
import Testing

@testable import GodwitCore

/// Clients that take a stream without end and say nothing but what it takes (Specs/server-migration.md 5.8).
@Suite("A client that only listens")
struct ListeningClientTests {
    /// A stream from the server to the client.
    private final class Download {
        let moving: MovingPair
        private let stream: StreamID
        private let portion = [UInt8](repeating: 7, count: 10_000)
        private(set) var received = 0
        private(set) var lastHeard = Instant.zero

        /// One that is half a second old, of a server that is ready to move.
        init(_ suite: MigrationSuite = .explicit) throws {
            moving = MovingPair(suite)
            try moving.establish()
            stream = moving.client.openStream(.bidirectional)!
            _ = try moving.client.write([1], to: stream, fin: true)
            moving.run(for: .milliseconds(200))
            let there = try #require(MigrationDestination(MovingPair.there))
            #expect(try moving.prepare(.explicit(destination: there)) == .ready(.explicit))
            run(for: .milliseconds(500))
            #expect(received > 0 && searches == 0)
        }

        /// - Parameter serves: whether the server has something to say.
        func run(for span: TimeSpan, serves: Bool = true, until condition: () -> Bool = { false }) {
            moving.run(for: span) {
                if serves, !moving.isFrozen { _ = try? moving.server.write(portion, to: stream) }
                let bytes = (try? moving.client.readAll(from: stream, now: moving.pair.now))?.bytes.count ?? 0
                received += bytes
                if bytes > 0 { lastHeard = moving.pair.now }
                return condition()
            }
        }

        var searches: Int { moving.clientEvents.count { if case .searching = $0 { true } else { false } } }
    }

    // Holds: W7
    @Test(
        "It looks for its server a probe timeout after it has heard the last of it (5.8.3)",
        arguments: [true, false])
    func trigger(isExtended: Bool) throws {
        let download = try Download(isExtended ? .all : .explicit)
        let moving = download.moving
        moving.isLost = { !$0.toServer }
        let probeTimeout = moving.client.probeTimeout
        download.run(for: .seconds(5)) { download.searches > 0 }
        #expect(moving.pair.now - download.lastHeard <= probeTimeout + .milliseconds(1))
    }

    @Test("That what it asks is lost is no reason to look, as long as the server is heard (5.8.3)")
    func lostQuestions() throws {
        let download = try Download()
        let moving = download.moving
        // The server goes on for as long as its window lasts.
        moving.isLost = { $0.toServer }
        let before = download.received
        download.run(
            for: moving.client.probeTimeout,
            until: { moving.pair.now - download.lastHeard > .milliseconds(20) })
        #expect(download.received > before && download.searches == 0)
        moving.isLost = { _ in false }
        download.run(for: .seconds(1))
        #expect(download.searches == 0)
    }

    @Test("A server that pauses and goes on is believed within a round trip (5.8.3)")
    func pause() throws {
        let download = try Download()
        let moving = download.moving
        moving.isLost = { _ in true }
        download.run(for: .milliseconds(300))
        #expect(download.searches == 1)
        moving.isLost = { _ in false }
        download.run(for: .seconds(2)) { moving.clientEvents.last == .stayed }
        let heard = download.lastHeard
        #expect(moving.clientEvents.last == .stayed)
        download.run(for: .seconds(1))
        #expect(heard < download.lastHeard && download.searches == 1)
    }

    @Test("Who has nothing to say does not ask either: the idle timeout may end the connection (5.8.3)")
    func silence() throws {
        let download = try Download()
        let moving = download.moving
        download.run(for: .seconds(70), serves: false)
        let sent = moving.client.statistics.bytesSent
        download.run(for: .seconds(5), serves: false)
        #expect(moving.client.statistics.bytesSent == sent && download.searches == 0)
    }
}
