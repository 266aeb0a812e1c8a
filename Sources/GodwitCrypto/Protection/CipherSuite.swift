/// A cipher suite of TLS 1.3 that has a header protection algorithm for QUIC (RFC 9001 section 5.3).
///
/// TLS_AES_128_CCM_SHA256 is left out because BoringSSL doesn't have it, and TLS_AES_128_CCM_8_SHA256 because
/// QUIC rules it out.
public enum CipherSuite: UInt16, Hashable, Sendable, Codable, CaseIterable {
    /// TLS_AES_128_GCM_SHA256.
    case aes128GCM = 0x1301
    /// TLS_AES_256_GCM_SHA384.
    case aes256GCM = 0x1302
    /// TLS_CHACHA20_POLY1305_SHA256.
    case chaCha20Poly1305 = 0x1303

    /// The bytes that each of these suites adds to a packet.
    public static let tagLength = 16

    /// The bytes of the initialization vector, which is also the nonce's length.
    public static let ivLength = 12

    /// The bytes of a packet that a header protection mask is made from (RFC 9001 section 5.4.2).
    public static let sampleLength = 16

    /// The bytes of the key of the AEAD, and of the header protection key.
    public var keyLength: Int { self == .aes128GCM ? 16 : 32 }

    /// The bytes of the suite's hash, which is also the length of its secrets.
    public var hashLength: Int { self == .aes256GCM ? 48 : 32 }

    /// How many packets one key may protect (RFC 9001 section 6.6).
    ///
    /// ChaCha20-Poly1305 outlasts the packet numbers of a connection, so it has no limit of its own.
    public var confidentialityLimit: UInt64 { self == .chaCha20Poly1305 ? 1 << 62 : 1 << 23 }

    /// How many packets may fail to authenticate over the whole connection (RFC 9001 section 6.6).
    public var integrityLimit: UInt64 { self == .chaCha20Poly1305 ? 1 << 36 : 1 << 52 }
}

extension CipherSuite: CustomStringConvertible {
    /// The name in the registry of TLS.
    public var description: String {
        switch self {
        case .aes128GCM: "TLS_AES_128_GCM_SHA256"
        case .aes256GCM: "TLS_AES_256_GCM_SHA384"
        case .chaCha20Poly1305: "TLS_CHACHA20_POLY1305_SHA256"
        }
    }
}
