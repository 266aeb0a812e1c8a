internal import CNIOBoringSSL
import GodwitWire

@testable import GodwitCrypto

extension FunctionGroup {
    static let certificates = [
        FunctionGroup(
            "BIO_new, BIO_s_mem, BIO_mem_contents, PEM_write_bio, BIO_new_mem_buf, PEM_read_bio, BIO_free"
        ) {
            let text = PEMDocument.text(label: "THING", der: [1, 2, 3])
            let blocks = try PEMDocument(Array((text + "between\n" + text).utf8), source: "text").blocks
            return text == "-----BEGIN THING-----\nAQID\n-----END THING-----\n"
                && blocks.map(\.der) == [[1, 2, 3], [1, 2, 3]] && blocks.allSatisfy { $0.label == "THING" }
        },
        FunctionGroup(
            "EVP_PKEY_CTX_new_id, EVP_PKEY_keygen_init, _set_ec_paramgen_curve_nid, EVP_PKEY_keygen"
        ) {
            let (p256, ed25519) = (try PrivateKey.generate(.p256), try PrivateKey.generate(.ed25519))
            return withExtendedLifetime((p256, ed25519)) {
                EVP_PKEY_id(p256.key) == EVP_PKEY_EC && EVP_PKEY_id(ed25519.key) == EVP_PKEY_ED25519
            }
        },
        FunctionGroup("CBB_init, EVP_marshal_private_key, CBB_finish, d2i_AutoPrivateKey, EVP_PKEY_free") {
            ERR_clear_error()
            let key = try PrivateKey.generate(.p256)
            let again = try PrivateKey(pem: key.pem)
            return again.pem == key.pem && (try? PrivateKey(der: [0x30, 0])) == nil && ERR_peek_error() == 0
        },
        FunctionGroup(
            "X509_new, X509_set_*, X509_NAME_add_entry_by_txt, X509_add1_ext_i2d, X509_sign, i2d_X509"
        ) {
            let made = try certificate(["a.test", "192.0.2.1"])
            // A version of 2, which stands for 3, and the two alternative names.
            return made.der.firstRange(of: [0xa0, 3, 2, 1, 2]) != nil
                && made.der.firstRange(of: [0x82, 6] + Array("a.test".utf8)) != nil
                && made.der.firstRange(of: [0x87, 4, 192, 0, 2, 1]) != nil
        },
        FunctionGroup("d2i_X509, X509_get_ext_d2i, OPENSSL_sk_num, OPENSSL_sk_value, ASN1_STRING_get0_data") {
            ERR_clear_error()
            let made = try certificate(["a.test", "*.b.test", "192.0.2.1"])
            return try Certificate(der: made.der).dnsNames == ["a.test", "*.b.test"]
                && (try? Certificate(der: Array(made.der.dropLast()))) == nil && ERR_peek_error() == 0
        },
        FunctionGroup(
            "X509_check_private_key, SSL_CREDENTIAL_new_x509, SSL_CREDENTIAL_set1_*, CRYPTO_BUFFER_new"
        ) {
            let key = try PrivateKey.generate(.ed25519)
            let made = try certificate(["a.test"], key: key)
            let stranger = try PrivateKey.generate(.ed25519)
            return (try? Identity(certificates: [made], key: key)) != nil
                && (try? Identity(certificates: [made], key: stranger)) == nil
        },
        FunctionGroup(
            "X509_STORE_new, X509_STORE_add_cert, X509_STORE_CTX_init, X509_verify_cert, _get_error"
        ) {
            let made = try certificate(["a.test"])
            return try refusal(made, trusting: made, host: nil) == nil
                && refusal(made, trusting: certificate(["a.test"]), host: nil) != nil
        },
        FunctionGroup(
            "X509_VERIFY_PARAM_set1_host, X509_VERIFY_PARAM_set1_ip, X509_VERIFY_PARAM_set_hostflags"
        ) {
            let made = try certificate(["a.test", "192.0.2.1", "2001:db8::1"])
            return try ["a.test", "192.0.2.1", "2001:db8::1"].allSatisfy {
                try refusal(made, trusting: made, host: $0) == nil
            }
                && ["b.test", "192.0.2.2", "2001:db8::2"].allSatisfy {
                    try refusal(made, trusting: made, host: $0)?.alert == 42
                }
        },
        FunctionGroup(
            "X509_VERIFY_PARAM_set_time_posix, X509_verify_cert_error_string, SSL_alert_from_verify_result"
        ) {
            let made = try certificate(["a.test"])
            let late = try refusal(
                made, trusting: made, host: nil, at: TestIdentities.validity.upperBound + 1)
            return late?.alert == 45 && late?.reason.contains("expired") == true
        },
        FunctionGroup("X509_STORE_set_flags, X509_STORE_CTX_get0_chain, X509_check_ca, OPENSSL_sk_push") {
            let own = TestIdentities.chained.certificates
            let verifier = CertificateVerifier(
                peer: .server, trust: try TrustStore([TestIdentities.intermediate]), hook: nil,
                currentTime: { TestIdentities.today })
            try verifier.verify(own.map(\.der), host: "chained.test")
            return true
        },
        FunctionGroup("X509_STORE_load_locations, X509_STORE_set_default_paths, X509_STORE_free") {
            // A machine may have no certificates; looking for them must not leave errors behind.
            ERR_clear_error()
            _ = try? TrustStore.make(for: .system)
            return ERR_peek_error() == 0
        },
    ]

    private static func certificate(_ names: [String], key: PrivateKey? = nil) throws -> Certificate {
        let key = try key ?? PrivateKey.generate(.p256)
        return try CertificateBuilder(subjectNames: names, validity: TestIdentities.validity)
            .build(for: key, signedBy: key)
    }

    private static func refusal(
        _ certificate: Certificate, trusting trusted: Certificate, host: String?,
        at time: Int64 = TestIdentities.today
    ) throws -> CertificateVerifier.Refusal? {
        let verifier = CertificateVerifier(
            peer: .server, trust: try TrustStore([trusted]), hook: nil, currentTime: { time })
        do throws(CertificateVerifier.Refusal) {
            try verifier.verify([certificate.der], host: host)
            return nil
        } catch {
            return error
        }
    }
}
