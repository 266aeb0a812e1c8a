internal import CNIOBoringSSL

/// HKDF (RFC 5869) with the labels of TLS 1.3 (RFC 8446 section 7.1).
public enum KeyDerivation {
    /// HKDF-Extract. Either argument may be empty.
    public static func extract(salt: [UInt8], inputKeyMaterial: [UInt8], suite: CipherSuite) -> [UInt8] {
        var length = 0
        return .filled(
            suite.hashLength,
            by: {
                HKDF_extract(
                    $0, &length, suite.digest, inputKeyMaterial, inputKeyMaterial.count, salt, salt.count)
            }, "HKDF_extract")
    }

    /// HKDF-Expand. The length may be up to 255 times that of the hash; more is a programming error.
    public static func expand(
        _ pseudorandomKey: [UInt8], info: [UInt8], length: Int, suite: CipherSuite
    ) -> [UInt8] {
        .filled(
            length,
            by: {
                HKDF_expand(
                    $0, length, suite.digest, pseudorandomKey, pseudorandomKey.count, info, info.count)
            }, "HKDF_expand")
    }

    /// HKDF-Expand-Label of TLS 1.3, which QUIC uses for its keys (RFC 9001 section 5.1). The label goes in
    /// without its "tls13 " prefix.
    public static func expandLabel(
        _ secret: [UInt8], _ label: String, context: [UInt8] = [], length: Int, suite: CipherSuite
    ) -> [UInt8] {
        let fullLabel = Array("tls13 ".utf8) + Array(label.utf8)
        precondition(fullLabel.count <= 255 && context.count <= 255 && length <= 0xffff)
        var info: [UInt8] = [UInt8(length >> 8), UInt8(length & 0xff), UInt8(fullLabel.count)]
        info += fullLabel
        info.append(UInt8(context.count))
        info += context
        return expand(secret, info: info, length: length, suite: suite)
    }

    /// The hash of the suite.
    public static func hash(_ bytes: [UInt8], suite: CipherSuite) -> [UInt8] {
        .filled(
            suite.hashLength,
            by: { EVP_Digest(bytes, bytes.count, $0, nil, suite.digest, nil) }, "EVP_Digest")
    }

    /// HMAC (RFC 2104) with the hash of the suite.
    public static func authenticationCode(_ bytes: [UInt8], key: [UInt8], suite: CipherSuite) -> [UInt8] {
        .filled(
            suite.hashLength,
            by: { HMAC(suite.digest, key, key.count, bytes, bytes.count, $0, nil) == nil ? 0 : 1 }, "HMAC")
    }
}
