internal import CNIOBoringSSL

/// A context that encrypts, or decrypts, whole blocks; the caller frees it.
func makeBlockCipher(_ cipher: OpaquePointer, key: [UInt8], encrypts: Bool = true) -> UnsafeMutablePointer<
    EVP_CIPHER_CTX
> {
    precondition(key.count == Int(EVP_CIPHER_key_length(cipher)))
    guard let context = EVP_CIPHER_CTX_new(),
        EVP_CipherInit_ex(context, cipher, nil, key, nil, encrypts ? 1 : 0) == 1,
        EVP_CIPHER_CTX_set_padding(context, 0) == 1
    else { preconditionFailure("BoringSSL failed: EVP_CipherInit_ex") }
    return context
}
