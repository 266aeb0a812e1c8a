import Foundation
import Testing

@testable import GodwitQPACK

@Suite("What a connection takes along when it moves")
struct SnapshotTests {
    @Test("A section comes back equal, marks and bytes that are no text included")
    func section() throws {
        var section = FieldSection()
        section.append(name: "a", value: [0xff, 0x00] as [UInt8])
        section.append(name: "b", value: "", neverIndexed: true)
        #expect(try copy(section) == section)
        section.removeAll(keepingCapacity: true)
        section.append(name: "c", value: "d")
        #expect(try copy(section) == section)
    }

    @Test(
        "A section whose lines do not fill its bytes is refused",
        arguments: ["[1,1,0,1]", "[1,1]", "[1,1,0]", "[2,2,0]", "[4294967295,4294967295,0]"])
    func corruptSection(shape: String) {
        let json = Data(#"{"bytes":[97,98,99],"shape":\#(shape)}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(FieldSection.self, from: json) }
    }

    @Test("A table comes back with its entries under their indices, and finds them")
    func table() throws {
        var encoder = try makeEncoder(table: 220, limit: 220)
        for number in 0..<9 as Range<UInt64> {
            _ = encoder.encode([("server", "s\(number)")], stream: number)
            try encoder.receive([0x80 | UInt8(number)])
        }
        var moved = try copy(encoder)
        #expect(moved.insertCount == 9)
        #expect(moved.table.table.droppedCount == encoder.table.table.droppedCount)
        #expect(moved.table.table.entries == encoder.table.table.entries)
        #expect(
            moved.encode([("server", "s8")], stream: 40) == encoder.encode([("server", "s8")], stream: 40))
        #expect(moved.outstandingSectionCount == 1)
    }

    @Test("An encoder that claims references to what is not there is refused")
    func corruptEncoder() throws {
        var encoder = try makeEncoder()
        _ = encoder.encode([("server", "godwit")], stream: 4)
        let json = try String(decoding: JSONEncoder().encode(encoder), as: UTF8.self)
        let corrupt = json.replacingOccurrences(of: #""oldestReference":0"#, with: #""oldestReference":7"#)
        #expect(corrupt != json)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(QPACKEncoder.self, from: Data(corrupt.utf8))
        }
    }

    @Test(
        "Limits that can't be are refused, not trapped on",
        arguments: [
            (#""maximumTableCapacity":4096"#, #""maximumTableCapacity":-1"#),
            (#""maximumTableCapacity":4096"#, #""maximumTableCapacity":100"#),
            (#""maximumFieldSectionSize":65536"#, #""maximumFieldSectionSize":-5"#),
            (#""maximumBlockedStreams":100"#, #""maximumBlockedStreams":-100"#),
            (#""capacity":4096"#, #""capacity":-1"#),
        ])
    func corruptDecoder(valid: String, corrupt: String) throws {
        var decoder = makeDecoder()
        try decoder.receive(hex("3fe11f 41610131"))
        let json = try String(decoding: JSONEncoder().encode(decoder), as: UTF8.self)
        #expect(json.contains(valid))
        let data = Data(json.replacingOccurrences(of: valid, with: corrupt).utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(QPACKDecoder.self, from: data) }
    }

    @Test("A half-received instruction is not lost")
    func halfInstruction() throws {
        var decoder = makeDecoder()
        try decoder.receive(hex("3fe11f 4a637573746f6d"))
        var moved = try copy(decoder)
        try moved.receive(hex("2d6b6579 0131"))
        #expect(text(moved.table.entries) == ["custom-key: 1"])
    }

    private func copy<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }
}
