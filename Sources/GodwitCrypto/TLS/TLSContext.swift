internal import CNIOBoringSSL

/// What all handshakes of a client or a server share inside BoringSSL, which allows any number of threads to
/// make sessions from it.
final class TLSContext: @unchecked Sendable {
    let context: OpaquePointer
    let applicationProtocols: ApplicationProtocols

    init(
        applicationProtocols: [String], cipherSuites: [CipherSuite], groups: [KeyExchangeGroup]
    ) throws(TLSConfigurationError) {
        self.applicationProtocols = try ApplicationProtocols(applicationProtocols)
        // Certificates stay bytes inside: CertificateVerifier does what there is to do with them.
        guard let made = SSL_CTX_new(TLS_with_buffers_method()) else {
            throw TLSConfigurationError(source: "TLS", problem: "out of memory")
        }
        context = made
        try setUp(cipherSuites, groups)
    }

    deinit { SSL_CTX_free(context) }

    private func setUp(_ suites: [CipherSuite], _ groups: [KeyExchangeGroup]) throws(TLSConfigurationError) {
        guard !groups.isEmpty else {
            throw TLSConfigurationError(source: "key exchange groups", problem: "there are none")
        }
        // Nothing older than TLS 1.3 may be offered or accepted (RFC 9001 section 4.2).
        let version = UInt16(TLS1_3_VERSION)
        try check("TLS version", SSL_CTX_set_min_proto_version(context, version))
        try check("TLS version", SSL_CTX_set_max_proto_version(context, version))
        try check("QUIC", SSL_CTX_set_quic_method(context, TLSCallbacks.quicMethod))
        let numbers = suites.map(\.rawValue)
        try check("cipher suites", SSL_CTX_set1_tls13_ciphers(context, numbers, nil, numbers.count))
        let groupNumbers = groups.map(\.rawValue)
        try check("key exchange groups", SSL_CTX_set1_group_ids(context, groupNumbers, groupNumbers.count))
        let signatures = Self.signatureAlgorithms
        try check(
            "signature algorithms", SSL_CTX_set_verify_algorithm_prefs(context, signatures, signatures.count))
        SSL_CTX_set_keylog_callback(context, TLSCallbacks.keyLog)
    }

    /// BoringSSL's own list lacks Ed25519. Those with PKCS #1 padding serve for certificates only.
    private static let signatureAlgorithms = [
        SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_RSA_PKCS1_SHA256,
        SSL_SIGN_ECDSA_SECP384R1_SHA384, SSL_SIGN_RSA_PSS_RSAE_SHA384, SSL_SIGN_RSA_PKCS1_SHA384,
        SSL_SIGN_RSA_PSS_RSAE_SHA512, SSL_SIGN_RSA_PKCS1_SHA512, SSL_SIGN_ED25519,
    ].map { UInt16($0) }

    func check(_ source: String, _ result: CInt) throws(TLSConfigurationError) {
        guard result == 1 else {
            throw TLSConfigurationError(source: source, problem: errorText(takeError()))
        }
    }

    /// A session of BoringSSL's, which the caller frees.
    func makeSession() throws(TLSConfigurationError) -> OpaquePointer {
        guard let ssl = SSL_new(context) else {
            throw TLSConfigurationError(source: "TLS", problem: errorText(takeError()))
        }
        SSL_set_shed_handshake_config(ssl, 1)
        return ssl
    }
}
