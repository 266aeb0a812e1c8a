import GodwitWire
import Testing

@Suite("Packet headers")
struct PacketHeaderTests {
    @Test("A client's Initial header is the one of the RFC's example (RFC 9001 appendix A.2)")
    func clientInitial() {
        let destination = ConnectionID(hex("8394c8f03e515708"))!
        let packet = written { writer in
            let layout = LongHeader.encode(
                .initial, version: .v1, destinationID: destination, sourceID: .empty, packetNumber: 2,
                packetNumberLength: 4, into: &writer)
            #expect(layout.packetNumberOffset == 18 && layout.payloadOffset == 22)
            writer.writeZeros(1162)
            layout.fillInLength(in: writer)
            writer.writeZeros(16)
        }
        #expect(Array(packet[..<22]) == hex("c300000001088394c8f03e5157080000449e00000002"))
        let header = longHeader(of: packet)
        #expect(header?.type == .initial)
        #expect(header?.destinationID == destination)
        #expect(header?.sourceID == .empty)
        #expect(header?.tokenRange.isEmpty == true)
        #expect(header?.packetNumberOffset == 18)
        #expect(header?.length == 1182)
        #expect(header?.packetEnd == 1200)
        #expect(header?.hasSample == true)
    }

    @Test("A server's Initial header is the one of the RFC's example (RFC 9001 appendix A.3)")
    func serverInitial() {
        let packet = hex("c1000000010008f067a5502a4262b50040750001") + [UInt8](repeating: 0, count: 115)
        let header = longHeader(of: packet)
        #expect(header?.type == .initial)
        #expect(header?.destinationID == .empty)
        #expect(header?.sourceID == ConnectionID(hex("f067a5502a4262b5")))
        #expect(header?.packetNumberOffset == 18)
        #expect(header?.packetEnd == packet.count)
        #expect(header?.firstByte.packetNumberLength == 2)
    }

    @Test("Version 2's Initial header is the one of its RFC's example (RFC 9369 appendix A.2)")
    func version2Initial() {
        let packet = hex("d36b3343cf088394c8f03e5157080000449e00000002") + [UInt8](repeating: 0, count: 1178)
        #expect(longHeader(of: packet)?.type == .initial)
        #expect(longHeader(of: packet)?.version == .v2)
        #expect(longHeader(of: packet)?.packetEnd == 1200)
    }

    @Test("A short header is the one of the RFC's example (RFC 9001 appendix A.5)")
    func shortHeader() {
        let packet = written { writer in
            let layout = ShortHeader.encode(
                destinationID: .empty, spinBit: false, keyPhase: false, packetNumber: 654_360_564,
                packetNumberLength: 3, into: &writer)
            #expect(layout.packetNumberOffset == 1 && layout.payloadOffset == 4 && layout.lengthOffset == nil)
            writer.writeZeros(17)
            layout.fillInLength(in: writer)
        }
        #expect(Array(packet[..<4]) == hex("4200bff4"))
        guard case .short(let header) = header(of: packet, connectionIDLength: 0) else {
            return fail("not a short header")
        }
        #expect(header.packetNumberOffset == 1)
        #expect(header.length == 20)
        #expect(header.hasSample)
    }

    @Test("Every kind of long header comes back as it was sent (RFC 9000 section 17.2)")
    func roundTrip() {
        var generator = SeededGenerator(seed: 11)
        for version in [QUICVersion.v1, .v2, .mvfst] {
            for type in [LongPacketType.initial, .zeroRTT, .handshake] {
                for _ in 0..<20 {
                    let (destination, source) = (generator.connectionID(), generator.connectionID())
                    let token = type == .initial ? generator.bytes(upTo: 100) : []
                    let payload = generator.below(200)
                    let packet = longPacket(
                        type, version: version, to: destination, from: source, token: token, payload: payload)
                    let size = LongHeader.encodedSize(
                        type, destinationID: destination, sourceID: source, tokenLength: token.count,
                        packetNumberLength: 2)
                    #expect(packet.count == size + payload)
                    guard let header = longHeader(of: packet) else { return fail("not a long header") }
                    #expect(header.type == type && header.version == version)
                    #expect(header.destinationID == destination && header.sourceID == source)
                    #expect(Array(packet[header.tokenRange]) == token)
                    #expect(header.packetOffset == 0 && header.packetEnd == packet.count)
                    #expect(header.packetNumberOffset == size - 2)
                    #expect(header.hasSample == (payload >= 18))
                }
            }
        }
    }

    @Test(
        "A long header that is cut off, or whose Length says too much, is discarded (RFC 9000 section 17.2)")
    func cutOff() {
        let packet = longPacket(.initial, token: [1, 2, 3])
        for count in 0..<packet.count { #expect(header(of: Array(packet[..<count])) == nil) }
        #expect(header(of: packet) != nil)
    }

    // Holds: 9000-17.2-3, 9000-17.2-5
    @Test(
        "A connection id above 20 bytes is discarded in versions that allow no such (RFC 9000 section 17.2)")
    func longConnectionIDs() {
        let id = "15" + String(repeating: "aa", count: 21)
        for ids in [id + "00", "00" + id] {
            #expect(header(of: hex("c0 00000001 \(ids) 00 01 00")) == nil)
            #expect(header(of: hex("f0 00000001 \(ids) 01" + String(repeating: "00", count: 16))) == nil)
            #expect(header(of: hex("c0 1a2a3a4a \(ids) 00 01 00")) != nil)
        }
    }

    // Holds: 9000-17.2-6, 9000-17.3.1-2
    @Test(
        "The reserved bits of all headers are written as 0 (RFC 9000 sections 17.2 and 17.3.1)",
        arguments: 1...4)
    func reservedBits(packetNumberLength: Int) {
        for version in [QUICVersion.v1, .v2, .mvfst] {
            for type in [LongPacketType.initial, .zeroRTT, .handshake] {
                let long = written { writer in
                    _ = LongHeader.encode(
                        type, version: version, destinationID: .empty, sourceID: .empty,
                        packetNumber: .max >> 2, packetNumberLength: packetNumberLength, into: &writer)
                }
                #expect(long[0] & 0x0c == 0)
            }
        }
        for (spinBit, keyPhase) in [(false, false), (false, true), (true, false), (true, true)] {
            let short = written { writer in
                _ = ShortHeader.encode(
                    destinationID: .empty, spinBit: spinBit, keyPhase: keyPhase, packetNumber: .max >> 2,
                    packetNumberLength: packetNumberLength, into: &writer)
            }
            #expect(short[0] & 0x18 == 0)
        }
    }

    @Test("A clear fixed bit is reported and not judged (RFC 9287 section 3)")
    func clearFixedBit() {
        var packet = longPacket(.handshake)
        #expect(longHeader(of: packet)?.firstByte.hasFixedBit == true)
        packet[0] &= 0xbf
        #expect(longHeader(of: packet)?.firstByte.hasFixedBit == false)
        guard case .short(let short) = header(of: [UInt8](repeating: 0, count: 30)) else {
            return fail("not a short header")
        }
        #expect(!short.firstByte.hasFixedBit)
    }

    @Test("A short header that is shorter than the connection id is discarded (RFC 9000 section 17.3)")
    func tooShort() {
        #expect(header(of: hex("40 0102030405060708")) != nil)
        #expect(header(of: hex("40 01020304050607")) == nil)
        #expect(header(of: []) == nil)
    }

    @Test("Offsets outside the datagram find nothing")
    func offsets() {
        let packet = longPacket(.handshake)
        packet.withUnsafeBytes { view in
            for offset in [-1, view.count, view.count + 1, Int.max] {
                #expect(
                    PacketHeader.decode(view, at: offset, connectionIDLength: 8).map(PacketSummary.init)
                        == nil)
                #expect(ShortHeader.decode(view, at: offset, connectionIDLength: 8) == nil)
            }
        }
    }
}
