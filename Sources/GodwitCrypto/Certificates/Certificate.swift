internal import CNIOBoringSSL
internal import GodwitWire

/// An X.509 certificate (RFC 5280).
public struct Certificate: Hashable, Sendable {
    /// The certificate in DER.
    public let der: [UInt8]
    /// The DNS names that it is for, wildcards included, in lower case.
    public let dnsNames: [String]

    /// A certificate from its DER form.
    ///
    /// - Parameter source: what to call it in the error.
    public init(der: [UInt8], source: String = "certificate") throws(TLSConfigurationError) {
        guard let parsed = ParsedCertificate(der) else {
            throw TLSConfigurationError(
                source: source, problem: "not a certificate (\(errorText(takeError())))")
        }
        self.der = der
        self.dnsNames = parsed.dnsNames
    }

    /// The certificates of a PEM text in their order; other blocks are skipped.
    ///
    /// - Parameter source: what to call the text in the error, such as the file it came from.
    public static func list(pem: String, source: String = "certificates") throws(TLSConfigurationError)
        -> [Certificate]
    {
        var certificates: [Certificate] = []
        for block in try PEMDocument(Array(pem.utf8), source: source).blocks where block.isCertificate {
            let name = "\(source), certificate \(certificates.count + 1)"
            certificates.append(try Certificate(der: block.der, source: name))
        }
        guard !certificates.isEmpty else {
            throw TLSConfigurationError(source: source, problem: "holds no certificate in PEM form")
        }
        return certificates
    }

    /// The certificate as PEM text.
    public var pem: String { PEMDocument.text(label: "CERTIFICATE", der: der) }
}

extension PEMDocument.Block {
    fileprivate var isCertificate: Bool { label == "CERTIFICATE" || label == "X509 CERTIFICATE" }
}

/// BoringSSL's form of a certificate, which is only read once made.
final class ParsedCertificate: @unchecked Sendable {
    let x509: OpaquePointer

    /// Nil unless the bytes are one certificate and nothing else.
    init?(_ der: [UInt8]) {
        let parsed = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            var cursor = bytes.baseAddress
            guard let x509 = d2i_X509(nil, &cursor, bytes.count) else { return nil }
            guard cursor == bytes.baseAddress! + bytes.count else {
                X509_free(x509)
                return nil
            }
            return x509
        }
        guard let parsed else { return nil }
        x509 = parsed
    }

    deinit { X509_free(x509) }

    var dnsNames: [String] {
        guard let raw = X509_get_ext_d2i(x509, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let names = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(names) }
        return (0..<OPENSSL_sk_num(names)).compactMap { index in
            OPENSSL_sk_value(names, index).flatMap {
                Self.dnsName($0.assumingMemoryBound(to: GENERAL_NAME.self))
            }
        }
    }

    private static func dnsName(_ name: UnsafeMutablePointer<GENERAL_NAME>) -> String? {
        guard name.pointee.type == GEN_DNS, let text = name.pointee.d.dNSName else { return nil }
        let bytes = UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
        return String(decoding: bytes, as: UTF8.self).lowercased()
    }
}
