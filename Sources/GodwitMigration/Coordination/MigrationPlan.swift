public import GodwitWire

/// How the connections of a server are to move (Specs/server-migration.md 7.1).
///
/// For each connection there is a list of orders, of which the first holds that both ends know and that
/// nothing stands in the way of as far as the plan can tell.
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

    /// The order for a connection; nil when the plan does not name it.
    ///
    /// - Parameter id: the connection id that the client chose first.
    public func order(for id: ConnectionID, _ agreement: MigrationAgreement) -> MigrationOrder? {
        let orders = exceptions[id] ?? self.orders
        return orders.first { agreement.permits($0.strategy) } ?? orders.first
    }

    /// Every address that the plan leads to.
    public var destinations: [NetworkAddress] {
        (orders + exceptions.values.joined()).compactMap(\.destination).flatMap(\.addresses)
    }
}
