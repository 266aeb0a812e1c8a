internal import CNIOBoringSSL

/// Who an endpoint says it is: a certificate, those that lead from it to a root, and the private key.
///
/// Only read once made, so any number of connections on any thread may share it.
public final class Identity: @unchecked Sendable {
    /// The endpoint's own certificate, then those that lead to a root; the root itself need not be there.
    public let certificates: [Certificate]

    let credential: OpaquePointer

    /// An identity from its parts.
    ///
    /// - Parameter source: what to call it in the error.
    public init(
        certificates: [Certificate], key: PrivateKey, source: String = "identity"
    ) throws(TLSConfigurationError) {
        guard let own = certificates.first else {
            throw TLSConfigurationError(source: source, problem: "there is no certificate")
        }
        guard let parsed = ParsedCertificate(own.der), X509_check_private_key(parsed.x509, key.key) == 1
        else {
            ERR_clear_error()
            throw TLSConfigurationError(
                source: source, problem: "the private key is not the first certificate's")
        }
        guard let credential = Self.makeCredential(certificates, key) else {
            throw TLSConfigurationError(
                source: source,
                problem: "certificate and key are of no use for TLS (\(errorText(takeError())))")
        }
        self.certificates = certificates
        self.credential = credential
    }

    /// An identity from PEM texts.
    ///
    /// - Parameters:
    ///   - certificateSource: what to call the certificates in an error, such as the file they came from.
    ///   - keySource: what to call the key in an error.
    public convenience init(
        certificatesPEM: String, keyPEM: String, certificateSource: String = "certificates",
        keySource: String = "private key"
    ) throws(TLSConfigurationError) {
        try self.init(
            certificates: Certificate.list(pem: certificatesPEM, source: certificateSource),
            key: PrivateKey(pem: keyPEM, source: keySource), source: keySource)
    }

    deinit { SSL_CREDENTIAL_free(credential) }

    private static func makeCredential(_ certificates: [Certificate], _ key: PrivateKey) -> OpaquePointer? {
        guard let credential = SSL_CREDENTIAL_new_x509() else { return nil }
        let buffers = certificates.map { CRYPTO_BUFFER_new($0.der, $0.der.count, nil) }
        defer { for buffer in buffers { CRYPTO_BUFFER_free(buffer) } }
        guard SSL_CREDENTIAL_set1_cert_chain(credential, buffers, buffers.count) == 1,
            SSL_CREDENTIAL_set1_private_key(credential, key.key) == 1
        else {
            SSL_CREDENTIAL_free(credential)
            return nil
        }
        return credential
    }
}
