internal import CNIOBoringSSL
internal import GodwitWire

/// Decides whether a peer's certificates are to be believed.
struct CertificateVerifier: Sendable {
    /// The peer's part, which its certificate must be good for.
    let peer: Role
    let trust: TrustStore?
    /// An additional say of the application's.
    let hook: (@Sendable ([[UInt8]]) -> Bool)?
    /// Seconds since 1970.
    let currentTime: @Sendable () -> Int64

    struct Refusal: Error, Equatable {
        let alert: UInt8
        let reason: String
    }

    /// - Parameters:
    ///   - chain: in DER, the peer's own certificate first.
    ///   - host: the name or address that the certificate must be for; nil for a client's.
    func verify(_ chain: [[UInt8]], host: String?) throws(Refusal) {
        if let trust { try verify(chain, host: host, trust) }
        if let hook, !hook(chain) {
            throw Refusal(
                alert: UInt8(SSL_AD_BAD_CERTIFICATE), reason: "the application refused the certificate")
        }
    }

    private func verify(_ chain: [[UInt8]], host: String?, _ trust: TrustStore) throws(Refusal) {
        let parsed = chain.compactMap { ParsedCertificate($0) }
        guard let own = parsed.first, parsed.count == chain.count else {
            ERR_clear_error()
            throw Refusal(alert: UInt8(SSL_AD_BAD_CERTIFICATE), reason: "the certificate can't be read")
        }
        guard let context = X509_STORE_CTX_new(), let stack = OPENSSL_sk_new_null() else {
            throw Self.exhausted
        }
        defer {
            X509_STORE_CTX_free(context)
            OPENSSL_sk_free(stack)
        }
        for certificate in parsed.dropFirst()
        where OPENSSL_sk_push(stack, UnsafeMutableRawPointer(certificate.x509)) == 0 {
            throw Self.exhausted
        }
        let isSetUp =
            X509_STORE_CTX_init(context, trust.store, own.x509, stack) == 1
            && X509_STORE_CTX_set_default(context, peer == .server ? "ssl_server" : "ssl_client") == 1
        guard isSetUp, let parameters = X509_STORE_CTX_get0_param(context) else { throw Self.exhausted }
        X509_VERIFY_PARAM_set_time_posix(parameters, currentTime())
        if let host { try require(host, parameters) }
        try withExtendedLifetime(parsed) { () throws(Refusal) in try run(context) }
    }

    /// The checks need the real length of the name: with a length of 0 BoringSSL would drop the check in
    /// silence.
    private func require(_ host: String, _ parameters: OpaquePointer) throws(Refusal) {
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        let isSet =
            if let address = IPAddress(host) {
                X509_VERIFY_PARAM_set1_ip(parameters, address.networkBytes, address.networkBytes.count) == 1
            } else {
                !host.isEmpty && X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1
            }
        guard isSet else {
            throw Refusal(alert: UInt8(SSL_AD_INTERNAL_ERROR), reason: "the host name can't be checked")
        }
    }

    private func run(_ context: OpaquePointer) throws(Refusal) {
        guard X509_verify_cert(context) != 1 else { return try requireAuthorities(context) }
        let result = Int(X509_STORE_CTX_get_error(context))
        ERR_clear_error()
        let text = X509_verify_cert_error_string(result).map { String(cString: $0) } ?? "error \(result)"
        throw Refusal(alert: UInt8(truncatingIfNeeded: SSL_alert_from_verify_result(result)), reason: text)
    }

    /// BoringSSL doesn't ask whether certificates that are trusted may sign others (RFC 5280 section 6.1.4),
    /// so whoever has the key of a server that is trusted by hand could make certificates for all other
    /// names.
    private func requireAuthorities(_ context: OpaquePointer) throws(Refusal) {
        guard let chain = X509_STORE_CTX_get0_chain(context) else { throw Self.exhausted }
        for index in 1..<max(1, OPENSSL_sk_num(chain)) {
            guard let certificate = OPENSSL_sk_value(chain, index),
                X509_check_ca(OpaquePointer(certificate)) == 1
            else {
                throw Refusal(
                    alert: UInt8(SSL_AD_UNKNOWN_CA), reason: "signed by a certificate that is no authority's")
            }
        }
    }

    private static let exhausted = Refusal(alert: UInt8(SSL_AD_INTERNAL_ERROR), reason: "out of memory")
}

extension IPAddress {
    /// 4 or 16 bytes in network order.
    var networkBytes: [UInt8] {
        var bytes: [UInt8] = []
        if let v4 {
            bytes.appendInteger(UInt64(v4), byteCount: 4)
        } else {
            bytes.appendInteger(high, byteCount: 8)
            bytes.appendInteger(low, byteCount: 8)
        }
        return bytes
    }
}
