import Foundation
import GodwitSimulator
import Testing

@testable import GodwitTestbed

@Suite struct PackedFileTests {
    private func unpack(_ bytes: [UInt8]) throws -> [UInt8] {
        var reader = InflatingReader(bytes)
        return try reader.unpack()
    }

    private func pack(_ bytes: [UInt8], pieces: Int = .max) -> [UInt8] {
        var deflater = Deflater()
        for start in stride(from: 0, to: bytes.count, by: pieces == .max ? max(1, bytes.count) : pieces) {
            deflater.compress(bytes[start..<min(bytes.count, pieces == .max ? bytes.count : start + pieces)])
        }
        deflater.finish()
        return deflater.output
    }

    @Test(
        "What was compressed comes out as it was, however it was cut (RFC 1951)",
        arguments: [1, 7, 4096, .max])
    func roundTrip(_ pieces: Int) throws {
        var generator = DeterministicRandom(seed: 5)
        let numbers = (0..<4000).map { "[1663000\(1000 + $0), 192.168.1.105:6666]" }.joined(separator: ", ")
        let random = (0..<3000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        let zeros = [UInt8](repeating: 0, count: 70_000)
        for bytes in [[], [7], Array("abc".utf8), Array(numbers.utf8), random, zeros, zeros + random + zeros]
        {
            #expect(try unpack(pack(bytes, pieces: pieces)) == bytes)
        }
    }

    @Test("Tables of numbers become a third, and repetitions next to nothing")
    func size() {
        let numbers = (0..<20_000).map { "\(1_663_000_000_000_000 + $0 * 18_273)" }.joined(separator: ", ")
        #expect(pack(Array(numbers.utf8)).count * 2 < numbers.utf8.count)
        #expect(pack([UInt8](repeating: 65, count: 100_000)).count < 1000)
    }

    @Test(
        "Lengths and distances fall into the groups of RFC 1951 section 3.2.5",
        arguments: [
            (0, 2, 0, 0), (7, 2, 7, 0), (8, 2, 8, 1), (9, 2, 8, 1), (10, 2, 9, 1), (16, 2, 12, 2),
            (254, 2, 27, 5), (3, 1, 3, 0), (4, 1, 4, 1), (8, 1, 6, 2), (32_767, 1, 29, 13),
        ])
    func groups(_ value: Int, _ bits: Int, _ group: Int, _ extra: Int) {
        #expect(Deflater.group(value, groupBits: bits) == (group, extra))
    }

    @Test("The checksum is that of archives")
    func checksum() {
        var checksum = CRC32()
        checksum.combine("12345".utf8)
        checksum.combine("6789".utf8)
        #expect(checksum.value == 0xcbf4_3926)
    }

    @Test("A packed file is an archive with the file in it, which the file makes room for")
    func archive() throws {
        let folder = try ProgramRun.Folder()
        let text = (0..<5000).map { "\($0),\($0 * $0)\n" }.joined()
        let path = try folder.write(text, to: "table.csv")
        try PackedFile.pack(URL(filePath: path))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["table.zip"])
        let bytes = Array(try Data(contentsOf: URL(filePath: "\(folder.path)/table.zip")))
        let name = Array("table.csv".utf8)
        #expect(bytes.starts(with: [0x50, 0x4b, 3, 4]))
        #expect(Array(bytes[30..<30 + name.count]) == name)
        let size = number(bytes, at: 18)
        let content = try unpack(Array(bytes[(30 + name.count)..<(30 + name.count + size)]))
        #expect(content == Array(text.utf8))
        var checksum = CRC32()
        checksum.combine(content)
        #expect(number(bytes, at: 14) == Int(checksum.value))
        #expect(number(bytes, at: 22) == text.utf8.count)
        // The end names the directory, which says the same again and where the file begins.
        let end = bytes.count - 22
        let directory = number(bytes, at: end + 16)
        #expect(Array(bytes[end..<end + 4]) == [0x50, 0x4b, 5, 6])
        #expect(directory == 30 + name.count + size && directory + number(bytes, at: end + 12) == end)
        #expect(Array(bytes[directory..<directory + 4]) == [0x50, 0x4b, 1, 2])
        #expect(Array(bytes[(directory + 10)..<(directory + 28)]) == Array(bytes[8..<26]))
    }

    private func number(_ bytes: [UInt8], at place: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }
}

/// The other side of ``Deflater``, written for tests: one block with the fixed codes, straight from RFC 1951.
private struct InflatingReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func bit() throws -> Int {
        guard place / 8 < bytes.count else { throw ResultFile.Flaw("the block does not end") }
        defer { place += 1 }
        return Int(bytes[place / 8] >> UInt8(place % 8)) & 1
    }

    private mutating func bits(_ count: Int) throws -> Int {
        try (0..<count).reduce(0) { try $0 | bit() << $1 }
    }

    private mutating func code(_ count: Int, after begin: Int = 0) throws -> Int {
        try (0..<count).reduce(begin) { value, _ in try value << 1 | bit() }
    }

    private mutating func symbol() throws -> Int {
        let seven = try code(7)
        if seven < 0b001_1000 { return 256 + seven }
        let eight = try code(1, after: seven)
        if eight < 0b1100_0000 { return eight - 0b0011_0000 }
        if eight < 0b1100_1000 { return 280 + eight - 0b1100_0000 }
        return 144 + (try code(1, after: eight)) - 0b1_1001_0000
    }

    private static let lengths = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
        195,
        227, 258,
    ]
    private static let distances = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
        4097, 6145, 8193, 12_289, 16_385, 24_577,
    ]

    mutating func unpack() throws -> [UInt8] {
        guard try bits(3) == 0b011 else { throw ResultFile.Flaw("another kind of block") }
        var result: [UInt8] = []
        while true {
            let symbol = try symbol()
            if symbol < 256 {
                result.append(UInt8(symbol))
            } else if symbol == 256 {
                return result
            } else {
                let group = symbol - 257
                let length = Self.lengths[group] + (try bits(group < 8 || group == 28 ? 0 : (group - 4) / 4))
                let far = try code(5)
                let distance = Self.distances[far] + (try bits(far < 4 ? 0 : far / 2 - 1))
                guard distance <= result.count, distance <= 32_768 else {
                    throw ResultFile.Flaw("too far back")
                }
                for _ in 0..<length { result.append(result[result.count - distance]) }
            }
        }
    }
}
