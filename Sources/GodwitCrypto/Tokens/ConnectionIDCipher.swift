public import GodwitWire

/// Turns server, shard and nonce into a connection id and back, under a key of 16 bytes that servers and load
/// balancers share.
///
/// Under one key and format this is a permutation: ids never collide as long as the nonces of a server and
/// shard don't, and without the key two ids of one connection have nothing in common (RFC 9000 section 9.5),
/// the first byte aside, which is the same for every connection.
///
/// Blocks of 16 bytes are encrypted with AES once, others by a Feistel network of four rounds of AES, as in
/// QUIC-LB (draft-ietf-quic-load-balancers-21, section 4.4). Nothing is allocated either way.
public struct ConnectionIDCipher: Sendable {
    /// How many bytes the key has.
    public static let keyLength = 16

    /// The layout that ids have.
    public let format: ConnectionIDFormat

    private let blockCipher: SingleBlockCipher

    /// Nil unless the key has ``keyLength`` bytes.
    public init?(key: [UInt8], format: ConnectionIDFormat) {
        guard key.count == Self.keyLength else { return nil }
        self.format = format
        blockCipher = SingleBlockCipher(key: key)
    }

    /// The cipher that servers with the same shared key have in common.
    public init(_ key: SharedKey, format: ConnectionIDFormat) {
        self.init(key: key.derive("connection ids", length: Self.keyLength), format: format)!
    }

    /// The connection id with these contents. A value that doesn't fit its field is a programming error.
    public func encode(_ contents: ConnectionIDContents) -> ConnectionID {
        precondition(contents.serverID <= format.maxServerID && contents.nonce <= format.maxNonce)
        return withUnsafeTemporaryAllocation(byteCount: format.length, alignment: 1) { bytes in
            bytes[0] = format.firstByte
            let block = UnsafeMutableRawBufferPointer(rebasing: bytes[1...])
            contents.write(to: block, format: format)
            encrypt(block)
            return ConnectionID(UnsafeRawBufferPointer(bytes))!
        }
    }

    /// What a connection id of this format says; nil if it has another format.
    ///
    /// An id that a client made up decodes to some server and shard too, unless the format has zeros to
    /// check.
    public func decode(_ id: ConnectionID) -> ConnectionIDContents? {
        guard id.length == format.length else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: format.length, alignment: 1) { bytes in
            id.withUnsafeBytes { bytes.copyMemory(from: $0) }
            guard bytes[0] == format.firstByte else { return nil }
            let block = UnsafeMutableRawBufferPointer(rebasing: bytes[1...])
            decrypt(block)
            return ConnectionIDContents(block: UnsafeRawBufferPointer(block), format: format)
        }
    }

    func encrypt(_ block: UnsafeMutableRawBufferPointer) {
        if block.count == 16 {
            let plaintext = UInt128(bigEndian: block.loadUnaligned(as: UInt128.self))
            block.storeBytes(of: blockCipher.encrypt(plaintext).bigEndian, as: UInt128.self)
        } else {
            var halves = FeistelHalves(UnsafeRawBufferPointer(block))
            for pass in 1...4 { halves.mix(pass, with: blockCipher) }
            halves.write(to: block)
        }
    }

    func decrypt(_ block: UnsafeMutableRawBufferPointer) {
        if block.count == 16 {
            let ciphertext = UInt128(bigEndian: block.loadUnaligned(as: UInt128.self))
            block.storeBytes(of: blockCipher.decrypt(ciphertext).bigEndian, as: UInt128.self)
        } else {
            var halves = FeistelHalves(UnsafeRawBufferPointer(block))
            for pass in stride(from: 4, through: 1, by: -1) { halves.mix(pass, with: blockCipher) }
            halves.write(to: block)
        }
    }
}

/// The two halves of a block, each at the top of an integer in network byte order; in a block of odd length
/// they share the byte in the middle, four bits each.
private struct FeistelHalves {
    private let length: Int
    private let leftMask: UInt128
    private let rightMask: UInt128
    private var left: UInt128
    private var right: UInt128

    private var halfLength: Int { (length + 1) / 2 }

    init(_ block: UnsafeRawBufferPointer) {
        length = block.count
        let half = (length + 1) / 2
        let whole = UInt128.max << UInt128(128 - 8 * half)
        leftMask = length % 2 == 0 ? whole : whole << 4
        rightMask = length % 2 == 0 ? whole : whole & UInt128.max >> 4
        left = Self.load(block[..<half]) & leftMask
        right = Self.load(block[(length - half)...]) & rightMask
    }

    /// One round: odd passes change the right half by the left one, even passes the other way round. A round
    /// undoes itself.
    mutating func mix(_ pass: Int, with cipher: SingleBlockCipher) {
        let tail = UInt128(length) << 8 | UInt128(pass)
        if pass % 2 == 1 {
            right ^= cipher.encrypt(left | tail) & rightMask
        } else {
            left ^= cipher.encrypt(right | tail) & leftMask
        }
    }

    func write(to block: UnsafeMutableRawBufferPointer) {
        for index in 0..<halfLength { block[index] = Self.byte(index, of: left) }
        let rightAt = length - halfLength
        for index in 0..<halfLength {
            let shared = index == 0 && length % 2 == 1 ? block[rightAt] : 0
            block[rightAt + index] = Self.byte(index, of: right) | shared
        }
    }

    private static func load(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt128 {
        var shift: UInt128 = 128
        var value: UInt128 = 0
        for byte in bytes {
            shift -= 8
            value |= UInt128(byte) << shift
        }
        return value
    }

    private static func byte(_ index: Int, of value: UInt128) -> UInt8 {
        UInt8(truncatingIfNeeded: value >> UInt128(120 - 8 * index))
    }
}
