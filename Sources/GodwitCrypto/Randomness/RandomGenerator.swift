internal import CNIOBoringSSL

/// A stream of random numbers that follows from a seed of 32 bytes: ChaCha20 (RFC 8439) over zeros.
///
/// Fit for connection ids, challenges and nonces, and the same on every machine for the same seed, which is
/// what the simulator lives on. Its state is plain data; a connection that is restored from an image must
/// still be given a new seed, or two copies would draw the same numbers.
public struct RandomGenerator: RandomNumberGenerator, Sendable {
    /// How many bytes a seed has.
    public static let seedLength = 32

    private typealias Words4 = (UInt64, UInt64, UInt64, UInt64)
    private typealias Words8 = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    private static let wordsPerBlock: UInt64 = 8

    private let seed: Words4
    /// How many words were drawn; the position in the stream.
    private var position: UInt64 = 0
    private var block: Words8 = (0, 0, 0, 0, 0, 0, 0, 0)

    /// A seed of another length than ``seedLength`` is a programming error.
    public init(seed: [UInt8]) {
        precondition(seed.count == Self.seedLength)
        self.seed = seed.withUnsafeBytes { $0.loadUnaligned(as: Words4.self) }
    }

    /// The next eight bytes of the stream.
    public mutating func next() -> UInt64 {
        let index = Int(position % Self.wordsPerBlock)
        if index == 0 { refill(position / Self.wordsPerBlock) }
        position += 1
        return withUnsafeBytes(of: block) {
            UInt64(littleEndian: $0.load(fromByteOffset: index * 8, as: UInt64.self))
        }
    }

    /// Fills a buffer from the stream, in steps of eight bytes; what is left of the last eight is dropped.
    public mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset < buffer.count {
            let count = Swift.min(8, buffer.count - offset)
            withUnsafeBytes(of: next().littleEndian) {
                (buffer.baseAddress! + offset).copyMemory(from: $0.baseAddress!, byteCount: count)
            }
            offset += count
        }
    }

    /// The next bytes of the stream, in steps of eight as for ``fill(_:)``.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        result.withUnsafeMutableBytes { fill($0) }
        return result
    }

    /// A generator whose stream has nothing to do with this one's, for a part that is to draw on its own.
    public mutating func fork() -> RandomGenerator { RandomGenerator(seed: bytes(Self.seedLength)) }

    private mutating func refill(_ number: UInt64) {
        block = (0, 0, 0, 0, 0, 0, 0, 0)
        // The cipher counts blocks in 32 bits; the nonce takes what is above.
        let nonce = (UInt32(truncatingIfNeeded: number >> 32).littleEndian, UInt32(0), UInt32(0))
        withUnsafeMutableBytes(of: &block) { output in
            withUnsafeBytes(of: seed) { key in
                withUnsafeBytes(of: nonce) { nonce in
                    let bytes = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
                    CRYPTO_chacha_20(
                        bytes, bytes, output.count, key.baseAddress!.assumingMemoryBound(to: UInt8.self),
                        nonce.baseAddress!.assumingMemoryBound(to: UInt8.self),
                        UInt32(truncatingIfNeeded: number))
                }
            }
        }
    }
}

extension RandomGenerator: Codable {
    private enum CodingKeys: CodingKey {
        case seed, position
    }

    /// Goes on where the generator that was written stood.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let seed = try container.decode([UInt8].self, forKey: .seed)
        guard seed.count == Self.seedLength else {
            throw DecodingError.dataCorruptedError(
                forKey: .seed, in: container, debugDescription: "a seed of \(seed.count) bytes")
        }
        self.init(seed: seed)
        position = try container.decode(UInt64.self, forKey: .position)
        if position % Self.wordsPerBlock != 0 { refill(position / Self.wordsPerBlock) }
    }

    /// Writes seed and position. Whoever reads them knows all that the generator will draw, and has drawn.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(withUnsafeBytes(of: seed) { [UInt8]($0) }, forKey: .seed)
        try container.encode(position, forKey: .position)
    }
}
