internal import CNIOBoringSSL

/// A keyed AEAD for what isn't a packet: tokens, tickets, Retry tags. Packets have ``PacketKey``.
///
/// BoringSSL allows any number of threads to use one context.
final class AuthenticatedCipher: @unchecked Sendable {
    enum Algorithm {
        case aes128GCM
        /// Survives a nonce that is used twice (RFC 8452), which a process that was restored from an image,
        /// or another that shares the key, may bring about.
        case aes256GCMSIV
    }

    static let tagLength = 16
    static let nonceLength = 12

    private let context: UnsafeMutablePointer<EVP_AEAD_CTX>

    init(_ algorithm: Algorithm, key: [UInt8]) {
        let aead = algorithm == .aes128GCM ? EVP_aead_aes_128_gcm() : EVP_aead_aes_256_gcm_siv()
        guard let made = EVP_AEAD_CTX_new(aead, key, key.count, Self.tagLength) else {
            preconditionFailure("a key of \(key.count) bytes")
        }
        context = made
    }

    deinit { EVP_AEAD_CTX_free(context) }

    func seal(_ plaintext: [UInt8], nonce: [UInt8], associatedData: [UInt8]) -> [UInt8] {
        let room = plaintext.count + Self.tagLength
        var length = 0
        return .filled(
            room,
            by: {
                EVP_AEAD_CTX_seal(
                    context, $0, &length, room, nonce, nonce.count, plaintext, plaintext.count,
                    associatedData,
                    associatedData.count)
            }, "EVP_AEAD_CTX_seal")
    }

    /// Nil if the ciphertext is not authentic.
    func open(_ ciphertext: ArraySlice<UInt8>, nonce: ArraySlice<UInt8>, associatedData: [UInt8]) -> [UInt8]?
    {
        guard ciphertext.count >= Self.tagLength else { return nil }
        var opened = false
        let plaintext = [UInt8](unsafeUninitializedCapacity: ciphertext.count) { buffer, length in
            opened = ciphertext.withUnsafeBufferPointer { ciphertext in
                nonce.withUnsafeBufferPointer { nonce in
                    EVP_AEAD_CTX_open(
                        context, buffer.baseAddress, &length, buffer.count, nonce.baseAddress, nonce.count,
                        ciphertext.baseAddress, ciphertext.count, associatedData, associatedData.count) == 1
                }
            }
            if !opened { length = 0 }
        }
        if !opened { ERR_clear_error() }
        return opened ? plaintext : nil
    }
}
