import GodwitWire
import Testing

/// The same numbers on every run, from a seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    mutating func bytes(upTo count: Int) -> [UInt8] { bytes(below(count + 1)) }

    /// A value that is as likely to need one byte as eight.
    mutating func varint() -> UInt64 { next() >> UInt64(2 + below(62)) }

    mutating func connectionID(lengths: ClosedRange<Int> = 0...20) -> ConnectionID {
        ConnectionID(bytes(lengths.lowerBound + below(lengths.count)))!
    }

    mutating func resetToken() -> StatelessResetToken { StatelessResetToken(high: next(), low: next()) }

    /// Flips, replaces, inserts, deletes or cuts somewhere, one to four times.
    mutating func mutate(_ bytes: inout [UInt8]) {
        for _ in 0..<1 + below(4) {
            guard !bytes.isEmpty else { return bytes.append(UInt8(truncatingIfNeeded: next())) }
            let index = below(bytes.count)
            switch below(6) {
            case 0: bytes[index] ^= 1 << UInt8(below(8))
            case 1: bytes[index] = UInt8(truncatingIfNeeded: next())
            case 2: bytes.insert(UInt8(truncatingIfNeeded: next()), at: index)
            case 3: bytes.remove(at: index)
            case 4: bytes.removeSubrange(index...)
            default: bytes[index] = [0x00, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff][below(8)]
            }
        }
    }
}

/// What `body` writes into a buffer of `capacity` bytes.
func written(capacity: Int = 2048, _ body: (inout ByteWriter) -> Void) -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { buffer in
        var writer = ByteWriter(buffer)
        body(&writer)
        return [UInt8](writer.written)
    }
}

/// Lets `body` read `bytes`.
@discardableResult
func reading<R>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> R) rethrows -> R {
    try bytes.withUnsafeBytes { view in
        var reader = ByteReader(view)
        return try body(&reader)
    }
}

/// The bytes of a frame, after a check that it takes as many as it says.
func encoded(_ frame: Frame) -> [UInt8] {
    let size = frame.encodedSize
    let bytes = written(capacity: size) { frame.encode(into: &$0) }
    precondition(bytes.count == size)
    return bytes
}

/// Bytes from hexadecimal digits.
func hex(_ text: String) -> [UInt8] { Hexadecimal.decode(text)! }

/// The first value of `bytes`.
func varint(_ bytes: [UInt8]) -> UInt64? { reading(bytes) { $0.readVarint() } }

/// Checks that `bytes` are `frame` and nothing else.
func expect(_ bytes: [UInt8], toBe frame: Frame, at location: SourceLocation = #_sourceLocation) throws {
    try reading(bytes) { reader in
        let decoded = try Frame.decode(&reader)
        #expect(decoded == frame, sourceLocation: location)
        #expect(reader.isAtEnd, sourceLocation: location)
    }
}

/// Checks that `bytes` begin with an ACK frame, and hands it and the reader behind it to `body`.
func expectAck(_ bytes: [UInt8], _ body: (AckFrame, inout ByteReader) throws -> Void) throws {
    try reading(bytes) { reader in
        guard case .ack(let ack) = try Frame.decode(&reader) else { return fail("not an ACK frame") }
        try body(ack, &reader)
    }
}

/// The error that decoding the first frame of `bytes` ends in, nil when it is fine.
func decodingError(_ bytes: [UInt8], at level: EncryptionLevel? = nil) -> TransportError? {
    reading(bytes) { reader in
        do throws(TransportError) {
            if let level {
                _ = try Frame.decode(&reader, at: level)
            } else {
                _ = try Frame.decode(&reader)
            }
            return nil
        } catch {
            return error
        }
    }
}

/// Fails the test, for a `guard` to leave with.
func fail(_ comment: Comment, at location: SourceLocation = #_sourceLocation) {
    Issue.record(comment, sourceLocation: location)
}
