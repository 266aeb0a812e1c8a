import GodwitWire
import Testing

@Suite("Cursors over bytes")
struct ByteCursorTests {
    @Test("A read beyond the end fails and moves nothing")
    func readsBeyondTheEnd() {
        reading([1, 2, 3]) { reader in
            #expect(reader.readInteger(UInt32.self) == nil)
            #expect(reader.readBytes(4) == nil)
            #expect(reader.readBytes(-1) == nil)
            #expect(reader.skip(4) == false)
            #expect(reader.skip(-1) == false)
            #expect(reader.readConnectionID(length: 4) == nil)
            #expect(reader.readConnectionID(length: -1) == nil)
            #expect(reader.readResetToken() == nil)
            #expect(reader.remaining == 3)
            #expect(reader.readInteger(UInt16.self) == 0x0102)
            #expect(reader.peekUInt8() == 3)
            #expect(reader.readUInt8() == 3)
            #expect(reader.readUInt8() == nil)
            #expect(reader.peekUInt8() == nil)
        }
    }

    @Test("A length that says more than is left leaves even the length unread")
    func lengthBeyondTheEnd() {
        for text in ["0401", "ffffffffffffffff01", "4005aabb", "40"] {
            reading(hex(text)) { reader in
                #expect(reader.readLengthPrefixedBytes() == nil)
                #expect(reader.remaining == hex(text).count)
            }
        }
    }

    @Test("An empty buffer without an address reads and writes as nothing")
    func emptyBuffer() {
        var reader = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(reader.isAtEnd)
        #expect(reader.readVarint() == nil)
        #expect(reader.readBytes(0)?.isEmpty == true)
        #expect(reader.skipZeros() == 0)
        var writer = ByteWriter(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        writer.writeBytes([])
        #expect(writer.remaining == 0)
        #expect(writer.count == 0)
    }

    @Test("Zeros are passed over up to the first other byte, at any length")
    func skipZeros() {
        for count in 0...40 {
            reading([UInt8](repeating: 0, count: count) + [7]) { reader in
                #expect(reader.skipZeros() == count)
                #expect(reader.readUInt8() == 7)
            }
            reading([UInt8](repeating: 0, count: count)) { reader in
                #expect(reader.skipZeros() == count)
                #expect(reader.isAtEnd)
            }
        }
    }

    @Test("A tail that is kept free is given back")
    func reservedTail() {
        let bytes = written(capacity: 8) { writer in
            writer.reserveTail(6)
            #expect(writer.remaining == 2)
            writer.writeInteger(UInt16(0xabcd))
            #expect(writer.remaining == 0)
            writer.releaseTail(6)
            writer.writeInteger(UInt32(1))
            #expect(writer.remaining == 2)
        }
        #expect(bytes == hex("abcd00000001"))
    }

    @Test("A length known only later is filled in where it belongs")
    func patching() {
        let bytes = written { writer in
            writer.writeUInt8(9)
            writer.writeTwoByteVarint(0)
            writer.writeZeros(3)
            writer.patchTwoByteVarint(3, at: 1)
            writer.patchUInt8(8, at: 0)
            writer.writeBytes([1, 2, 3, 4])
            writer.truncate(to: 7)
            writer.claim(1)[0] = 5
        }
        #expect(bytes == hex("08 4003 000000 01 05"))
    }
}
