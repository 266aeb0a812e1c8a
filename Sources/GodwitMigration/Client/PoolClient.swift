import GodwitWire

/// A client that was told of a pool (Specs/server-migration.md 4.2).
///
/// The pool is told once and stays; without the extension it can't change any more when the server has moved.
struct PoolClient: Hashable, Sendable, Codable {
    /// How many frames count; the others are ignored.
    static let capacity = 4 * ProbeBudget.candidateLimit

    /// What the frames carried.
    private(set) var announced: [MigrationAddress] = []

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
        guard announced.count < Self.capacity else { return [] }
        announced.append(address)
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
