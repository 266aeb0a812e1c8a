import GodwitQPACK
public import GodwitWire

/// Bytes as a peer may send them, right or wrong.
enum PeerBytes {
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: VariableLengthInteger.size(value))
        bytes.withUnsafeMutableBytes {
            var writer = ByteWriter($0)
            writer.writeVarint(value)
        }
        return bytes
    }

    static func frame(_ type: UInt64, _ payload: [UInt8] = []) -> [UInt8] {
        varint(type) + varint(UInt64(payload.count)) + payload
    }

    static func data(_ content: String) -> [UInt8] { frame(0x00, Array(content.utf8)) }

    /// A HEADERS frame that needs no dynamic table.
    static func headers(_ lines: [(String, String)]) -> [UInt8] { frame(0x01, encoded(lines)) }

    static func headers(_ lines: (String, String)...) -> [UInt8] { headers(lines) }

    static func encoded(_ lines: [(String, String)]) -> [UInt8] {
        var encoder = QPACKEncoder()
        var bytes: [UInt8] = []
        encoder.encode(FieldSection(lines), stream: 0, into: &bytes)
        return bytes
    }

    static func settings(_ settings: [(UInt64, UInt64)] = []) -> [UInt8] {
        frame(0x04, settings.flatMap { varint($0.0) + varint($0.1) })
    }

    /// A control stream from its first byte.
    static func control(_ frames: [UInt8] = []) -> [UInt8] { [0x00] + settings() + frames }

    static let get: [(String, String)] = [
        (":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/"),
    ]
    static let post: [(String, String)] = [
        (":method", "POST"), (":scheme", "https"), (":authority", "a.example"), (":path", "/form"),
    ]
    static let connect: [(String, String)] = [(":method", "CONNECT"), (":authority", "b.example:443")]
    static let extendedConnect: [(String, String)] = [
        (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
        (":authority", "a.example"), (":path", "/chat"),
    ]
    static let ok: [(String, String)] = [(":status", "200")]
}

extension FieldSection {
    init(_ lines: [(String, String)]) {
        self.init()
        for (name, value) in lines { append(name: name, value: value) }
    }

    var pairs: [String] { map { "\($0.name): \($0.value)" } }

    subscript(name: String) -> String? { first { $0.name == name }?.value }
}

func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).map { offset in
        let start = digits.index(digits.startIndex, offsetBy: offset)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)!
    }
}

extension StreamID: ExpressibleByIntegerLiteral {
    /// The stream of that number.
    public init(integerLiteral value: UInt64) { self.init(rawValue: value) }
}

/// The same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
