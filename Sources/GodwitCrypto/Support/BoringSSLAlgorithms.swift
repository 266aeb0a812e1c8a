internal import CNIOBoringSSL

extension CipherSuite {
    /// The static description of the AEAD; BoringSSL owns it.
    var aead: OpaquePointer {
        switch self {
        case .aes128GCM: EVP_aead_aes_128_gcm()
        case .aes256GCM: EVP_aead_aes_256_gcm()
        case .chaCha20Poly1305: EVP_aead_chacha20_poly1305()
        }
    }

    /// The static description of the hash; BoringSSL owns it.
    var digest: OpaquePointer { self == .aes256GCM ? EVP_sha384() : EVP_sha256() }
}
