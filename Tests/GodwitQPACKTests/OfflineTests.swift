import Foundation
import Testing

@testable import GodwitQPACK

/// Files that other programs have encoded, and files for them to decode. A folder holds texts in `qifs`, what
/// encoders made of them in `encoded/*/*`, and broken files in `encoded/errors`, as github.com/qpackers/qifs
/// does.
private let input = ProcessInfo.processInfo.environment["GODWIT_QIFS"].map { URL(fileURLWithPath: $0) }
private let brokenFiles = input.map { $0.appendingPathComponent("encoded/errors") }
    .flatMap { FileManager.default.fileExists(atPath: $0.path) ? $0 : nil }
private let output = ProcessInfo.processInfo.environment["GODWIT_QPACK_OUT"].map { URL(fileURLWithPath: $0) }

@Suite("Offline interoperability")
struct OfflineTests {
    /// Drafts that are the same as the RFC on the wire.
    private static let versions = ["qpack-06", "rfc9204"]

    /// The examples of RFC 9204 appendix B, which have no text.
    private static let withoutText = [
        "examples.out.220.100.1": [
            section([(":path", "/index.html")]),
            section([(":authority", "www.example.com"), (":path", "/sample/path")]),
            section([(":authority", "www.example.com"), (":path", "/"), ("custom-key", "custom-value")]),
        ]
    ]

    @Test(
        "What other encoders wrote decodes to what they were given",
        .enabled(if: input != nil, "GODWIT_QIFS names no folder with files of other encoders"))
    func decode() throws {
        let folder = try #require(input)
        var (files, sections, lines, blocked) = (0, 0, 0, 0)
        for url in try Self.versions.flatMap({ try allFiles(folder.appendingPathComponent("encoded/\($0)")) })
        {
            let file = try #require(try OfflineFile(contentsOf: url), "\(url.path) is cut short")
            let expected =
                try Self.withoutText[file.name]
                ?? OfflineText.read(folder.appendingPathComponent("qifs/\(file.textName)"))
            let decoding = try decode(file, url)
            let decoded = decoding.sections.sorted { $0.key < $1.key }.map(\.value)
            let isEqual = unmarked(decoded) == expected
            #expect(isEqual, "\(url.path)")
            #expect(file.blockedStreams > 0 || decoding.blockedCount == 0, "\(url.path)")
            files += 1
            sections += decoded.count
            lines += decoded.reduce(0) { $0 + $1.count }
            blocked += decoding.blockedCount
        }
        print(
            "decoded \(files) files: \(sections) sections, \(blocked) blocked for a while, \(lines) lines"
        )
        #expect(files > 0)
    }

    /// Two of the files refer to entries 0 and 62 of the static table, which had no such entries when they
    /// were made and has them in the RFC.
    private static let noErrorsAnyMore = [
        "err9": [":authority: "], "err10": ["x-xss-protection: 1; mode=block"],
    ]

    @Test(
        "What other people broke is refused",
        .enabled(if: brokenFiles != nil, "GODWIT_QIFS names no folder with broken files"))
    func refuse() throws {
        let urls = try allFiles(try #require(brokenFiles))
        for url in urls {
            let file = try #require(try OfflineFile(contentsOf: url))
            if let expected = Self.noErrorsAnyMore[file.name] {
                #expect(try file.decode().sections.values.map(text) == [expected], "\(file.name)")
                continue
            }
            let onEncoderStream = file.blocks[0].stream == 0
            let error = qpackError { _ = try file.decode() }
            #expect(
                error?.kind == (onEncoderStream ? .encoderStreamError : .decompressionFailed), "\(file.name)")
        }
        print("refused \(urls.count - Self.noErrorsAnyMore.count) of \(urls.count) files in encoded/errors")
        #expect(!urls.isEmpty)
    }

    @Test(
        "What we encode is written for others to decode",
        .enabled(if: output != nil, "GODWIT_QPACK_OUT names no folder to write to"))
    func encode() throws {
        let folder = try #require(output)
        let encoded = folder.appendingPathComponent("encoded/rfc9204/godwit")
        let texts = folder.appendingPathComponent("qifs")
        for folder in [encoded, texts] {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        for (name, sections) in try inputs() {
            try OfflineText.write(sections, to: texts.appendingPathComponent("\(name).qif"))
            for table in [0, 256, 512, 4096] {
                for (blocked, isAcknowledged) in [(0, false), (0, true), (100, false), (100, true)] {
                    try encodeFile(name, sections, table, blocked, isAcknowledged).write(to: encoded)
                }
            }
        }
    }

    /// Sections of our own, and those of others if they are there.
    private func inputs() throws -> [(String, [FieldSection])] {
        var inputs = [("godwit", randomSections(seed: 1))]
        guard let input else { return inputs }
        for url in try allFiles(input.appendingPathComponent("qifs")) {
            inputs.append((url.deletingPathExtension().lastPathComponent, try OfflineText.read(url)))
        }
        return inputs
    }

    /// Encodes with acknowledgments that come at once, or with none and instructions that come late.
    private func encodeFile(
        _ name: String, _ sections: [FieldSection], _ table: Int, _ blocked: Int, _ isAcknowledged: Bool
    ) throws -> OfflineFile {
        var file = OfflineFile(name: "\(name).out.\(table).\(blocked).\(isAcknowledged ? 1 : 0)")
        var encoder = try makeEncoder(table: UInt64(table), blocked: UInt64(blocked))
        var decoder = makeDecoder(table: table, blocked: blocked, section: 1 << 20)
        var generator = SeededGenerator(seed: 2)
        for (index, section) in sections.enumerated() {
            let stream = UInt64(index + 1)
            var bytes: [UInt8] = []
            encoder.encode(section, stream: stream, into: &bytes)
            guard isAcknowledged else {
                file.append(stream, bytes)
                if generator.chance(30) || stream == sections.count {
                    file.append(0, encoder.takeInstructions())
                }
                continue
            }
            let instructions = encoder.takeInstructions()
            file.append(0, instructions)
            file.append(stream, bytes)
            try decoder.receive(instructions)
            #expect(unmarked([try #require(try decoder.decode(bytes, stream: stream))]) == [section])
            try encoder.receive(decoder.takeInstructions())
        }
        return file
    }

    /// Sections that compress a little, with every byte that a text can hold.
    private func randomSections(seed: UInt64) -> [FieldSection] {
        var generator = SeededGenerator(seed: seed)
        let names = [
            ":method", ":path", ":status", "server", "cookie", "x-a", "x-very-long-name-of-a-field", "vary",
        ]
        return (0..<500).map { _ in
            var section = FieldSection()
            for _ in 0..<1 + generator.below(12) {
                let isCommon = generator.chance(60)
                let random = generator.bytes(generator.below(100)).map { $0 < 0x20 ? 0x20 : $0 }
                let value = isCommon ? Array("common value \(generator.below(40))".utf8) : random
                section.append(name: Array(names[generator.below(names.count)].utf8), value: value)
            }
            return section
        }
    }

    private func decode(_ file: OfflineFile, _ url: URL) throws -> OfflineFile.Decoding {
        do {
            return try file.decode()
        } catch {
            Issue.record("\(url.path): \(error)")
            return OfflineFile.Decoding()
        }
    }

    /// The sections without marks, which texts do not have.
    private func unmarked(_ sections: [FieldSection]) -> [FieldSection] {
        sections.map { section in
            var plain = FieldSection()
            section.forEachUnsafeLine { plain.append(name: $0.name, value: $0.value) }
            return plain
        }
    }

    /// All files in a folder, which may be a link to one, and in the folders in it.
    private func allFiles(_ link: URL) throws -> [URL] {
        let folder = link.resolvingSymlinksInPath()
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
            .map { folder.appendingPathComponent($0) }
            .filter { !$0.hasDirectoryPath }
    }
}
