import Testing

@testable import GodwitQPACK

@Suite("Field sections")
struct FieldSectionTests {
    @Test("Lines come back in order, from text, static text and bytes")
    func order() {
        var section = FieldSection()
        section.append(name: ":status", value: "200")
        section.append(name: "x-text" as String, value: String("värde"))
        section.append(name: "x-bytes", value: [0x00, 0xff] as [UInt8], neverIndexed: true)
        section.append(name: Array("x-empty".utf8), value: [])
        section.append(name: "x-mixed" as StaticString, value: String("2"))
        #expect(section.map(\.name) == [":status", "x-text", "x-bytes", "x-empty", "x-mixed"])
        #expect(section.map { Array($0.valueBytes) }[1...3] == [Array("värde".utf8), [0x00, 0xff], []])
        #expect(section.map(\.isNeverIndexed) == [false, false, true, false, false])
        #expect(section[0].value == "200")
    }

    @Test("The size counts names, values and 32 a line (RFC 9114 section 4.2.2)")
    func size() {
        #expect(FieldSection().size == 0)
        let lines = section([("ab", "cde"), ("", "")])
        #expect(lines.size == 5 + 2 * 32)
        #expect(lines.map(\.size) == [37, 32])
    }

    @Test("Names and values compare by bytes, of every length")
    func comparison() {
        let texts: [StaticString] = [
            "", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "abcdefgX",
            "Xbcdefgh", "abcdefghijklmnop", "abcdefghijklmnoq", "abcdefghXjklmnop",
            "abcdefghijklmnopqrstuvwxyz",
        ]
        for (index, name) in texts.enumerated() {
            var section = FieldSection()
            section.append(name: name, value: name)
            for (other, text) in texts.enumerated() {
                #expect(section[0].nameIs(text) == (index == other))
                #expect(section[0].valueIs(text) == (index == other))
            }
        }
    }

    @Test("A section that is emptied holds nothing of before and can be filled again")
    func reuse() {
        var section = section([("a", "1"), ("b", "2")])
        section.removeAll(keepingCapacity: true)
        #expect(section.isEmpty && section.size == 0)
        section.append(name: "c", value: "3")
        #expect(text(section) == ["c: 3"])
        section.removeAll()
        #expect(section == FieldSection())
    }

    @Test("Equal are sections with the same lines, whatever lies in their buffers")
    func equality() {
        var first = section([("a", "bc"), ("d", "")])
        let second = section([("ab", "c"), ("d", "")])
        #expect(first != second)
        first.removeAll(keepingCapacity: true)
        first.append(name: "ab", value: "c")
        #expect(first != second)
        first.append(name: "d", value: "")
        #expect(first == second)
        first.removeAll(keepingCapacity: true)
        first.append(name: "ab", value: "c", neverIndexed: true)
        first.append(name: "d", value: "")
        #expect(first != second)
    }

    @Test("A line that is kept does not change with its section")
    func keptLine() {
        var section = section([("a", "1")])
        let line = section[0]
        section.removeAll(keepingCapacity: true)
        section.append(name: "b", value: "2")
        #expect(line.description == "a: 1")
    }

    @Test("What must not be indexed is not printed either")
    func description() {
        var section = FieldSection()
        section.append(name: "authorization", value: "secret", neverIndexed: true)
        #expect(section.description == "authorization: (never indexed)")
    }

    @Test("Hot code reads lines in place")
    func unsafeLines() {
        let section = section([(":method", "GET"), (":path", "/")])
        var names: [String] = []
        section.forEachUnsafeLine { names.append(String(decoding: $0.name, as: UTF8.self)) }
        #expect(names == [":method", ":path"])
        #expect(section.withUnsafeLine(at: 1) { $0.nameIs(":path") && $0.valueIs("/") })
    }
}
