import GodwitWire

/// A client that was told of a pool (Specs/server-migration.md 4.2).
///
/// The pool is told once and stays; without the extension it can't change any more when the server has moved.
struct PoolClient: Hashable, Sendable, Codable {
    /// What the frames carried. A server may name more than the client looks at, but not more than this many
    /// are remembered.
    private(set) var announced: [MigrationAddress] = []

    private static let capacity = 4 * ProbeBudget.candidateLimit

    /// Takes a POOL_MIGRATION_ADDRESS.
    ///
    /// - Parameter mayChange: whether the server has not moved yet, or the extension is in use.
    /// - Returns: the addresses that are new.
    mutating func receive(
        _ address: MigrationAddress, current: NetworkAddress, mayChange: Bool, isExtended: Bool
    ) throws(TransportError) -> [NetworkAddress] {
        if announced.contains(address) { return [] }
        guard mayChange else {
            throw .migrationViolation(
                "the pool changes during or after a move", MigrationFrameType.poolMigrationAddress)
        }
        let addresses = try Self.addresses(in: address, current: current, isExtended: isExtended)
        if announced.count < Self.capacity { announced.append(address) }
        return addresses
    }

    private static func addresses(
        in address: MigrationAddress, current: NetworkAddress, isExtended: Bool
    ) throws(TransportError) -> [NetworkAddress] {
        if isExtended { return address.addresses }
        guard let member = address.address(isIPv4: current.isIPv4) else {
            throw .migrationViolation(
                "no pool address of the client's address family", MigrationFrameType.poolMigrationAddress)
        }
        return [member]
    }
}
