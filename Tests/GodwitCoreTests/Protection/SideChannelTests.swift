import GodwitCrypto
import GodwitWire
import Testing

@testable import GodwitCore

@Suite("What an observer of protected packets learns")
struct SideChannelTests {
    /// One number of each length that can be on the wire, from some that have not been used.
    private static let numbers: [(next: UInt64, length: Int)] = [
        (100, 1), (10_000, 2), (4_000_000, 3), (1 << 30, 4),
    ]

    /// The datagrams that a client sends for `data` when its next packet number is `next`, and the first
    /// packet of each without header protection.
    private func datagrams(next: UInt64, data: Int) throws -> [(
        bytes: [UInt8], opened: HeaderProtection.Opened
    )] {
        var transport = TransportConfiguration()
        (transport.greasesQUICBit, transport.usesSpinBit, transport.maxUDPPayloadSize) = (false, false, 1200)
        let pair = EndpointPair(client: transport, server: transport)
        let (client, server) = try pair.establish()
        pair.run(for: .seconds(1))
        client.packetNumbers.application = PacketNumbers(next: next)
        (pair.log, pair.intercept) = ([], { _ in [] })
        let id = try #require(client.openStream(.bidirectional))
        _ = try client.write([UInt8](repeating: 0, count: data), to: id)
        pair.exchange()
        let key = try #require(server.protection.oneRTT?.readHeader)
        return pair.datagrams(toServer: true).map { datagram in
            var bytes = datagram
            let opened = bytes.withUnsafeMutableBytes {
                HeaderProtection.remove(
                    from: $0, packetNumberOffset: 1 + ConnectionIDGenerator.format.length, largest: next,
                    using: key)
            }
            return (datagram, opened)
        }
    }

    // Holds: 9001-9.5-2
    @Test(
        "Neither sizes nor bits in the clear tell a packet number or its length (RFC 9001 section 9.5)")
    func sizes() throws {
        var clearBits: Set<UInt8> = []
        for (next, length) in Self.numbers {
            let datagrams = try datagrams(next: next, data: 8 * 1200)
            #expect(datagrams.allSatisfy { $0.opened.firstByte.packetNumberLength == length })
            #expect(datagrams.prefix(7).map(\.bytes.count) == [Int](repeating: 1200, count: 7))
            clearBits.formUnion(
                datagrams.map { $0.bytes[0] & ~FirstByte(rawValue: $0.bytes[0]).protectedBits })
        }
        #expect(clearBits == [0x40])
    }

    // Holds: 9001-9.5-2
    @Test(
        "Numbers that follow each other look like any others (RFC 9001 section 9.5)",
        arguments: numbers.map(\.next))
    func masks(next: UInt64) throws {
        let datagrams = try datagrams(next: next, data: 9 * 1200).filter { $0.bytes.count == 1200 }
        let place = 1 + ConnectionIDGenerator.format.length
        let seen = datagrams.map { [$0.bytes[0] & 0x1f] + $0.bytes[place..<place + 4] }
        #expect(
            zip(datagrams, datagrams.dropFirst()).allSatisfy {
                $1.opened.packetNumber > $0.opened.packetNumber
            })
        #expect(Set(seen).count == datagrams.count)
        // No two have a difference in common, as they would if one mask served them all.
        let steps = zip(seen, seen.dropFirst()).map { pair in zip(pair.0, pair.1).map { $0 ^ $1 } }
        #expect(Set(steps).count == steps.count)
        #expect(steps.contains { $0[0] & 3 != 0 })
    }

    // Holds: 9001-9.5-2
    @Test(
        "A mask is taken at a place and applied in a way that no number has a part in (RFC 9001 section 9.5)",
        arguments: [false, true], 1...4)
    func masking(isLong: Bool, length: Int) {
        let secret = TrafficSecret(suite: .aes128GCM, bytes: [UInt8](repeating: 3, count: 32))
        let key = HeaderProtectionKey(secret: secret, version: .v1)
        let place = 6
        for number in [0, 0x0102_0304, 0xffff_ffff] as [UInt32] {
            var packet = [UInt8](repeating: 0xa5, count: 40)
            packet[0] = (isLong ? 0xc0 : 0x40) | UInt8(length - 1)
            for index in 0..<length {
                packet[place + index] = UInt8(truncatingIfNeeded: number >> (8 * (length - 1 - index)))
            }
            let plain = packet
            // RFC 9001 section 5.4.1, byte by byte. The sample begins where the longest number would end.
            let mask = packet[(place + 4)..<(place + 20)].withUnsafeBytes { key.mask($0) }
            var expected = plain
            expected[0] ^= mask.firstByte & (isLong ? 0x0f : 0x1f)
            for index in 0..<length { expected[place + index] ^= mask.packetNumberByte(index) }
            packet.withUnsafeMutableBytes {
                HeaderProtection.apply(
                    mask, to: $0.baseAddress!, packetNumberOffset: place, packetNumberLength: length)
            }
            #expect(packet == expected)
            let opened = packet.withUnsafeMutableBytes {
                HeaderProtection.remove(from: $0, packetNumberOffset: place, largest: nil, using: key)
            }
            #expect(packet == plain && opened.headerCount == place + length)
            let window = length == 4 ? UInt32.max : (1 << UInt32(8 * length)) - 1
            #expect(UInt32(truncatingIfNeeded: opened.packetNumber) & window == number & window)
        }
    }
}
