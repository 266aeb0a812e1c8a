import GodwitWire
import Testing

@Suite("Packet numbers")
struct PacketNumberTests {
    @Test("The examples of the RFC need two and three bytes (RFC 9000 appendix A.2)")
    func encodingExamples() {
        #expect(PacketNumber.encodedLength(0xac5c02, largestAcknowledged: 0xabe8b3) == 2)
        #expect(PacketNumber.encodedLength(0xace8fe, largestAcknowledged: 0xabe8b3) == 3)
        #expect(written { $0.writePacketNumber(0xac5c02, length: 2) } == hex("5c02"))
        #expect(written { $0.writePacketNumber(0xace8fe, length: 3) } == hex("ace8fe"))
    }

    @Test("The example of the RFC is restored (RFC 9000 appendix A.3)")
    func decodingExample() {
        #expect(PacketNumber.expand(0x9b32, length: 2, largest: 0xa82f_30ea) == 0xa82f_9b32)
    }

    @Test("Of two numbers that are equally near the higher is meant (RFC 9000 appendix A.3)")
    func ties() {
        #expect(PacketNumber.expand(0, length: 1, largest: 126) == 0)
        #expect(PacketNumber.expand(0, length: 1, largest: 127) == 256)
        #expect(PacketNumber.expand(128, length: 1, largest: 255) == 384)
        #expect(PacketNumber.expand(129, length: 1, largest: 255) == 129)
    }

    // Holds: 9000-17.1-2
    @Test("An encoding covers more than twice what is outstanding (RFC 9000 section 17.1)")
    func range() {
        for distance: UInt64 in [0x7f, 0x80, 0x7fff, 0x8000, 0x7f_ffff, 0x80_0000] {
            let length = PacketNumber.encodedLength(1000 + distance, largestAcknowledged: 1000)
            #expect(UInt64(1) << UInt64(8 * length) > 2 * distance)
        }
    }

    @Test("The first packets of a space need one byte until 127 are outstanding (RFC 9000 section 17.1)")
    func firstPackets() {
        #expect(PacketNumber.encodedLength(0, largestAcknowledged: nil) == 1)
        #expect(PacketNumber.encodedLength(126, largestAcknowledged: nil) == 1)
        #expect(PacketNumber.encodedLength(127, largestAcknowledged: nil) == 2)
        #expect(PacketNumber.encodedLength(PacketNumber.max, largestAcknowledged: 0) == 4)
        #expect(PacketNumber.expand(0, length: 1, largest: nil) == 0)
        #expect(PacketNumber.expand(255, length: 1, largest: nil) == 255)
    }

    // Holds: 9000-17.1-1
    @Test(
        "Until something is acknowledged, the whole number is written (RFC 9000 section 17.1)",
        arguments: [
            0, 1, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7f_ffff, 0x80_0000, 0xff_ffff,
            0x100_0000, 0xffff_ffff,
        ] as [UInt64])
    func wholeNumbers(full: UInt64) {
        let length = PacketNumber.encodedLength(full, largestAcknowledged: nil)
        let bytes = written { $0.writePacketNumber(full, length: length) }
        #expect(reading(bytes) { $0.readPacketNumber(length: length) }.map(UInt64.init) == full)
    }

    @Test(
        "A shortened number is restored whichever of the outstanding ones came before (RFC 9000 appendix A.3)"
    )
    func roundTrip() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let acknowledged = generator.varint()
            let ahead = 1 + generator.next() % (1 << UInt64(generator.below(32)))
            guard acknowledged + ahead <= PacketNumber.max else { continue }
            let full = acknowledged + ahead
            let length = PacketNumber.encodedLength(full, largestAcknowledged: acknowledged)
            let bytes = written { $0.writePacketNumber(full, length: length) }
            #expect(bytes.count == length)
            let truncated = reading(bytes) { $0.readPacketNumber(length: length) }!
            // The receiver has got at least what it acknowledged and possibly all before this packet.
            for largest in [acknowledged, full - 1, acknowledged + ahead / 2] {
                #expect(PacketNumber.expand(truncated, length: length, largest: largest) == full)
            }
        }
    }

    @Test(
        "Nothing overflows at either end, and no number above 2^62 - 1 comes out (RFC 9000 appendix A.3)"
    )
    func ends() {
        for length in 1...4 {
            let last = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(8 * length)) - 1)
            #expect(PacketNumber.expand(last, length: length, largest: PacketNumber.max) == PacketNumber.max)
            #expect(
                PacketNumber.expand(last, length: length, largest: PacketNumber.max - 1) == PacketNumber.max)
            #expect(PacketNumber.expand(0, length: length, largest: PacketNumber.max) <= PacketNumber.max)
            #expect(PacketNumber.expand(last, length: length, largest: 0) == UInt64(last))
        }
    }

    @Test("Only lengths of 1 to 4 bytes are read")
    func lengths() {
        for length in [-1, 0, 5] {
            #expect(reading(hex("0102030405")) { $0.readPacketNumber(length: length) } == nil)
        }
        #expect(reading(hex("0102")) { $0.readPacketNumber(length: 3) } == nil)
        #expect(reading(hex("010203")) { $0.readPacketNumber(length: 3) } == 0x010203)
    }
}
