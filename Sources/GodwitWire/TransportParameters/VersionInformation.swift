/// The versions that an endpoint has chosen and could have chosen (RFC 9368 section 3).
public struct VersionInformation: Hashable, Sendable, Codable {
    /// The version that the sender uses for the connection.
    public var chosen: QUICVersion
    /// From a client: every version that its first flight can be understood in, most wanted first, the chosen
    /// one among them. From a server: the versions that all of its deployment speaks, possibly none.
    public var available: [QUICVersion]

    /// The versions `chosen` and `available`.
    public init(chosen: QUICVersion, available: [QUICVersion]) {
        self.chosen = chosen
        self.available = available
    }
}

extension VersionInformation {
    /// Nil when malformed, when a version is 0, or when a client did not choose one of its own versions (RFC
    /// 9368 section 4).
    init?(_ bytes: UnsafeRawBufferPointer, sender: Role) {
        guard bytes.count >= 4, bytes.count.isMultiple(of: 4) else { return nil }
        var reader = ByteReader(bytes)
        var versions: [QUICVersion] = []
        while let version = reader.readInteger(UInt32.self) {
            guard version != 0 else { return nil }
            versions.append(QUICVersion(rawValue: version))
        }
        self.init(chosen: versions[0], available: Array(versions.dropFirst()))
        guard sender == .server || available.contains(chosen) else { return nil }
    }

    var encodedSize: Int { 4 + 4 * available.count }

    func encode(into writer: inout ByteWriter) {
        writer.writeInteger(chosen.rawValue)
        for version in available { writer.writeInteger(version.rawValue) }
    }
}
