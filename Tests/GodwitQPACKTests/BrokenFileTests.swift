import Testing

@testable import GodwitQPACK

/// What is in the files of `encoded/errors` at github.com/qpackers/qifs, a few bytes each. ``OfflineTests`` reads the
/// files themselves, where they are.
@Suite("Sections and instructions that are known to be broken")
struct BrokenFileTests {
    private static let sections: [(name: String, bytes: String)] = [
        ("err1, a required insert count that is cut off", "ff"),
        ("err2, a prefix without a base", "00"),
        ("err3, a base that is cut off", "00 ff"),
        ("err4, a base below zero", "00 81"),
        ("err5, a name from an empty dynamic table", "00 00 41"),
        ("err6, a name that is cut off", "00 00 27"),
        ("err7, a value that is cut off", "00 00 51 ff"),
        ("err8, an index that is cut off", "00 00 bf"),
    ]

    @Test("A broken section is an error of the connection (RFC 9204 section 6)", arguments: sections)
    func refuse(section: (name: String, bytes: String)) throws {
        var decoder = makeDecoder()
        let error = qpackError { _ = try decoder.decode(hex(Self.plain(section.bytes)), stream: 4) }
        #expect(error?.kind == .decompressionFailed, "\(section.name)")
        #expect(error?.scope == .connection, "\(section.name)")
    }

    @Test(
        "A broken instruction is an error of the encoder stream (RFC 9204 section 6)",
        arguments: ["01", "ff 80 ff ff ff ff 01"])
    func refuse(instruction: String) throws {
        var decoder = makeDecoder()
        try decoder.receive(written { $0.writeSetCapacity(4096) })
        let error = qpackError { try decoder.receive(hex(Self.plain(instruction))) }
        #expect(error?.kind == .encoderStreamError)
    }

    /// err9 and err10 were made when the static table began at 1 and ended at 61. The table of the RFC has entries 0
    /// and 62, so that the two files are what an encoder may send, and to refuse them would be the error.
    @Test(
        "Entries 0 and 62 of the static table are there (RFC 9204 appendix A)",
        arguments: [("00 00 c0", ":authority: "), ("00 00 fe", "x-xss-protection: 1; mode=block")])
    func accept(bytes: String, line: String) throws {
        var decoder = makeDecoder()
        let decoded = try #require(try decoder.decode(hex(Self.plain(bytes)), stream: 4))
        #expect(text(decoded) == [line])
    }

    private static func plain(_ digits: String) -> String { digits.filter { $0 != " " } }
}
