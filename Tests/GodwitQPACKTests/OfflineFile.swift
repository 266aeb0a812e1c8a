import Foundation
import Testing

@testable import GodwitQPACK

/// A file of the offline interoperability format: blocks of a stream id in eight bytes, a length in four, and
/// what was sent on the stream; stream 0 is the encoder stream. The name ends in the settings that the
/// encoder had: table capacity, blocked streams, and whether it was told at once of all that it sent.
struct OfflineFile {
    struct Block {
        var stream: UInt64
        var bytes: [UInt8]
    }

    var name: String
    var tableCapacity = 4096
    var blockedStreams = 100
    var isAcknowledged = false
    var blocks: [Block] = []

    init(name: String) { self.name = name }

    /// The file at `url`, nil when its bytes are not blocks.
    init?(contentsOf url: URL) throws {
        self.init(name: url.lastPathComponent)
        let parts = name.split(separator: ".").suffix(3).compactMap { Int($0) }
        if parts.count == 3 {
            (tableCapacity, blockedStreams, isAcknowledged) = (parts[0], parts[1], parts[2] == 1)
        }
        var rest = try [UInt8](Data(contentsOf: url))[...]
        while !rest.isEmpty {
            guard rest.count >= 12 else { return nil }
            let stream = rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            let count = rest.dropFirst(8).prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(12)
            guard rest.count >= count else { return nil }
            blocks.append(Block(stream: stream, bytes: Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
    }

    /// The name of the text with the sections that were encoded.
    var textName: String {
        guard let end = name.range(of: ".out") else { return name + ".qif" }
        return name[..<end.lowerBound] + ".qif"
    }

    /// Appends a block, unless nothing was sent.
    mutating func append(_ stream: UInt64, _ bytes: [UInt8]) {
        if !bytes.isEmpty { blocks.append(Block(stream: stream, bytes: bytes)) }
    }

    func write(to folder: URL) throws {
        var data = Data()
        for block in blocks {
            withUnsafeBytes(of: block.stream.bigEndian) { data.append(contentsOf: $0) }
            withUnsafeBytes(of: UInt32(block.bytes.count).bigEndian) { data.append(contentsOf: $0) }
            data.append(contentsOf: block.bytes)
        }
        try data.write(to: folder.appendingPathComponent(name))
    }
}

extension OfflineFile {
    /// What a file came to.
    struct Decoding {
        /// The sections by their stream, in which order they were encoded.
        var sections: [UInt64: FieldSection] = [:]
        var blockedCount = 0
    }

    /// Decodes all blocks with a decoder of the file's settings.
    func decode() throws -> Decoding {
        var decoder = makeDecoder(table: tableCapacity, blocked: blockedStreams, section: 1 << 20)
        // Files of drafts before the capacity had to be announced start with all of it.
        if !announcesCapacity { try decoder.receive(written { $0.writeSetCapacity(tableCapacity) }) }
        var decoding = Decoding()
        var waiting: [UInt64: [UInt8]] = [:]
        for block in blocks {
            guard block.stream != 0 else {
                try decoder.receive(block.bytes)
                while let stream = decoder.nextUnblocked() {
                    decoding.sections[stream] = try decoder.decode(
                        waiting.removeValue(forKey: stream)!, stream: stream)
                }
                continue
            }
            if let section = try decoder.decode(block.bytes, stream: block.stream) {
                decoding.sections[block.stream] = section
            } else {
                waiting[block.stream] = block.bytes
                decoding.blockedCount += 1
            }
        }
        guard waiting.isEmpty else { throw QPACKError(.decompressionFailed, "streams that stay blocked") }
        return decoding
    }

    private var announcesCapacity: Bool {
        guard let first = blocks.first(where: { $0.stream == 0 && !$0.bytes.isEmpty }) else { return true }
        return first.bytes[0] >> 5 == 1
    }
}

/// A text of sections: a line with name, tabulator and value for each field line, an empty one behind each
/// section.
enum OfflineText {
    static func read(_ url: URL) throws -> [FieldSection] {
        var sections: [FieldSection] = []
        var section = FieldSection()
        let lines = try [UInt8](Data(contentsOf: url)).split(
            separator: 0x0a, omittingEmptySubsequences: false)
        for line in lines where line.first != UInt8(ascii: "#") {
            guard let tab = line.firstIndex(of: 0x09) else {
                if !section.isEmpty { sections.append(section) }
                section.removeAll()
                continue
            }
            section.append(name: Array(line[..<tab]), value: Array(line[(tab + 1)...]))
        }
        if !section.isEmpty { sections.append(section) }
        return sections
    }

    static func write(_ sections: [FieldSection], to url: URL) throws {
        var data = Data()
        for section in sections {
            for line in section {
                data.append(contentsOf: line.nameBytes + [0x09] + line.valueBytes + [0x0a])
            }
            data.append(0x0a)
        }
        try data.write(to: url)
    }
}
