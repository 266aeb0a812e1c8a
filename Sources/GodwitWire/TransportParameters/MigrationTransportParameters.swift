/// The transport parameters with which endpoints agree on moves of the server (Specs/server-migration.md 2).
///
/// They are kept among ``TransportParameters/additional``: whoever decodes a peer's parameters asks for
/// ``ids``.
public enum MigrationTransportParameter {
    /// The ways to move that the sender knows, or, from a server, that both know.
    public static let serverMigrationSuite: UInt64 = 0x0064
    /// Whether a client understands ALTERNATIVE_V4_ADDRESS and ALTERNATIVE_V6_ADDRESS frames
    /// (draft-munizaga-quic-alternative-server-address-00 section 4).
    public static let alternativeAddress: UInt64 = 0xff_0969_d85c
    /// All of them.
    public static let ids = [serverMigrationSuite, alternativeAddress]
}

extension TransportParameters {
    /// The bits of server_migration_suite; nil when it is not sent, which differs from 0.
    ///
    /// - Throws: `TRANSPORT_PARAMETER_ERROR` when it is not one variable-length integer
    ///   (Specs/server-migration.md 2.1).
    public func serverMigrationSuite() throws(TransportError) -> UInt64? {
        let id = MigrationTransportParameter.serverMigrationSuite
        guard let bytes = additional[id] else { return nil }
        let value = bytes.withUnsafeBytes { view in
            var reader = ByteReader(view)
            let value = reader.readVarint()
            return reader.isAtEnd ? value : nil
        }
        guard let value else { throw .migrationParameter("server_migration_suite is malformed") }
        return value
    }

    /// Sends server_migration_suite with these bits, below 2^62; nil for not at all.
    public mutating func setServerMigrationSuite(_ bits: UInt64?) {
        additional[MigrationTransportParameter.serverMigrationSuite] = bits.map { bits in
            let size = VariableLengthInteger.size(bits)
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                var writer = ByteWriter(UnsafeMutableRawBufferPointer(buffer))
                writer.writeVarint(bits)
                count = writer.count
            }
        }
    }

    /// Whether alternative_address is sent.
    ///
    /// - Throws: `TRANSPORT_PARAMETER_ERROR` when it has a value
    ///   (draft-munizaga-quic-alternative-server-address-00 section 4).
    public func offersAlternativeAddresses() throws(TransportError) -> Bool {
        guard let bytes = additional[MigrationTransportParameter.alternativeAddress] else { return false }
        guard bytes.isEmpty else { throw .migrationParameter("alternative_address has a value") }
        return true
    }

    /// Sends alternative_address, or doesn't.
    public mutating func setOffersAlternativeAddresses(_ offers: Bool) {
        additional[MigrationTransportParameter.alternativeAddress] = offers ? [] : nil
    }
}

extension TransportError {
    fileprivate static func migrationParameter(_ reason: String) -> TransportError {
        TransportError(.transportParameterError, reason, frameType: FrameType.crypto)
    }
}
