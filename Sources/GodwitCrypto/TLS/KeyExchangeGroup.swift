/// A way to agree on keys, by its number in the registry of TLS.
public struct KeyExchangeGroup: RawRepresentable, Hashable, Sendable, Codable {
    /// The number in the registry.
    public var rawValue: UInt16

    /// The group of that number.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// X25519 together with ML-KEM-768: safe as long as either is, also against quantum computers. A
    /// ClientHello that offers it takes more than one packet.
    public static let x25519MLKEM768 = KeyExchangeGroup(rawValue: 0x11ec)
    /// X25519 (RFC 7748).
    public static let x25519 = KeyExchangeGroup(rawValue: 29)
    /// The NIST curve P-256.
    public static let p256 = KeyExchangeGroup(rawValue: 23)
    /// The NIST curve P-384.
    public static let p384 = KeyExchangeGroup(rawValue: 24)

    /// What is offered unless configured otherwise.
    public static let standard: [KeyExchangeGroup] = [.x25519MLKEM768, .x25519, .p256]
    /// For a ClientHello that fits one packet.
    public static let compact: [KeyExchangeGroup] = [.x25519, .p256]
}

extension KeyExchangeGroup: CustomStringConvertible {
    /// The name in the registry of TLS.
    public var description: String {
        switch self {
        case .x25519MLKEM768: "X25519MLKEM768"
        case .x25519: "X25519"
        case .p256: "P-256"
        case .p384: "P-384"
        default: "0x" + String(rawValue, radix: 16)
        }
    }
}
