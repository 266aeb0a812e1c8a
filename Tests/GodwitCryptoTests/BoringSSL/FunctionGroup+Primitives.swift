internal import CNIOBoringSSL

extension FunctionGroup {
    static let primitives = [
        FunctionGroup("EVP_AEAD_CTX_new, _seal, _open, _free with EVP_aead_aes_128_gcm") {
            // The first case of the GCM specification.
            try seals(
                EVP_aead_aes_128_gcm(), key: zeros(16), nonce: zeros(12), "58e2fccefa7e3061367f1d57a4e7455a")
        },
        FunctionGroup("EVP_AEAD_CTX_new, _seal, _open, _free with EVP_aead_aes_256_gcm") {
            try seals(
                EVP_aead_aes_256_gcm(), key: zeros(32), nonce: zeros(12), "530f8afbc74536b9a963b4f1c4cb738b")
        },
        FunctionGroup("EVP_AEAD_CTX_new, _seal, _open, _free with EVP_aead_chacha20_poly1305") {
            try seals(
                EVP_aead_chacha20_poly1305(), key: Array(0x80...0x9f), nonce: hex("070000004041424344454647"),
                // RFC 8439 section 2.8.2.
                plaintext: """
                    Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                    the future, sunscreen would be it.
                    """, associatedData: hex("50515253c0c1c2c3c4c5c6c7"), "1ae10b594f09e26a7e902ecbd0600691")
        },
        FunctionGroup("EVP_AEAD_CTX_new, _seal, _open, _free with EVP_aead_aes_256_gcm_siv") {
            // RFC 8452 appendix C.2.
            try seals(
                EVP_aead_aes_256_gcm_siv(), key: [1] + zeros(31), nonce: [3] + zeros(11),
                "07f5f4169bbf55a8400cd47ea6fd400f")
        },
        FunctionGroup(
            "EVP_CIPHER_CTX_new, EVP_CipherInit_ex, EVP_Cipher with EVP_aes_128_ecb, EVP_aes_256_ecb"
        ) {
            encryptsBlocks(EVP_aes_128_ecb(), 16, "69c4e0d86a7b0430d8cdb78070b4c55a")
                && encryptsBlocks(EVP_aes_256_ecb(), 32, "8ea2b7ca516745bfeafc49904b496089")
        },
        FunctionGroup("AES_set_encrypt_key, AES_set_decrypt_key, AES_encrypt, AES_decrypt") {
            var (encryption, decryption) = (AES_KEY(), AES_KEY())
            var (sealed, opened) = (zeros(16), zeros(16))
            guard AES_set_encrypt_key(Array(0..<16), 128, &encryption) == 0,
                AES_set_decrypt_key(Array(0..<16), 128, &decryption) == 0
            else { return false }
            AES_encrypt(block, &sealed, &encryption)
            AES_decrypt(sealed, &opened, &decryption)
            OPENSSL_cleanse(&encryption, MemoryLayout<AES_KEY>.size)
            let isWiped = withUnsafeBytes(of: &encryption) { $0.allSatisfy { $0 == 0 } }
            return sealed == hex("69c4e0d86a7b0430d8cdb78070b4c55a") && opened == block && isWiped
        },
        FunctionGroup("CRYPTO_chacha_20") {
            // RFC 8439 appendix A.1, test vectors 1 and 2.
            var (first, second) = (zeros(4), zeros(4))
            CRYPTO_chacha_20(&first, zeros(4), 4, zeros(32), zeros(12), 0)
            CRYPTO_chacha_20(&second, zeros(4), 4, zeros(32), zeros(12), 1)
            return first == hex("76b8e0ad") && second == hex("9f07e7be")
        },
        FunctionGroup("EVP_Digest with EVP_sha256, EVP_sha384") {
            // "abc" (FIPS 180-4).
            digest(EVP_sha256(), 32).prefix(8) == hex("ba7816bf8f01cfea")[...]
                && digest(EVP_sha384(), 48).prefix(8) == hex("cb00753f45a35e8b")[...]
        },
        FunctionGroup("HMAC") {
            // RFC 4231 section 4.3.
            var (output, length) = (zeros(32), UInt32(0))
            let (key, text) = (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
            HMAC(EVP_sha256(), key, key.count, text, text.count, &output, &length)
            return output == hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
                && length == 32
        },
        FunctionGroup("HKDF_extract, HKDF_expand") {
            // RFC 5869 appendix A.1.
            var (key, length, output) = (zeros(32), 0, zeros(42))
            let (material, salt) = ([UInt8](repeating: 0x0b, count: 22), Array(0...12) as [UInt8])
            let info = Array(0xf0...0xf9) as [UInt8]
            return HKDF_extract(&key, &length, EVP_sha256(), material, material.count, salt, salt.count) == 1
                && HKDF_expand(&output, 42, EVP_sha256(), key, length, info, info.count) == 1
                && output.prefix(8) == hex("3cb25f25faacd57a")[...] && length == 32
        },
        FunctionGroup("RAND_bytes") {
            var (one, other) = (zeros(32), zeros(32))
            return RAND_bytes(&one, 32) == 1 && RAND_bytes(&other, 32) == 1 && one != other
                && one != zeros(32)
        },
        FunctionGroup("CRYPTO_memcmp") {
            CRYPTO_memcmp(block, block, 16) == 0 && CRYPTO_memcmp(block, block.reversed(), 16) != 0
        },
        FunctionGroup("ERR_peek_error, ERR_GET_REASON, ERR_reason_error_string, ERR_clear_error") {
            ERR_clear_error()
            guard EVP_AEAD_CTX_new(EVP_aead_aes_128_gcm(), zeros(3), 3, 16) == nil else { return false }
            let error = ERR_peek_error()
            let text = ERR_reason_error_string(error).map { String(cString: $0) }
            ERR_clear_error()
            return ERR_GET_REASON(error) != 0 && text?.isEmpty == false && ERR_peek_error() == 0
        },
    ]

    static let block = hex("00112233445566778899aabbccddeeff")

    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    private static func seals(
        _ aead: OpaquePointer?, key: [UInt8], nonce: [UInt8], plaintext: String = "",
        associatedData: [UInt8] = [], _ tag: String
    ) throws -> Bool {
        guard let context = EVP_AEAD_CTX_new(aead, key, key.count, 16) else { return false }
        defer { EVP_AEAD_CTX_free(context) }
        let text = Array(plaintext.utf8)
        var (sealed, opened, length) = (zeros(text.count + 16), zeros(text.count + 16), 0)
        guard
            EVP_AEAD_CTX_seal(
                context, &sealed, &length, sealed.count, nonce, nonce.count, text, text.count, associatedData,
                associatedData.count) == 1,
            length == sealed.count, Array(sealed.suffix(16)) == hex(tag)
        else { return false }
        func open() -> Bool {
            EVP_AEAD_CTX_open(
                context, &opened, &length, opened.count, nonce, nonce.count, sealed, sealed.count,
                associatedData, associatedData.count) == 1
        }
        guard open(), Array(opened[..<length]) == text else { return false }
        sealed[0] ^= 1
        defer { ERR_clear_error() }
        return !open()
    }

    /// FIPS 197 appendix C: the key counts up from 0.
    private static func encryptsBlocks(_ cipher: OpaquePointer?, _ keyLength: UInt8, _ expected: String)
        -> Bool
    {
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        var output = zeros(32)
        return EVP_CIPHER_key_length(cipher) == UInt32(keyLength)
            && EVP_CipherInit_ex(context, cipher, nil, Array(0..<keyLength), nil, 1) == 1
            && EVP_CIPHER_CTX_set_padding(context, 0) == 1
            // Several blocks in one call, which is what masks are made with.
            && EVP_Cipher(context, &output, block + block, 32) > 0 && output == hex(expected) + hex(expected)
    }

    private static func digest(_ algorithm: OpaquePointer?, _ count: Int) -> [UInt8] {
        var (output, length) = (zeros(count), UInt32(0))
        guard EVP_Digest(Array("abc".utf8), 3, &output, &length, algorithm, nil) == 1 else { return [] }
        return Int(length) == count ? output : []
    }
}
