internal import CNIOBoringSSL

/// AES-128 of one block at a time, blocks being integers in network byte order.
///
/// The expanded keys are only read once made, so any number of threads may use them.
final class SingleBlockCipher: @unchecked Sendable {
    private let keys: UnsafeMutablePointer<AES_KEY>

    init(key: [UInt8]) {
        precondition(key.count == 16)
        keys = .allocate(capacity: 2)
        keys.initialize(repeating: AES_KEY(), count: 2)
        precondition(AES_set_encrypt_key(key, 128, keys) == 0 && AES_set_decrypt_key(key, 128, keys + 1) == 0)
    }

    deinit {
        OPENSSL_cleanse(keys, 2 * MemoryLayout<AES_KEY>.stride)
        keys.deallocate()
    }

    func encrypt(_ block: UInt128) -> UInt128 {
        var bytes = block.bigEndian
        withUnsafeMutableBytes(of: &bytes) {
            let pointer = $0.baseAddress!.assumingMemoryBound(to: UInt8.self)
            AES_encrypt(pointer, pointer, keys)
        }
        return UInt128(bigEndian: bytes)
    }

    func decrypt(_ block: UInt128) -> UInt128 {
        var bytes = block.bigEndian
        withUnsafeMutableBytes(of: &bytes) {
            let pointer = $0.baseAddress!.assumingMemoryBound(to: UInt8.self)
            AES_decrypt(pointer, pointer, keys + 1)
        }
        return UInt128(bigEndian: bytes)
    }
}
