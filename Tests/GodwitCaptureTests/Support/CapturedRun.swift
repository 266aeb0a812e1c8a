import Foundation
import GodwitWire

/// A run of the thesis's program as it was captured: the text of a file in Tests/Captures.
struct CapturedRun {
    enum Name: String, CaseIterable, CustomStringConvertible {
        case reactiveExplicit
        case proactiveExplicit
        case poolOfAddresses
        case symmetric
        case synchronizedSymmetric
        case mvfstVersion

        var description: String { rawValue }
    }

    struct Datagram {
        var time: Instant
        var source: NetworkAddress
        var destination: NetworkAddress
        var bytes: [UInt8]
        /// What another decoder has made of its packets.
        var packets: [String] = []
        /// What it has made of transport parameters in it.
        var parameters: [String] = []

        var sender: Role { source.port == CapturedRun.serverPort ? .server : .client }
        /// Whether it is of the connection, and not of the interface by which the server is managed.
        var isQUIC: Bool {
            source.port == CapturedRun.serverPort || destination.port == CapturedRun.serverPort
        }
    }

    struct Malformed: Error {
        var line: Int
    }

    static let serverPort: UInt16 = 6666
    static let managementPort: UInt16 = 7777
    /// Both ends give out connection ids of one length.
    static let connectionIDLength = 8

    /// By their labels in the key log.
    private(set) var secrets: [String: [UInt8]] = [:]
    /// When the server was stopped, and when it was told that it goes on elsewhere.
    private(set) var events: [String: Instant] = [:]
    private(set) var datagrams: [Datagram] = []

    /// The folder of the texts.
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Captures")

    init(_ name: Name) throws { try self.init(file: "\(name).txt") }

    init(file: String) throws {
        let text = try Data(contentsOf: Self.folder.appending(path: file))
        for (number, line) in text.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard read(line) else { throw Malformed(line: number + 1) }
        }
    }

    private mutating func read(_ line: Data) -> Bool {
        let line = line.drop { $0 == UInt8(ascii: " ") }
        let words = line.split(separator: UInt8(ascii: " "))
        let rest = { (count: Int) in String(decoding: line.dropFirst(count + 1), as: UTF8.self) }
        switch words.first.map({ String(decoding: $0, as: UTF8.self) }) {
        case "secret": return readSecret(words)
        case "event": return readEvent(words)
        case "datagram": return readDatagram(words)
        case "packet" where !datagrams.isEmpty: datagrams[datagrams.count - 1].packets.append(rest(6))
        case "parameters" where !datagrams.isEmpty:
            datagrams[datagrams.count - 1].parameters.append(rest(10))
        default: return false
        }
        return true
    }

    private mutating func readSecret(_ words: [Data]) -> Bool {
        guard words.count == 4, let secret = bytes(words[3]) else { return false }
        secrets[String(decoding: words[1], as: UTF8.self)] = secret
        return true
    }

    private mutating func readEvent(_ words: [Data]) -> Bool {
        guard words.count == 3, let time = time(words[1]) else { return false }
        events[String(decoding: words[2], as: UTF8.self)] = time
        return true
    }

    private mutating func readDatagram(_ words: [Data]) -> Bool {
        guard words.count == 5, let time = time(words[1]), let content = bytes(words[4]),
            let source = NetworkAddress(String(decoding: words[2], as: UTF8.self)),
            let destination = NetworkAddress(String(decoding: words[3], as: UTF8.self))
        else { return false }
        datagrams.append(Datagram(time: time, source: source, destination: destination, bytes: content))
        return true
    }

    /// Seconds with six decimals.
    private func time(_ word: Data) -> Instant? {
        let digits = String(decoding: word.filter { $0 != UInt8(ascii: ".") }, as: UTF8.self)
        return Int64(digits).map { .zero + .microseconds($0) }
    }

    private func bytes(_ word: Data) -> [UInt8]? {
        guard word.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(word.count / 2)
        var high: UInt8?
        for character in word {
            guard let digit = Self.digits[Int(character)] else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    private static let digits: [UInt8?] = (0..<256).map { value in
        Character(Unicode.Scalar(UInt8(value))).hexDigitValue.map(UInt8.init)
    }
}
