/// A version of QUIC, as long headers carry it (RFC 9000 section 15).
@frozen
public struct QUICVersion: RawRepresentable, Hashable, Sendable, Codable {
    /// The number of the version.
    public var rawValue: UInt32

    /// The version of that number.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// RFC 9000.
    @inlinable
    public static var v1: QUICVersion { QUICVersion(rawValue: 0x0000_0001) }
    /// RFC 9369.
    @inlinable
    public static var v2: QUICVersion { QUICVersion(rawValue: 0x6b33_43cf) }
    /// The private version of mvfst: version 1 on the wire but for the salt of its Initial keys and the code
    /// point of the transport parameters.
    @inlinable
    public static var mvfst: QUICVersion { QUICVersion(rawValue: 0xface_b002) }
    /// Not a version but the mark of a Version Negotiation packet (RFC 8999 section 6).
    @inlinable
    public static var negotiation: QUICVersion { QUICVersion(rawValue: 0) }

    /// A version that nobody speaks, to keep peers used to unknown ones (RFC 9000 section 15). The bits that
    /// are free to choose come from `random`.
    @inlinable
    public static func reserved(random: UInt32) -> QUICVersion {
        QUICVersion(rawValue: random & 0xf0f0_f0f0 | 0x0a0a_0a0a)
    }

    /// Whether this is one of the versions `0x?a?a?a?a` that nobody speaks (RFC 9000 section 15).
    @inlinable
    public var isReserved: Bool { rawValue & 0x0f0f_0f0f == 0x0a0a_0a0a }

    /// Whether ``PacketHeader`` can read packets of this version beyond what is common to all versions.
    @inlinable
    public var hasKnownLayout: Bool { self == .v1 || self == .v2 || self == .mvfst }
}

extension QUICVersion: CustomStringConvertible {
    /// `v1`, `v2` or the number in hexadecimal.
    public var description: String {
        switch self {
        case .v1: "v1"
        case .v2: "v2"
        default: "0x" + String(rawValue, radix: 16)
        }
    }
}

/// What a packet with a long header is (RFC 9000 section 17.2).
@frozen
public enum LongPacketType: UInt8, Hashable, Sendable, Codable, CaseIterable {
    /// The first flight and its answer (RFC 9000 section 17.2.2).
    case initial
    /// Early data of a client (RFC 9000 section 17.2.3).
    case zeroRTT
    /// The rest of the handshake (RFC 9000 section 17.2.4).
    case handshake
    /// A server's demand to prove the address (RFC 9000 section 17.2.5).
    case retry

    /// What the two type bits of a first byte mean in `version`, which is one of known layout.
    @inlinable
    public init(bits: UInt8, version: QUICVersion) {
        // Version 2 numbers the types one higher, so that nobody relies on version 1's numbers (RFC 9369
        // section 3.2).
        let number = (version == .v2 ? bits &- 1 : bits) & 3
        self = LongPacketType(rawValue: number)!
    }

    /// The two type bits of this type in `version`.
    @inlinable
    public func bits(in version: QUICVersion) -> UInt8 { (version == .v2 ? rawValue &+ 1 : rawValue) & 3 }

    /// The level at which packets of the type are protected; nil for Retry, which is not.
    @inlinable
    public var level: EncryptionLevel? {
        switch self {
        case .initial: .initial
        case .zeroRTT: .earlyData
        case .handshake: .handshake
        case .retry: nil
        }
    }

    /// The type of the packets of `level`; nil for 1-RTT, whose header is short.
    @inlinable
    public init?(_ level: EncryptionLevel) {
        switch level {
        case .initial: self = .initial
        case .earlyData: self = .zeroRTT
        case .handshake: self = .handshake
        case .oneRTT: return nil
        }
    }
}
