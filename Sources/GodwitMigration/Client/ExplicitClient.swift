import GodwitWire

/// A client that was told by Explicit where its server is going to be (Specs/server-migration.md 4.1).
///
/// ```
///   nothing told ──SERVER_MIGRATION──► told ──the client has followed──► nothing told
///                                       │ ▲
///                                       └─┘ the same again: nothing new
/// ```
struct ExplicitClient: Hashable, Sendable, Codable {
    /// The 24 bytes of the frame.
    let announced: MigrationAddress

    /// Takes another SERVER_MIGRATION, while the client has not followed yet.
    ///
    /// - Throws: when it names another destination (Specs/server-migration.md 4.1.4).
    func receive(_ address: MigrationAddress) throws(TransportError) {
        guard address == announced else {
            throw .migrationViolation("a second, different destination", MigrationFrameType.serverMigration)
        }
    }

    /// The destinations that a client may follow to: without the extension one of its own family, which has
    /// to be named and to be elsewhere (Specs/server-migration.md 4.1.2).
    static func destinations(
        in address: MigrationAddress, current: NetworkAddress, isExtended: Bool
    ) throws(TransportError) -> [NetworkAddress] {
        if isExtended { return address.addresses.filter { $0 != current } }
        guard let destination = address.address(isIPv4: current.isIPv4) else {
            throw .migrationViolation(
                "no destination of the client's address family", MigrationFrameType.serverMigration)
        }
        guard destination != current else {
            throw .migrationViolation(
                "the server's address as destination", MigrationFrameType.serverMigration)
        }
        return [destination]
    }
}
