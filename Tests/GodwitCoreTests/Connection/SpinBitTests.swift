import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("The latency spin bit")
struct SpinBitTests {
    private func bits(_ pair: EndpointPair) -> Set<Bool> {
        Set(pair.log.filter { $0.bytes[0] & 0x80 == 0 }.map { $0.bytes[0] & 0x20 != 0 })
    }

    private func talk(_ pair: EndpointPair, _ client: Connection) {
        for _ in 0..<12 {
            client.ping()
            pair.run(for: .milliseconds(50))
        }
    }

    // Holds: 9000-17.4-1, 9000-17.4-2, 9000-17.4-4
    @Test("Turned off, the bit stays as it is, whatever comes in (RFC 9000 section 17.4)")
    func turnedOff() throws {
        var off = TransportConfiguration()
        off.usesSpinBit = false
        let pair = EndpointPair(client: off, server: off)
        let (client, server) = try pair.establish()
        talk(pair, client)
        #expect(bits(pair) == [false])
        // For one connection alone, too.
        let mixed = EndpointPair(client: .init(), server: .init())
        let single = try mixed.connect { $0.transport = off }
        mixed.run(for: .seconds(1)) { single.isConfirmed }
        #expect(!single.spin.isEnabled)
        for end in [client, server] {
            end.spin.receive(true, packetNumber: 1 << 40, isClient: false)
            end.spin.receive(false, packetNumber: 1 << 41, isClient: true)
            #expect(!end.spin.value)
        }
    }

    @Test("Turned on, the bit turns once per round trip (RFC 9000 section 17.4)")
    func turnedOn() throws {
        for seed in UInt8(1)..<20 {
            let pair = EndpointPair(seed: seed)
            let (client, server) = try pair.establish()
            guard client.spin.isEnabled, server.spin.isEnabled else { continue }
            talk(pair, client)
            #expect(bits(pair) == [true, false])
            return
        }
        Issue.record("the bit was never on at both ends")
    }

    // Holds: 9000-17.4-3
    @Test("One connection in sixteen has it off in any case (RFC 9000 section 17.4)")
    func oneInSixteen() throws {
        let pair = EndpointPair()
        pair.intercept = { _ in [] }
        var off = 0
        for _ in 0..<640 {
            let client = try pair.connect()
            if !client.spin.isEnabled { off += 1 }
            client.abandonSilently()
            client.wake()
        }
        // 40 on average; so few or many come by chance once in a million times.
        #expect(16...72 ~= off)
    }
}
