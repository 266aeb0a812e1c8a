/// The first byte of a packet (RFC 9000 sections 17.2 and 17.3.1).
///
/// What it says about packet number, reserved bits and key phase holds only once header protection is
/// removed.
@frozen
public struct FirstByte: RawRepresentable, Hashable, Sendable {
    /// The byte.
    public var rawValue: UInt8

    /// The byte as received or to be sent.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The first byte of a packet with a long header that has a packet number of `packetNumberLength` bytes,
    /// 1 to 4.
    @inlinable
    public init(_ type: LongPacketType, version: QUICVersion, packetNumberLength: Int, fixedBit: Bool = true)
    {
        precondition(1...4 ~= packetNumberLength)
        rawValue =
            0x80 | (fixedBit ? 0x40 : 0) | type.bits(in: version) << 4
            | UInt8(truncatingIfNeeded: packetNumberLength - 1)
    }

    /// The first byte of a packet with a short header and a packet number of `packetNumberLength` bytes, 1 to
    /// 4.
    @inlinable
    public init(spinBit: Bool, keyPhase: Bool, packetNumberLength: Int, fixedBit: Bool = true) {
        precondition(1...4 ~= packetNumberLength)
        rawValue =
            (fixedBit ? 0x40 : 0) | (spinBit ? 0x20 : 0) | (keyPhase ? 0x04 : 0)
            | UInt8(truncatingIfNeeded: packetNumberLength - 1)
    }

    /// Whether the header is a long one (RFC 8999 section 5.1).
    @inlinable
    public var isLongHeader: Bool { rawValue & 0x80 != 0 }
    /// The QUIC bit. Only peers that were sent `grease_quic_bit` may clear it (RFC 9287 section 3); a packet
    /// of anyone else without it is to be discarded (RFC 9000 section 17.2).
    @inlinable
    public var hasFixedBit: Bool { rawValue & 0x40 != 0 }
    /// The type bits of a long header.
    @inlinable
    public var longTypeBits: UInt8 { rawValue >> 4 & 3 }
    /// The bits that header protection covers (RFC 9001 section 5.4.1).
    @inlinable
    public var protectedBits: UInt8 { isLongHeader ? 0x0f : 0x1f }
    /// Whether the reserved bits are zero, as they must be once protection is removed; a connection error of
    /// type `PROTOCOL_VIOLATION` otherwise (RFC 9000 sections 17.2 and 17.3.1).
    @inlinable
    public var reservedBitsAreZero: Bool { rawValue & (isLongHeader ? 0x0c : 0x18) == 0 }
    /// How many bytes the packet number takes, 1 to 4.
    @inlinable
    public var packetNumberLength: Int { Int(rawValue & 3) + 1 }
    /// The latency spin bit of a short header (RFC 9000 section 17.4).
    @inlinable
    public var spinBit: Bool { rawValue & 0x20 != 0 }
    /// The key phase of a short header (RFC 9001 section 6).
    @inlinable
    public var keyPhase: Bool { rawValue & 0x04 != 0 }
}
