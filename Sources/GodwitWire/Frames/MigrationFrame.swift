/// The types of the frames with which a server moves (Specs/server-migration.md 3).
public enum MigrationFrameType {
    /// SERVER_MIGRATION (Specs/server-migration.md 3.1).
    @inlinable
    public static var serverMigration: UInt64 { 0x32 }
    /// SERVER_MIGRATED (Specs/server-migration.md 3.2).
    @inlinable
    public static var serverMigrated: UInt64 { 0x33 }
    /// POOL_MIGRATION_ADDRESS (Specs/server-migration.md 3.3).
    @inlinable
    public static var poolMigrationAddress: UInt64 { 0x34 }
    /// ALTERNATIVE_V4_ADDRESS (draft-munizaga-quic-alternative-server-address-00 section 6).
    @inlinable
    public static var alternativeV4Address: UInt64 { 0x1d58_45e2 }
    /// ALTERNATIVE_V6_ADDRESS (draft-munizaga-quic-alternative-server-address-00 section 6).
    @inlinable
    public static var alternativeV6Address: UInt64 { 0x1d58_45e3 }

    /// Whether ``MigrationFrame`` has a case for the type.
    @inlinable
    public static func isKnown(_ type: UInt64) -> Bool {
        serverMigration...poolMigrationAddress ~= type || alternativeV4Address...alternativeV6Address ~= type
    }
}

/// A frame with which a server moves (Specs/server-migration.md 3).
///
/// All of them are sent by servers only, in 1-RTT packets, ask for an acknowledgement and are no probing
/// frames (RFC 9000 section 9.1), which is also what ``FrameType`` says of types that it doesn't know.
@frozen
public enum MigrationFrame: Hashable, Sendable, Codable {
    /// Where the server is going to be; all zero when it doesn't say.
    case serverMigration(MigrationAddress)
    /// The server is where the packet came from.
    case serverMigrated
    /// Where the server may be some day.
    case poolMigrationAddress(MigrationAddress)
    /// What the server says about one of its addresses.
    case alternativeAddress(AlternativeAddressFrame)
}

extension MigrationFrame {
    /// The type under which ``encode(into:)`` writes the frame.
    public var type: UInt64 {
        switch self {
        case .serverMigration: MigrationFrameType.serverMigration
        case .serverMigrated: MigrationFrameType.serverMigrated
        case .poolMigrationAddress: MigrationFrameType.poolMigrationAddress
        case .alternativeAddress(let frame): frame.type
        }
    }

    /// How many bytes ``encode(into:)`` writes.
    public var encodedSize: Int {
        switch self {
        case .serverMigration, .poolMigrationAddress: 1 + MigrationAddress.encodedSize
        case .serverMigrated: 1
        case .alternativeAddress(let frame): frame.encodedSize
        }
    }

    /// Decodes the rest of a frame whose type has been read with ``FrameType/decode(_:)``.
    ///
    /// - Throws: `FRAME_ENCODING_ERROR` when the frame is malformed or of a type that is not one of these
    ///   (RFC 9000 section 12.4).
    public static func decode(
        type: UInt64, from reader: inout ByteReader
    ) throws(TransportError) -> MigrationFrame {
        switch type {
        case MigrationFrameType.serverMigration:
            return .serverMigration(try MigrationAddress(from: &reader, of: type))
        case MigrationFrameType.serverMigrated: return .serverMigrated
        case MigrationFrameType.poolMigrationAddress:
            return .poolMigrationAddress(try MigrationAddress(from: &reader, of: type))
        case MigrationFrameType.alternativeV4Address, MigrationFrameType.alternativeV6Address:
            return .alternativeAddress(try AlternativeAddressFrame.decode(type: type, from: &reader))
        default: throw .malformedFrame("the frame type is unknown", type: type)
        }
    }

    /// Writes the frame. The caller has checked that ``encodedSize`` bytes fit.
    public func encode(into writer: inout ByteWriter) {
        switch self {
        case .serverMigration(let address), .poolMigrationAddress(let address):
            writer.writeVarint(type)
            address.encode(into: &writer)
        case .serverMigrated: writer.writeVarint(type)
        case .alternativeAddress(let frame): frame.encode(into: &writer)
        }
    }
}
