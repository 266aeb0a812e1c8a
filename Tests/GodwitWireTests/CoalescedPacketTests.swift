import GodwitWire
import Testing

@Suite("Datagrams of several packets")
struct CoalescedPacketTests {
    private let id = ConnectionID(hex("aabbccdd"))!

    private func shortPacket(to id: ConnectionID) -> [UInt8] {
        written { writer in
            _ = ShortHeader.encode(
                destinationID: id, spinBit: true, keyPhase: false, packetNumber: 1, packetNumberLength: 1,
                into: &writer)
            writer.writeZeros(30)
        }
    }

    private func kinds(_ datagram: [UInt8]) -> String {
        packets(of: datagram, connectionIDLength: 4).map { packet in
            switch packet {
            case .long(let header): "\(header.type)"
            case .short: "short"
            case .retry: "retry"
            case .versionNegotiation: "negotiation"
            case .unknownVersion: "unknown"
            }
        }.joined(separator: " ")
    }

    @Test("Packets of all levels are found one behind the other (RFC 9000 section 12.2)")
    func allLevels() {
        let parts = [longPacket(.initial), longPacket(.zeroRTT), longPacket(.handshake), shortPacket(to: id)]
        let datagram = parts.flatMap { $0 }
        #expect(kinds(datagram) == "initial zeroRTT handshake short")
        let found = packets(of: datagram, connectionIDLength: 4)
        guard case .long(let handshake) = found[2], case .short(let short) = found[3] else {
            return fail("not the packets that were sent")
        }
        #expect(handshake.packetOffset == parts[0].count + parts[1].count)
        #expect(handshake.packetEnd == datagram.count - parts[3].count)
        #expect(handshake.packetNumberOffset == handshake.packetEnd - 42)
        #expect(short.packetOffset == handshake.packetEnd)
        #expect(short.packetNumberOffset == short.packetOffset + 5)
        #expect(short.packetEnd == datagram.count)
    }

    @Test("Packets to another connection id than the first's are passed over (RFC 9000 section 12.2)")
    func otherConnectionID() {
        let stray = longPacket(.handshake, to: ConnectionID(hex("aabbccde"))!)
        #expect(kinds(longPacket(.initial) + stray + longPacket(.handshake)) == "initial handshake")
        #expect(kinds(longPacket(.initial) + shortPacket(to: ConnectionID(hex("00bbccdd"))!)) == "initial")
    }

    @Test("Packets of two versions may share a datagram while one is negotiated (RFC 9369 section 4.1)")
    func twoVersions() {
        #expect(kinds(longPacket(.initial) + longPacket(.handshake, version: .v2)) == "initial handshake")
    }

    @Test("What can only stand alone ends a datagram in which it follows (RFC 9000 section 12.2)")
    func notCoalesced() {
        let retry = hex("f0 00000001 04aabbccdd 0111 01") + [UInt8](repeating: 0, count: 16)
        let negotiation = hex("c0 00000000 04aabbccdd 0111 00000001")
        let unknown = hex("c0 1a2a3a4a 04aabbccdd 0111 00000001")
        #expect(kinds(retry) == "retry")
        #expect(kinds(negotiation) == "negotiation")
        #expect(kinds(unknown) == "unknown")
        for last in [retry, negotiation, unknown] { #expect(kinds(longPacket(.initial) + last) == "initial") }
    }

    @Test("Garbage behind a packet doesn't hide the packet (RFC 9000 section 12.2)")
    func garbage() {
        let packet = longPacket(.initial)
        for garbage in [
            "", "00", "c0", "c000000001ff", "ffffffffffffffffffffffffffff", "00000000000000000000",
        ] {
            #expect(kinds(packet + hex(garbage)) == "initial")
        }
    }

    @Test("A packet may be overwritten before the next is asked for")
    func openedInPlace() {
        var datagram = longPacket(.initial) + longPacket(.handshake)
        datagram.withUnsafeMutableBytes { buffer in
            var packets = CoalescedPackets(UnsafeRawBufferPointer(buffer), connectionIDLength: 4)
            guard case .long(let first) = packets.next() else { return fail("no Initial packet") }
            for index in 0..<first.packetEnd { buffer[index] = 0xff }
            guard case .long(let second) = packets.next() else { return fail("no Handshake packet") }
            #expect(second.type == .handshake)
            #expect(packets.next().map(PacketSummary.init) == nil)
            #expect(packets.next().map(PacketSummary.init) == nil)
        }
    }

    @Test(
        "Whatever the bytes, splitting ends, and no packet reaches beyond its datagram",
        arguments: UInt64(0)..<6)
    func mutations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let version: QUICVersion = [.v1, .v2, .mvfst][generator.below(3)]
            var datagram = [LongPacketType.initial, .zeroRTT, .handshake].flatMap { type in
                longPacket(
                    type, version: version, token: type == .initial ? generator.bytes(upTo: 9) : [],
                    payload: generator.below(30))
            }
            datagram += shortPacket(to: id)
            generator.mutate(&datagram)
            checkBounds(datagram)
        }
    }

    private func checkBounds(_ datagram: [UInt8]) {
        var end = 0
        for packet in packets(of: datagram, connectionIDLength: 4) {
            switch packet {
            case .long(let header):
                #expect(header.packetOffset >= end)
                #expect(header.packetOffset < header.packetNumberOffset)
                #expect(header.tokenRange.lowerBound >= 0)
                #expect(header.tokenRange.upperBound <= header.packetNumberOffset)
                #expect(header.packetNumberOffset <= header.packetEnd)
                end = header.packetEnd
            case .short(let header):
                #expect(header.packetOffset >= end)
                #expect(header.packetNumberOffset <= header.packetEnd)
                end = header.packetEnd
            case .retry(let retry):
                #expect(retry.tagRange.upperBound == datagram.count)
                #expect(!retry.tokenRange.isEmpty)
                end = datagram.count
            case .versionNegotiation, .unknownVersion: end = datagram.count
            }
            #expect(end <= datagram.count)
        }
    }
}
