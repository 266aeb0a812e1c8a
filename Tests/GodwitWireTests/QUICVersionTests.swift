import GodwitWire
import Testing

@Suite("Versions and first bytes")
struct QUICVersionTests {
    @Test("Version 2 numbers the packet types differently (RFC 9369 section 3.2)")
    func packetTypes() {
        let types: [LongPacketType] = [.initial, .zeroRTT, .handshake, .retry]
        for (type, bits) in zip(types, [0, 1, 2, 3] as [UInt8]) {
            #expect(type.bits(in: .v1) == bits)
            #expect(LongPacketType(bits: bits, version: .v1) == type)
            #expect(LongPacketType(bits: bits, version: .mvfst) == type)
        }
        for (type, bits) in zip(types, [1, 2, 3, 0] as [UInt8]) {
            #expect(type.bits(in: .v2) == bits)
            #expect(LongPacketType(bits: bits, version: .v2) == type)
        }
    }

    @Test("Packet types and levels of protection belong together (RFC 9001 section 4.1.4)")
    func levels() {
        for level in EncryptionLevel.allCases {
            #expect(LongPacketType(level)?.level == (level == .oneRTT ? nil : level))
        }
        #expect(LongPacketType.retry.level == nil)
    }

    @Test("Reserved versions follow their pattern and no real version does (RFC 9000 section 15)")
    func reservedVersions() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<100 {
            let version = QUICVersion.reserved(random: UInt32(truncatingIfNeeded: generator.next()))
            #expect(version.isReserved)
            #expect(!version.hasKnownLayout)
        }
        for version in [QUICVersion.v1, .v2, .mvfst, .negotiation] { #expect(!version.isReserved) }
        #expect(!QUICVersion.negotiation.hasKnownLayout)
        #expect(QUICVersion.v2.rawValue == 0x6b33_43cf)
        #expect("\(QUICVersion.v1) \(QUICVersion.v2) \(QUICVersion.mvfst)" == "v1 v2 0xfaceb002")
    }

    @Test("First bytes say what they were made from (RFC 9000 sections 17.2 and 17.3.1)")
    func firstBytes() {
        for length in 1...4 {
            for fixedBit in [true, false] {
                let long = FirstByte(.handshake, version: .v1, packetNumberLength: length, fixedBit: fixedBit)
                #expect(long.isLongHeader && long.reservedBitsAreZero && long.protectedBits == 0x0f)
                #expect(long.hasFixedBit == fixedBit)
                #expect(long.packetNumberLength == length)
                #expect(LongPacketType(bits: long.longTypeBits, version: .v1) == .handshake)
                let short = FirstByte(spinBit: fixedBit, keyPhase: !fixedBit, packetNumberLength: length)
                #expect(!short.isLongHeader && short.reservedBitsAreZero && short.protectedBits == 0x1f)
                #expect(short.hasFixedBit && short.spinBit == fixedBit && short.keyPhase == !fixedBit)
                #expect(short.packetNumberLength == length)
            }
        }
        for bits in [0xc4, 0xc8, 0x48, 0x50] as [UInt8] {
            #expect(!FirstByte(rawValue: bits).reservedBitsAreZero)
        }
    }
}
