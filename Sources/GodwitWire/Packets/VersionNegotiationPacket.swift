/// A Version Negotiation packet (RFC 8999 section 6, RFC 9000 section 17.2.1).
@frozen
public struct VersionNegotiationPacket {
    /// The connection id of the client, up to 255 bytes.
    public var destinationID: UnsafeRawBufferPointer
    /// The connection id that the client had chosen for the server, up to 255 bytes.
    public var sourceID: UnsafeRawBufferPointer
    /// Four bytes a version.
    @usableFromInline var versionBytes: UnsafeRawBufferPointer

    /// Nil when what follows the header is not one version or more.
    @usableFromInline
    init?(_ header: InvariantLongHeader, versions: UnsafeRawBufferPointer) {
        guard !versions.isEmpty, versions.count.isMultiple(of: 4) else { return nil }
        self.destinationID = header.destinationID
        self.sourceID = header.sourceID
        self.versionBytes = versions
    }

    /// The versions that the server offers, in its order.
    public var versions: [QUICVersion] {
        var reader = ByteReader(versionBytes)
        var versions: [QUICVersion] = []
        while let version = reader.readInteger(UInt32.self) {
            versions.append(QUICVersion(rawValue: version))
        }
        return versions
    }

    /// Whether `version` is offered. A client ignores a packet that offers the version it tried (RFC 9000
    /// section 6.2).
    public func offers(_ version: QUICVersion) -> Bool {
        var reader = ByteReader(versionBytes)
        while let offered = reader.readInteger(UInt32.self) {
            if offered == version.rawValue { return true }
        }
        return false
    }
}

extension VersionNegotiationPacket {
    /// How many bytes ``encode(answering:versions:random:into:)`` writes.
    public static func encodedSize(answering header: InvariantLongHeader, versionCount: Int) -> Int {
        1 + 4 + 1 + header.sourceID.count + 1 + header.destinationID.count + 4 * versionCount
    }

    /// Writes the answer to a packet of a version that is not spoken here. The caller has checked that it
    /// fits.
    ///
    /// - Parameters:
    ///   - header: The header of the client's packet, whose connection ids come back exchanged.
    ///   - versions: The versions to offer, at least one; add a reserved one (RFC 9000 section 6.3).
    ///   - random: Fills the bits of the first byte that mean nothing.
    public static func encode(
        answering header: InvariantLongHeader, versions: [QUICVersion], random: UInt8,
        into writer: inout ByteWriter
    ) {
        precondition(!versions.isEmpty)
        // Looking like other QUIC packets helps where protocols share a port (RFC 9000 section 17.2.1).
        writer.writeUInt8(0xc0 | random & 0x3f)
        writer.writeInteger(QUICVersion.negotiation.rawValue)
        writer.writeShortBytes(header.sourceID)
        writer.writeShortBytes(header.destinationID)
        for version in versions { writer.writeInteger(version.rawValue) }
    }
}
