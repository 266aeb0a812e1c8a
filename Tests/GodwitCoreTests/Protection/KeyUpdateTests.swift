import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("Key updates of a connection")
struct KeyUpdateTests {
    private func confirmed() throws -> (EndpointPair, Connection, Connection) {
        let pair = EndpointPair()
        let (client, server) = try pair.establish()
        pair.run(for: .milliseconds(500))
        return (pair, client, server)
    }

    /// The names of the 1-RTT keys that were used, in the order of the packet numbers.
    private func keys(_ tape: PacketTape) -> [UInt64] {
        tape.sealed.filter { $0.level == .oneRTT }.sorted { $0.number < $1.number }.map(\.key)
    }

    // Holds: 9001-6.1-1
    @Test(
        "However urgent, no update is begun before the handshake is confirmed (RFC 9001 section 6.1)",
        arguments: [Role.client, .server])
    func notBeforeConfirmation(role: Role) throws {
        var eager = TransportConfiguration()
        eager.packetsPerKeyPhase = 0
        let pair = EndpointPair(
            client: role == .client ? eager : .init(), server: role == .server ? eager : .init())
        let client = try pair.connect()
        var sawOneRTTKeys = false
        for _ in 0..<400 {
            pair.run(for: .milliseconds(1))
            guard let end = role == .client ? client : pair.serverConnection else { continue }
            if client.lifecycle == .established, client.streams.openCount == 0 {
                _ = client.openStream(.bidirectional).map { try? client.write([1, 2, 3], to: $0) }
            }
            if !end.isConfirmed, var keys = end.protection.oneRTT {
                sawOneRTTKeys = true
                #expect(keys.state.updateCount == 0)
                // As if the peer had acknowledged something already, which is the other condition.
                keys.onAcknowledged(largest: .max)
                end.protection.oneRTT = keys
            }
        }
        #expect(sawOneRTTKeys)
        #expect((role == .client ? client.keyUpdates : pair.serverConnection?.keyUpdates ?? 0) > 0)
    }

    // Holds: 9001-6.1-2
    @Test("The next update waits for an acknowledgement of this phase (RFC 9001 section 6.1)")
    func nextUpdate() throws {
        let (pair, client, server) = try confirmed()
        pair.intercept = { $0.toServer ? [$0] : [] }
        client.updateKeys()
        client.ping()
        pair.run(for: .milliseconds(50))
        #expect(client.keyUpdates == 1 && server.keyUpdates == 1)
        // The server is in the new phase too, and the client's old keys are gone, but nothing was
        // acknowledged.
        pair.arrive(server.forge(.oneRTT, Frame.ping.bytes, now: pair.now), atServer: false)
        pair.run(for: .seconds(1))
        #expect(client.protection.oneRTT?.state.previousReadSecret == nil)
        for _ in 0..<5 {
            client.updateKeys()
            client.ping()
            pair.run(for: .milliseconds(200))
        }
        #expect(client.keyUpdates == 1)
        pair.intercept = { [$0] }
        pair.run(for: .seconds(2))
        client.ping()
        pair.run(for: .seconds(1))
        #expect(client.keyUpdates == 2 && server.keyUpdates == 2)
        #expect(client.closed == nil && server.closed == nil)
    }

    // Holds: 9001-6.1-3
    @Test("Old keys stay until a packet under the new ones was opened (RFC 9001 section 6.1)")
    func oldKeys() throws {
        let (pair, client, server) = try confirmed()
        let old = try #require(server.protection.oneRTT)
        var number = server.packetNumbers.application.next + 10
        func opensOld() -> Bool {
            number += 1
            let packet = server.forge(under: old, Frame.ping.bytes, number: number, now: pair.now)
            return pair.counts(packet, at: client) == .oneOpened
        }
        pair.intercept = { _ in [] }
        client.updateKeys()
        client.ping()
        // Far longer than they would be kept otherwise.
        for _ in 0..<10 {
            pair.run(for: .seconds(2))
            #expect(opensOld())
        }
        #expect(client.keyUpdates == 1)
        // Once the peer was heard in the new phase, they go.
        let new = server.forge(under: server.updatedKeys, Frame.ping.bytes, number: number + 1, now: pair.now)
        #expect(pair.counts(new, at: client) == .oneOpened)
        #expect(opensOld() == false)
        number -= 10
        pair.run(for: .seconds(2))
        #expect(client.protection.oneRTT?.state.previousReadSecret == nil)
    }

    // Holds: 9001-6.2-1, 9001-6.2-2
    @Test(
        "An update of the peer's changes our sending keys before we acknowledge it (RFC 9001 section 6.2)",
        arguments: [Role.client, .server])
    func following(initiator: Role) throws {
        let (pair, client, server) = try confirmed()
        let (first, second) = initiator == .client ? (client, server) : (server, client)
        let tapes = pair.watch()
        let (firstTape, secondTape) =
            initiator == .client ? (tapes.client, tapes.server) : (tapes.server, tapes.client)
        second.ping()
        pair.run(for: .seconds(1))
        let before = try #require(keys(secondTape).last)
        let sealedBefore = secondTape.sealed.count
        first.updateKeys()
        first.ping()
        pair.run(for: .seconds(1))
        let update = try #require(firstTape.sealed.first { $0.key == keys(firstTape).last }).number
        let after = secondTape.sealed[sealedBefore...].filter { $0.level == .oneRTT }
        #expect(!after.isEmpty && Set(after.map(\.key)).count == 1 && after.first?.key != before)
        // The acknowledgement is among them.
        let acknowledging = firstTape.opened.filter { packet in
            var acknowledges = false
            packet.visitFrames {
                if case .ack(let ack) = $0 { acknowledges = ack.ranges.contains { $0.contains(update) } }
            }
            return acknowledges
        }
        #expect(!acknowledging.isEmpty)
        #expect(Set(acknowledging.map(\.number)).isSubset(of: Set(after.map(\.number))))
        #expect(first.keyUpdates == 1 && second.keyUpdates == 1)
    }

    // Holds: 9001-6.4-1
    @Test("Keys only get newer from one packet number to the next (RFC 9001 section 6.4)")
    func keysInOrder() throws {
        let pair = EndpointPair()
        let tapes = pair.watch()
        let (client, server) = try pair.establish()
        var dropped = 0
        pair.intercept = { flight in
            dropped += 1
            return dropped % 7 == 0 ? [] : [flight]
        }
        let id = try #require(client.openStream(.bidirectional))
        for round in 0..<40 {
            (round % 3 == 0 ? server : client).updateKeys()
            _ = try client.write([UInt8](repeating: 7, count: 20_000), to: id)
            pair.run(for: .milliseconds(150))
            _ = try server.readAll(from: id, now: pair.now)
        }
        for tape in [tapes.client, tapes.server] {
            let keys = keys(tape)
            let changes = zip(keys, keys.dropFirst()).count { $0 != $1 }
            #expect(changes >= 4 && changes == Set(keys).count - 1)
        }
        #expect(client.closed == nil && server.closed == nil)
    }

    // Holds: 9001-5.5-1
    @Test(
        "A packet under older keys with a higher number is dropped, and that is all (RFC 9001 section 5.5)"
    )
    func olderKeys() throws {
        let (pair, client, server) = try confirmed()
        let old = try #require(client.protection.oneRTT)
        client.updateKeys()
        client.ping()
        pair.run(for: .milliseconds(50))
        #expect(server.keyUpdates == 1)
        let next = client.packetNumbers.application.next
        let late = client.forge(under: old, Frame.ping.bytes, number: next + 1, now: pair.now)
        #expect(pair.counts(late, at: server) == .oneFailed)
        client.ping()
        pair.run(for: .seconds(1))
        #expect(client.closed == nil && server.closed == nil)
        #expect(
            server.keyUpdates == 1 && client.loss.largestAcknowledged(.application).map { $0 >= next } == true
        )
    }

    // Holds: 9001-5.5-2
    @Test("A flipped key phase bit costs the packet and nothing else (RFC 9001 section 5.5)")
    func apparentUpdate() throws {
        let (pair, client, server) = try confirmed()
        let state = try server.protection.oneRTT?.stateBytes
        for _ in 0..<20 {
            var packet = client.forge(.oneRTT, Frame.ping.bytes, now: pair.now)
            packet[0] ^= 0x04
            #expect(pair.counts(packet, at: server) == .oneFailed)
        }
        #expect(try server.protection.oneRTT?.stateBytes == state)
        client.ping()
        #expect(pair.run(for: .seconds(2)) { client.loss.largestAcknowledged(.application) ?? 0 > 20 })
        #expect(server.keyUpdates == 0 && server.closed == nil)
    }

    // Holds: 9001-6.4-2
    @Test(
        "Older keys on a higher number than newer ones close with KEY_UPDATE_ERROR (RFC 9001 section 6.4)",
        arguments: [Role.client, .server])
    func olderKeysOnHigherNumber(sender: Role) throws {
        let (pair, client, server) = try confirmed()
        let (from, to) = sender == .client ? (client, server) : (server, client)
        let number = from.packetNumbers.application.next + 100
        let newer = from.forge(under: from.updatedKeys, Frame.ping.bytes, number: number - 1, now: pair.now)
        let older = from.forge(.oneRTT, Frame.ping.bytes, now: pair.now) { $0.number = number }
        #expect(pair.counts(older, at: to) == .oneOpened)
        pair.arrive(newer, atServer: to.role == .server)
        #expect(to.ownError == .keyUpdateError)
    }
}
