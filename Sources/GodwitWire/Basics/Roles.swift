/// Which side of a connection an endpoint is on.
@frozen
public enum Role: UInt8, Hashable, Sendable, Codable {
    case client
    case server

    /// The role of the other end.
    @inlinable
    public var peer: Role { self == .client ? .server : .client }
}

/// The three spaces in which packets are numbered and acknowledged (RFC 9000 section 12.3).
@frozen
public enum PacketNumberSpace: UInt8, Hashable, Sendable, Codable, CaseIterable {
    case initial
    case handshake
    case application
}

/// The levels at which packets are protected (RFC 9001 section 2.1), in the order they become available.
@frozen
public enum EncryptionLevel: UInt8, Hashable, Sendable, Codable, CaseIterable {
    case initial
    case earlyData
    case handshake
    case oneRTT

    /// The space in which packets of this level are numbered (RFC 9000 section 12.3).
    @inlinable
    public var space: PacketNumberSpace {
        switch self {
        case .initial: .initial
        case .handshake: .handshake
        case .earlyData, .oneRTT: .application
        }
    }
}

/// The ECN field of an IP header (RFC 3168 section 5), by its bits.
@frozen
public enum ECNCodepoint: UInt8, Hashable, Sendable, Codable {
    case notECT = 0
    case ect1 = 1
    case ect0 = 2
    case congestionExperienced = 3
}
