internal import CNIOBoringSSL

/// The private key of a certificate: ECDSA, Ed25519 or RSA.
///
/// Only read once made, so any number of threads may sign with it.
public final class PrivateKey: @unchecked Sendable {
    let key: OpaquePointer

    init(owning key: OpaquePointer) { self.key = key }

    deinit { EVP_PKEY_free(key) }

    /// A key from its DER form: PKCS #8, or the forms of their own that EC and RSA keys have.
    ///
    /// - Parameter source: what to call it in the error.
    public convenience init(der: [UInt8], source: String = "private key") throws(TLSConfigurationError) {
        let parsed = der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            return d2i_AutoPrivateKey(nil, &cursor, bytes.count)
        }
        guard let parsed else {
            throw TLSConfigurationError(
                source: source, problem: "not a private key of a known kind (\(errorText(takeError())))")
        }
        self.init(owning: parsed)
    }

    /// The first private key of a PEM text, which may not be encrypted.
    ///
    /// - Parameter source: what to call the text in the error, such as the file it came from.
    public convenience init(pem: String, source: String = "private key") throws(TLSConfigurationError) {
        let blocks = try PEMDocument(Array(pem.utf8), source: source).blocks
        guard let block = blocks.first(where: { $0.label.hasSuffix("PRIVATE KEY") }) else {
            throw TLSConfigurationError(source: source, problem: "holds no private key in PEM form")
        }
        guard !block.isEncrypted, block.label != "ENCRYPTED PRIVATE KEY" else {
            throw TLSConfigurationError(
                source: source, problem: "the private key is encrypted; decrypt it first")
        }
        try self.init(der: block.der, source: source)
    }

    /// The key as PEM text (PKCS #8, not encrypted).
    public var pem: String { PEMDocument.text(label: "PRIVATE KEY", der: der) }

    private var der: [UInt8] {
        var builder = CBB()
        var (bytes, length): (UnsafeMutablePointer<UInt8>?, Int) = (nil, 0)
        guard CBB_init(&builder, 256) == 1, EVP_marshal_private_key(&builder, key) == 1,
            CBB_finish(&builder, &bytes, &length) == 1, let bytes
        else { preconditionFailure("BoringSSL failed: EVP_marshal_private_key") }
        defer { OPENSSL_free(bytes) }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: length))
    }
}
