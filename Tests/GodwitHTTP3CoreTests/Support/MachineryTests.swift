import Foundation
import GodwitWire
import Testing

@testable import GodwitHTTP3Core

@Suite("Machinery")
struct MachineryTests {
    @Test("An integer is the same in whatever pieces it comes (RFC 9000 section 16)")
    func partialIntegers() {
        for value in [0, 1, 63, 64, 16_383, 16_384, 1 << 30 - 1, 1 << 30, 1 << 62 - 1] as [UInt64] {
            let bytes = PeerBytes.varint(value)
            for cut in 0..<bytes.count {
                var integer = PartialInteger()
                #expect(read(&integer, Array(bytes[..<cut])) == nil)
                #expect(integer.isBegun == (cut > 0))
                #expect(read(&integer, Array(bytes[cut...])) == value)
                #expect(!integer.isBegun)
            }
            var written: [UInt8] = []
            written.appendVarint(value)
            #expect(written == bytes)
        }
    }

    private func read(_ integer: inout PartialInteger, _ bytes: [UInt8]) -> UInt64? {
        bytes.withUnsafeBytes {
            var reader = ByteReader($0)
            return integer.read(&reader)
        }
    }

    @Test("The table finds exactly what is in it, whatever comes and goes")
    func tableModel() throws {
        var generator = SeededGenerator(seed: 5)
        var table = RequestStreamTable()
        var model: Set<UInt64> = []
        for round in 0..<4000 {
            // Ids that fall together in a small index, and such that are far apart.
            let index = UInt64.random(in: 0..<40, using: &generator) * (generator.next() & 1 == 0 ? 1 : 64)
            let id = StreamID(index: index, direction: .bidirectional, initiator: .client)
            if let slot = table.slot(of: id) {
                #expect(model.remove(id.rawValue) != nil && table[slot].id == id)
                table.remove(slot)
            } else {
                #expect(model.insert(id.rawValue).inserted)
                table.insert(RequestStream(id: id, role: .server))
            }
            if round % 500 == 0 {
                #expect(table.ids.map(\.rawValue) == model.sorted())
                table = try JSONDecoder().decode(RequestStreamTable.self, from: JSONEncoder().encode(table))
            }
            #expect(table.count == model.count)
        }
    }

    @Test("A stream twice in a snapshot is refused")
    func inconsistentTable() throws {
        let stream = RequestStream(id: 4, role: .client)
        let data = try JSONEncoder().encode([stream, stream])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(RequestStreamTable.self, from: data) }
    }

    private let symbols = Set("!#$%&'*+-.^_`|~".utf8)

    private func isName(_ byte: UInt8) -> Bool {
        0x61...0x7a ~= byte || 0x30...0x39 ~= byte || symbols.contains(byte)
    }

    @Test("Characters are what RFC 9110 says they are (RFC 9110 section 5.6.2)")
    func characters() {
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect(FieldCharacters.isName(byte) == isName(byte))
            #expect(FieldCharacters.isToken(byte) == (isName(byte) || 0x41...0x5a ~= byte))
        }
    }

    @Test("Names, values and paths are right or wrong wherever the character is (RFC 9110 section 5.5)")
    func texts() {
        for byte in 0...255 as ClosedRange<UInt8> {
            for length in 1...20 {
                for position in 0..<length where !isRight(byte, at: position, of: length) {
                    Issue.record("\(byte) at \(position) of \(length)")
                }
            }
        }
    }

    private func isRight(_ byte: UInt8, at position: Int, of length: Int) -> Bool {
        var text = [UInt8](repeating: 0x61, count: length)
        text[position] = byte
        let isInner = position > 0 && position < length - 1
        let isPrinted = byte > 0x20 && byte != 0x7f
        let isValue = isPrinted || isInner && (byte == 0x20 || byte == 0x09)
        return text.withUnsafeBytes { bytes in
            FieldCharacters.isName(bytes) == isName(byte) && FieldCharacters.isValue(bytes) == isValue
                && FieldCharacters.isPath(bytes) == (isPrinted && byte != UInt8(ascii: "#"))
        }
    }

    @Test("Error codes have the names that the RFCs give them (RFC 9114 section 8.1)")
    func names() {
        let all: [HTTP3ErrorCode] = (0x0100...0x0110).map { HTTP3ErrorCode(rawValue: $0) }
        #expect(all.allSatisfy { $0.description.hasPrefix("H3_") } && Set(all.map(\.description)).count == 17)
        #expect(HTTP3ErrorCode.noError.description == "H3_NO_ERROR")
        #expect(HTTP3ErrorCode.qpackDecoderStreamError.description == "QPACK_DECODER_STREAM_ERROR")
        #expect(HTTP3ErrorCode(rawValue: 0xabc).description == "0xabc")
        #expect(HTTP3Error(.idError, "why").description == "H3_ID_ERROR: why")
    }

    // Holds: 9114-11.2.1-3, 9114-11.2.1-4, 9114-11.2.2-2, 9114-11.2.2-3, 9114-11.2.3-2, 9114-11.2.3-3
    // Holds: 9114-11.2.4-3, 9114-11.2.4-4, 9297-5.4-2, 9297-5.4-3
    @Test("Nothing that means something has a reserved number (RFC 9114 section 11.2, RFC 9297 section 5.4)")
    func nothingReserved() {
        let frames: [GodwitHTTP3Core.FrameType] = [
            .data, .headers, .cancelPush, .settings, .pushPromise, .goaway, .maxPushID,
            .requestPriorityUpdate, .pushPriorityUpdate,
        ]
        let settings = [
            SettingIdentifier.qpackMaximumTableCapacity, SettingIdentifier.maximumFieldSectionSize,
            SettingIdentifier.qpackBlockedStreams, SettingIdentifier.enableConnectProtocol,
            SettingIdentifier.datagram,
        ]
        let streams = [StreamType.control, StreamType.push, StreamType.encoder, StreamType.decoder]
        #expect((frames.map(\.rawValue) + settings + streams).allSatisfy { !Grease.isReserved($0) })
        let errors: [UInt64] = Array(0x100...0x110) + [0x33, 0x200, 0x201, 0x202]
        #expect(errors.allSatisfy { !HTTP3ErrorCode(rawValue: $0).description.hasPrefix("0x") })
        for index in 0..<10_000 as Range<UInt64> {
            let number = index * 0x1f + 0x21
            #expect(HTTP3ErrorCode(rawValue: number).description.hasPrefix("0x"))
            #expect(GodwitHTTP3Core.FrameType(rawValue: number).meaning == .unknown)
            #expect(!SettingIdentifier.isForbidden(number))
            #expect(CapsuleType(rawValue: index * 0x29 + 0x17) != .datagram)
        }
    }

    @Test("Reserved numbers are of their form and fit (RFC 9114 section 7.2.8)")
    func reserved() {
        for seed in 0..<1000 as Range<UInt64> {
            var grease = Grease(seed: seed)
            let number = grease.next()
            #expect((number - 0x21) % 0x1f == 0 && number < 1 << 62 && Grease.isReserved(number))
        }
        #expect(!Grease.isReserved(0x20) && !Grease.isReserved(0x22) && !Grease.isReserved(2))
    }
}
