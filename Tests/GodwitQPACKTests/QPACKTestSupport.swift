import GodwitWire
import Testing

@testable import GodwitQPACK

/// The same numbers on every run, from a seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

/// Bytes from hexadecimal digits.
func hex(_ text: String) -> [UInt8] { Hexadecimal.decode(text)! }

/// A section of these lines.
func section(_ lines: [(String, String)]) -> FieldSection {
    var section = FieldSection()
    for (name, value) in lines { section.append(name: name, value: value) }
    return section
}

/// The names and values of a section as text.
func text(_ section: FieldSection) -> [String] { section.map { "\($0.name): \($0.value)" } }

/// A decoder with these limits.
func makeDecoder(table: Int = 4096, blocked: Int = 100, section: Int = 1 << 16) -> QPACKDecoder {
    QPACKDecoder(
        maximumTableCapacity: table, maximumBlockedStreams: blocked, maximumFieldSectionSize: section)
}

/// An encoder whose peer has sent these settings.
func makeEncoder(table: UInt64 = 4096, blocked: UInt64 = 100, limit: Int = 4096) throws -> QPACKEncoder {
    var encoder = QPACKEncoder(tableCapacityLimit: limit)
    try encoder.applyPeerSettings(maximumTableCapacity: table, blockedStreams: blocked)
    return encoder
}

extension QPACKDecoder {
    /// Takes `bytes` from the encoder stream.
    mutating func receive(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBufferPointer { (bytes) throws(QPACKError) in
            try receiveEncoderStream(UnsafeRawBufferPointer(bytes))
        }
    }

    /// What `bytes` decode to; nil when the stream is blocked.
    mutating func decode(_ bytes: [UInt8], stream: UInt64 = 0) throws -> FieldSection? {
        var section = FieldSection()
        let outcome = try bytes.withUnsafeBufferPointer { (bytes) throws(QPACKError) in
            try decode(UnsafeRawBufferPointer(bytes), stream: stream, into: &section)
        }
        return outcome == .decoded ? section : nil
    }

    /// What is to go onto the decoder stream.
    mutating func takeInstructions() -> [UInt8] {
        var bytes: [UInt8] = []
        takeDecoderStreamBytes(into: &bytes)
        return bytes
    }
}

extension QPACKEncoder {
    /// Takes `bytes` from the decoder stream.
    mutating func receive(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBufferPointer { (bytes) throws(QPACKError) in
            try receiveDecoderStream(UnsafeRawBufferPointer(bytes))
        }
    }

    /// The encoded field section of these lines.
    mutating func encode(_ lines: [(String, String)], stream: UInt64 = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        encode(section(lines), stream: stream, into: &bytes)
        return bytes
    }

    /// What is to go onto the encoder stream.
    mutating func takeInstructions() -> [UInt8] {
        var bytes: [UInt8] = []
        takeEncoderStreamBytes(into: &bytes)
        return bytes
    }
}

/// The kind of error that `body` ends in, nil when it ends well.
func errorKind(_ body: () throws -> Void) -> QPACKError.Kind? { qpackError(body)?.kind }

/// The error that `body` ends in.
func qpackError(_ body: () throws -> Void) -> QPACKError? {
    do {
        try body()
        return nil
    } catch {
        return error as? QPACKError
    }
}

/// What `body` writes.
func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(atMost: 1 << 12, body)
    return bytes
}

/// Lets `body` read `bytes`.
func reading<R>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> R) rethrows -> R {
    try bytes.withUnsafeBytes { view in
        var reader = ByteReader(view)
        return try body(&reader)
    }
}
