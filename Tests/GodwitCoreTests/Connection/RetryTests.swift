import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Retry packets")
struct RetryTests {
    private let other = ConnectionID([9, 8, 7, 6, 5, 4, 3, 2])!

    // Holds: 9000-8.1.2-1, 9000-8.1.3-6, 9000-17.2.5.1-1, 9000-17.2.5.1-3, 9000-17.2.5.2-5
    // Holds: 9000-17.2.5.3-1, 9000-17.2.5.3-2
    @Test(
        "After a Retry the client sends the same hello, with the token each time (RFC 9000 section 17.2.5)"
    )
    func afterRetry() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        var hasRetry = false
        var lost = 0
        pair.intercept = { flight in
            if !flight.toServer { hasRetry = true }
            // Initial packets are sent again, too.
            guard flight.toServer, hasRetry, lost < 4 else { return [flight] }
            lost += 1
            return []
        }
        let tapes = pair.watch()
        let client = try pair.connect()
        let original = client.identity.originalDestination
        pair.run(for: .seconds(5)) { client.isConfirmed }
        let retry = try #require(
            pair.datagrams(toServer: false).flatMap { VisiblePacket.all(in: $0) }.first { $0.type == .retry })
        #expect(retry.source != original && retry.destination == client.identity.localHandshakeID)
        let initials = pair.datagrams(toServer: true).compactMap { VisiblePacket.all(in: $0).first }
            .filter { $0.type == .initial }
        #expect(Set(initials.map(\.source)).count == 1)
        let after = initials.filter { $0.destination != original }
        #expect(after.count >= 4)
        #expect(after.allSatisfy { $0.token == retry.token })
        #expect(after.first?.destination == retry.source)
        let datagrams = pair.datagrams(toServer: true)
        let before = hello(in: datagrams.filter { first($0)?.destination == original }, original)
        let again = hello(
            in: datagrams.filter { first($0)?.destination == retry.source }, try #require(retry.source))
        #expect(before.count > 1000 && before == again)
        let numbers = tapes.client.sealed.filter { $0.level == .initial }.map(\.number)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
    }

    private func first(_ datagram: [UInt8]) -> VisiblePacket? { VisiblePacket.all(in: datagram).first }

    /// The CRYPTO bytes of the first packets, by their place.
    private func hello(in datagrams: [[UInt8]], _ destination: ConnectionID) -> [UInt64: UInt8] {
        var bytes: [UInt64: UInt8] = [:]
        for datagram in datagrams {
            guard let packet = OpenPacket.clientInitial(datagram, destination: destination) else { continue }
            PacketTape.Opened(level: .initial, number: packet.number, payload: packet.payload).visitFrames {
                frame in
                guard case .crypto(let crypto) = frame else { return }
                for (index, byte) in crypto.data.enumerated() { bytes[crypto.offset + UInt64(index)] = byte }
            }
        }
        return bytes
    }

    /// A client that has heard nothing yet.
    private func waiting() throws -> (EndpointPair, Connection) {
        let pair = EndpointPair()
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        pair.exchange()
        return (pair, client)
    }

    // Holds: 9000-17.2.5.2-1
    @Test("A client follows one Retry and no other (RFC 9000 section 17.2.5.2)")
    func secondRetry() throws {
        let (pair, client) = try waiting()
        let (id, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        pair.arrive(
            OpenPacket.retry(to: id, from: other, token: [1, 2], original: original), atServer: false)
        #expect(client.identity.token == [1, 2] && client.identity.retrySource == other)
        let third = ConnectionID([1, 1, 1, 1, 1, 1, 1, 1])!
        for base in [original, other] {
            pair.arrive(OpenPacket.retry(to: id, from: third, token: [3], original: base), atServer: false)
        }
        #expect(client.identity.token == [1, 2] && client.identity.retrySource == other)
    }

    // Holds: 9000-17.2.5.2-2
    @Test("A client that has opened an Initial packet drops any Retry (RFC 9000 section 17.2.5.2)")
    func retryAfterInitial() throws {
        let pair = EndpointPair()
        let client = try pair.connect()
        pair.run(for: .milliseconds(11))
        let server = try #require(pair.serverConnection)
        pair.arrive(server.forge(.initial, Frame.ping.bytes, now: pair.now), atServer: false)
        let (id, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        pair.arrive(OpenPacket.retry(to: id, from: other, token: [1], original: original), atServer: false)
        #expect(client.identity.retrySource == nil && client.identity.token.isEmpty)
        pair.run(for: .seconds(1)) { client.isConfirmed }
        #expect(client.isConfirmed)
    }

    // Holds: 9000-17.2.5.2-3
    @Test("A Retry with any bit of its tag wrong is dropped (RFC 9000 section 17.2.5.2)")
    func wrongTag() throws {
        let (pair, client) = try waiting()
        let (id, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        let retry = OpenPacket.retry(to: id, from: other, token: [1, 2], original: original)
        for bit in 0..<128 {
            var damaged = retry
            damaged[retry.count - 16 + bit / 8] ^= 1 << (bit % 8)
            pair.arrive(damaged, atServer: false)
        }
        pair.arrive(OpenPacket.retry(to: id, from: other, token: [1], original: other), atServer: false)
        #expect(client.identity.retrySource == nil && client.closed == nil)
    }

    // Holds: 9000-17.2.5.1-2, 9000-17.2.5.2-4
    @Test(
        "A Retry without a token, or from the id that the client made up, is dropped (RFC 9000 section 17.2.5)"
    )
    func uselessRetry() throws {
        let (pair, client) = try waiting()
        let (id, original) = (client.identity.localHandshakeID, client.identity.originalDestination)
        pair.arrive(OpenPacket.retry(to: id, from: other, token: [], original: original), atServer: false)
        pair.arrive(OpenPacket.retry(to: id, from: original, token: [1], original: original), atServer: false)
        #expect(client.identity.retrySource == nil && client.identity.token.isEmpty && client.closed == nil)
    }

    // Holds: 9000-17.2.5.1-4
    @Test("A datagram with several Initial packets draws one Retry (RFC 9000 section 17.2.5.1)")
    func oneRetryPerDatagram() throws {
        let pair = EndpointPair { $0.retryPolicy = .always }
        pair.intercept = { _ in [] }
        let client = try pair.connect()
        let packet = client.forge(.initial, Frame.ping.bytes, paddedTo: 600, now: pair.now)
        let answers = pair.server.answers(to: packet + packet, now: pair.now)
        #expect(answers.count == 1 && answers.first.map { VisiblePacket.all(in: $0).map(\.type) } == [.retry])
    }
}
