import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Probe packets and the congestion window (RFC 9002 section 7.5)")
struct ProbePacketTests {
    /// A client that has filled its congestion window with packets that were all lost.
    private func blocked() throws -> (EndpointPair, Connection) {
        let pair = EndpointPair()
        let (client, _) = try pair.establish()
        pair.run(for: .seconds(1))
        pair.intercept = { _ in [] }
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([UInt8](repeating: 1, count: 200_000), to: id)
        // Pacing lets the window's packets out by and by.
        pair.run(for: .milliseconds(15)) { isFull(client) }
        #expect(client.statistics.probeTimeouts == 0)
        pair.log = []
        pair.exchange()
        #expect(isFull(client) && pair.log.isEmpty && client.streams.hasStreamDataToSend)
        return (pair, client)
    }

    private func isFull(_ connection: Connection) -> Bool {
        let path = connection.paths.active
        return path.congestion.available(bytesInFlight: path.bytesInFlight.count) == 0
    }

    // Holds: 9002-7.5-1, 9002-7.5-2
    @Test(
        "They leave with the window full, and count as in flight on top of it (RFC 9002 section 7.5)")
    func probes() throws {
        let (pair, client) = try blocked()
        for timeout in 1...4 as ClosedRange<UInt64> {
            let before = client.paths.active.bytesInFlight.count
            #expect(before >= client.paths.active.congestion.window)
            pair.log = []
            pair.run(for: .seconds(10)) { client.statistics.probeTimeouts == timeout && !pair.log.isEmpty }
            #expect(client.statistics.probeTimeouts == timeout)
            let sizes = pair.datagrams(toServer: true).map(\.count)
            #expect(sizes.count == 2)
            #expect(client.paths.active.bytesInFlight.count == before + UInt64(sizes.reduce(0, +)))
            // And nothing but them.
            pair.exchange()
            #expect(pair.datagrams(toServer: true).count == 2)
        }
    }

    // Holds: 9002-7.5-1, 9002-7.5-2
    @Test(
        "So do those of the handshake, whose window may be full of what was lost (RFC 9002 section 7.5)")
    func handshakeProbes() throws {
        let pair = EndpointPair()
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        pair.exchange()
        // As if there were room for nothing.
        let window = UInt16(client.paths.active.congestion.window)
        client.paths.active.bytesInFlight.add(
            SentPacket(timeSent: pair.now, path: client.paths.activeID, size: window, flags: [.inFlight]))
        for timeout in 1...3 as ClosedRange<UInt64> {
            let before = client.paths.active.bytesInFlight.count
            pair.log = []
            pair.run(for: .seconds(5)) { client.statistics.probeTimeouts == timeout && !pair.log.isEmpty }
            let sizes = pair.datagrams(toServer: true).map(\.count)
            #expect(!sizes.isEmpty && sizes.allSatisfy { $0 >= 1200 })
            #expect(client.paths.active.bytesInFlight.count == before + UInt64(sizes.reduce(0, +)))
        }
    }
}
