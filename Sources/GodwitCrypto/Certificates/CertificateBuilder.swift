internal import CNIOBoringSSL
internal import GodwitWire

/// Makes certificates: self-signed ones, and the chains that tests need.
struct CertificateBuilder {
    /// DNS names and IP addresses; the first is also the subject's common name.
    var subjectNames: [String]
    /// Seconds since 1970.
    var validity: ClosedRange<Int64>
    /// The common name of the signer; nil for a certificate that signs itself.
    var issuerName: String?
    /// Whether it may sign others.
    var isAuthority = false

    init(subjectNames: [String], validity: ClosedRange<Int64>) {
        self.subjectNames = subjectNames
        self.validity = validity
    }

    func build(for key: PrivateKey, signedBy signer: PrivateKey) throws(TLSConfigurationError) -> Certificate
    {
        guard let first = subjectNames.first else { throw failure("there are no names") }
        guard let x509 = X509_new() else { throw failure("out of memory") }
        defer { X509_free(x509) }
        // Version 3 is written as 2 (RFC 5280 section 4.1.2.1).
        let isFilled =
            X509_set_version(x509, 2) == 1 && setSerial(x509) && setValidity(x509)
            && setCommonName(X509_get_subject_name(x509), first)
            && setCommonName(X509_get_issuer_name(x509), issuerName ?? first)
            && X509_set_pubkey(x509, key.key) == 1 && addConstraints(x509)
        guard isFilled else { throw failure(errorText(takeError())) }
        try addNames(x509)
        // Ed25519 brings its own hash.
        let digest = EVP_PKEY_id(signer.key) == EVP_PKEY_ED25519 ? nil : EVP_sha256()
        guard X509_sign(x509, signer.key, digest) > 0 else { throw failure(errorText(takeError())) }
        return try Certificate(der: der(x509), source: "made certificate")
    }

    private func failure(_ problem: String) -> TLSConfigurationError {
        TLSConfigurationError(source: "self-signed certificate", problem: problem)
    }

    private func setSerial(_ x509: OpaquePointer) -> Bool {
        var serial: UInt64 = 0
        withUnsafeMutableBytes(of: &serial) {
            _ = RAND_bytes($0.baseAddress!.assumingMemoryBound(to: UInt8.self), $0.count)
        }
        // Neither a sign byte nor leading zeros that are left out: certificates of one kind are of one size.
        serial = serial >> 2 | 1 << 62
        guard let number = ASN1_INTEGER_new() else { return false }
        defer { ASN1_INTEGER_free(number) }
        return ASN1_INTEGER_set_uint64(number, serial) == 1 && X509_set_serialNumber(x509, number) == 1
    }

    private func setValidity(_ x509: OpaquePointer) -> Bool {
        ASN1_TIME_set_posix(X509_getm_notBefore(x509), validity.lowerBound) != nil
            && ASN1_TIME_set_posix(X509_getm_notAfter(x509), validity.upperBound) != nil
    }

    /// Common names are limited to 64 bytes; what counts are the alternative names.
    private func setCommonName(_ name: OpaquePointer?, _ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(64))
        return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, bytes.count, -1, 0) == 1
    }

    private func addConstraints(_ x509: OpaquePointer) -> Bool {
        guard let constraints = BASIC_CONSTRAINTS_new() else { return false }
        defer { BASIC_CONSTRAINTS_free(constraints) }
        constraints.pointee.ca = isAuthority ? ASN1_BOOLEAN(0xff) : 0
        return X509_add1_ext_i2d(x509, NID_basic_constraints, constraints, 1, 0) == 1
    }

    private func addNames(_ x509: OpaquePointer) throws(TLSConfigurationError) {
        guard let names = GENERAL_NAMES_new() else { throw failure("out of memory") }
        defer { GENERAL_NAMES_free(names) }
        for name in subjectNames {
            guard let general = makeName(name) else { throw failure("'\(name)' can't be a name") }
            guard OPENSSL_sk_push(names, general) > 0 else { throw failure("out of memory") }
        }
        guard X509_add1_ext_i2d(x509, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, 0) == 1 else {
            throw failure(errorText(takeError()))
        }
    }

    private func makeName(_ name: String) -> UnsafeMutablePointer<GENERAL_NAME>? {
        let address = IPAddress(name)
        let bytes = address?.networkBytes ?? Array(name.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy({ address != nil || (0x21...0x7e).contains($0) }),
            let general = GENERAL_NAME_new(),
            let value = ASN1_STRING_type_new(address == nil ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING)
        else { return nil }
        GENERAL_NAME_set0_value(general, address == nil ? GEN_DNS : GEN_IPADD, value)
        guard ASN1_STRING_set(value, bytes, bytes.count) == 1 else {
            GENERAL_NAME_free(general)
            return nil
        }
        return general
    }

    private func der(_ x509: OpaquePointer) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let length = i2d_X509(x509, &bytes)
        guard length > 0, let bytes else { return [] }
        defer { OPENSSL_free(bytes) }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: Int(length)))
    }
}

extension PrivateKey {
    /// A new key.
    static func generate(_ type: SelfSignedCertificate.KeyType) throws(TLSConfigurationError) -> PrivateKey {
        let number = type == .p256 ? EVP_PKEY_EC : EVP_PKEY_ED25519
        let context = EVP_PKEY_CTX_new_id(number, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let isReady =
            EVP_PKEY_keygen_init(context) == 1
            && (type != .p256 || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1)
        guard isReady, EVP_PKEY_keygen(context, &key) == 1, let key else {
            throw TLSConfigurationError(source: "new private key", problem: errorText(takeError()))
        }
        return PrivateKey(owning: key)
    }
}
