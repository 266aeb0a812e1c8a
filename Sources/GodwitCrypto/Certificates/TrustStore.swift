internal import CNIOBoringSSL

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The certificates that a chain may end in, as BoringSSL holds them.
///
/// BoringSSL locks a store itself, so any number of threads may use one.
final class TrustStore: @unchecked Sendable {
    let store: OpaquePointer

    private init() {
        guard let made = X509_STORE_new() else { preconditionFailure("BoringSSL failed: X509_STORE_new") }
        store = made
    }

    deinit { X509_STORE_free(store) }

    /// Nil for a policy that verifies nothing.
    static func make(for policy: TrustPolicy) throws(TLSConfigurationError) -> TrustStore? {
        switch policy {
        case .system:
            guard let system else {
                throw TLSConfigurationError(
                    source: "trusted certificates",
                    problem: "none found in the places where systems keep them; set SSL_CERT_FILE")
            }
            return system
        case .certificates(let certificates): return try TrustStore(certificates)
        case .insecureNoVerification: return nil
        }
    }

    convenience init(_ certificates: [Certificate]) throws(TLSConfigurationError) {
        self.init()
        guard !certificates.isEmpty else {
            throw TLSConfigurationError(source: "trusted certificates", problem: "there are none")
        }
        // Whoever lists a certificate by hand means it, also one that another has signed.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        for certificate in certificates {
            guard let parsed = ParsedCertificate(certificate.der),
                X509_STORE_add_cert(store, parsed.x509) == 1
            else {
                throw TLSConfigurationError(source: "trusted certificates", problem: errorText(takeError()))
            }
        }
    }

    // MARK: The system's

    /// Read once; hundreds of certificates take some milliseconds.
    private static let system: TrustStore? = loadSystem()

    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Alpine
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
        "/etc/pki/tls/certs/ca-bundle.crt",  // older RHEL, Amazon Linux
        "/etc/ssl/ca-bundle.pem",  // openSUSE
        "/etc/ssl/cert.pem",  // macOS, BSD
    ]

    private static func loadSystem() -> TrustStore? {
        let trust = TrustStore()
        defer { ERR_clear_error() }
        if getenv("SSL_CERT_FILE") == nil, getenv("SSL_CERT_DIR") == nil {
            for bundle in bundles where X509_STORE_load_locations(trust.store, bundle, nil) == 1 {
                return trust
            }
        }
        // BoringSSL's own places, or the environment's.
        return X509_STORE_set_default_paths(trust.store) == 1 ? trust : nil
    }
}
