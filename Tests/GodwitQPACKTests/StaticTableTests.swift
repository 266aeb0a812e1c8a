import GodwitWire
import Testing

@testable import GodwitQPACK

@Suite("The static table (RFC 9204 appendix A)")
struct StaticTableTests {
    @Test(
        "Entries are where the appendix has them",
        arguments: [
            (0, ":authority", ""), (1, ":path", "/"), (17, ":method", "GET"), (25, ":status", "200"),
            (29, "accept", "*/*"), (37, "cache-control", "max-age=2592000"),
            (47, "content-type", "application/x-www-form-urlencoded"),
            (54, "content-type", "text/plain;charset=utf-8"),
            (58, "strict-transport-security", "max-age=31536000; includesubdomains; preload"),
            (63, ":status", "100"), (72, "accept-language", ""),
            (74, "access-control-allow-credentials", "TRUE"),
            (85, "content-security-policy", "script-src 'none'; object-src 'none'; base-uri 'none'"),
            (98, "x-frame-options", "sameorigin"),
        ])
    func entries(index: UInt64, name: String, value: String) throws {
        let entry = try #require(StaticTable.entry(index))
        #expect(String(decoding: entry.name, as: UTF8.self) == name)
        #expect(String(decoding: entry.value, as: UTF8.self) == value)
    }

    @Test("There are 99 entries")
    func count() {
        #expect(StaticTable.entries.count == 99)
        #expect(StaticTable.entry(99) == nil)
        #expect(StaticTable.entry(.max) == nil)
    }

    @Test("Every line is found at its index, every name at its first")
    func search() {
        for (index, entry) in StaticTable.entries.enumerated() {
            let name = ByteHash.hash(entry.name)
            let line = ByteHash.combine(name, ByteHash.hash(entry.value))
            #expect(StaticTableIndex.line(name: entry.name, value: entry.value, hash: line) == index)
            let first = StaticTable.entries.firstIndex { $0.name.elementsEqual(entry.name) }
            #expect(StaticTableIndex.name(entry.name, hash: name) == first)
        }
    }

    @Test("What is not in the table is not found, whatever its hash")
    func absent() {
        let (name, value): (StaticString, StaticString) = ("x-absent", "text/html")
        for hash in 0..<512 as Range<UInt64> {
            #expect(StaticTableIndex.name(name.rawBytes, hash: hash) == nil)
            #expect(StaticTableIndex.line(name: name.rawBytes, value: value.rawBytes, hash: hash) == nil)
        }
    }

    @Test("Every entry decodes by its index, as a line and as a name (RFC 9204 sections 4.5.2 and 4.5.4)")
    func decoding() throws {
        var decoder = makeDecoder()
        for (index, entry) in StaticTable.entries.enumerated() {
            let bytes = written {
                $0.writeUInt8(0)
                $0.writeUInt8(0)
                $0.writeIndexed(static: index)
                $0.writeLiteral(staticName: index, value: entry.name, neverIndexed: false)
            }
            let decoded = try #require(try decoder.decode(bytes))
            #expect(decoded[0].nameBytes.elementsEqual(entry.name))
            #expect(decoded[0].valueBytes.elementsEqual(entry.value))
            #expect(decoded[1].nameBytes.elementsEqual(entry.name))
            #expect(decoded[1].valueBytes.elementsEqual(entry.name))
        }
    }
}
