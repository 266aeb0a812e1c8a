public import GodwitWire

/// How the connections of a server are to move (Specs/server-migration.md 7.1).
///
/// For each connection there is a list of orders, of which the first holds that nothing stands in the way of.
public struct MigrationPlan: Hashable, Sendable, Codable {
    /// What to do with connections that are not named.
    public var orders: [MigrationOrder]
    /// What to do with some of them, by the connection id that the client chose first.
    public var exceptions: [ConnectionID: [MigrationOrder]]

    /// A plan for all connections.
    ///
    /// - Parameters:
    ///   - order: how they move; nil for those only that are named.
    ///   - alternatives: how those move that don't know the strategy, the most wanted one first.
    ///   - exceptions: how some of them move, by the connection id that the client chose first.
    public init(
        default order: MigrationOrder?, otherwise alternatives: [MigrationOrder] = [],
        exceptions: [ConnectionID: MigrationOrder] = [:]
    ) {
        orders = (order.map { [$0] } ?? []) + alternatives
        self.exceptions = exceptions.mapValues { [$0] }
    }

    /// A plan that uses the best that each client knows: combined, then Explicit, Synchronized Symmetric,
    /// Symmetric, and the pool.
    public static func best(to destination: MigrationDestination) -> MigrationPlan {
        MigrationPlan(
            default: .combined(destination: destination),
            otherwise: [
                .explicit(destination: destination), .synchronizedSymmetric, .symmetric, .poolOfAddresses,
            ])
    }

    /// How a connection is to move, the most wanted way first; empty when the plan does not name it.
    ///
    /// - Parameter id: the connection id that the client chose first.
    public func orders(for id: ConnectionID) -> [MigrationOrder] { exceptions[id] ?? orders }

    /// What to tell a connection's machine of the plan.
    ///
    /// - Parameter id: the connection id that the client chose first.
    public func input(for id: ConnectionID, _ epoch: MigrationEpoch) -> ServerMigrationInput {
        let orders = orders(for: id)
        guard let first = orders.first else { return .leaveOut(epoch) }
        return .prepare(first, epoch, otherwise: Array(orders.dropFirst()))
    }

    /// Every address that the plan leads to.
    public var destinations: [NetworkAddress] {
        (orders + exceptions.values.joined()).compactMap(\.destination).flatMap(\.addresses)
    }
}
