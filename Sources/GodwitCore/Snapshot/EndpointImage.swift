package import GodwitWire

/// What of a server is in the image of its process, for simulations of checkpoints: its confirmed connections, and how
/// far it is with its move.
///
/// Keys are the configuration's, and randomness is drawn anew (Specs/server-migration.md 6.6.3).
package struct EndpointImage {
    private let connections: [[UInt8]]
    private let moving: EndpointMigration
    private let plan: OpenMigrationPlan?
    private let standstill: Standstill

    /// The image of an endpoint as it is now.
    package init(of endpoint: Endpoint) throws(SnapshotError) {
        var connections: [[UInt8]] = []
        for handle in endpoint.connectionHandles {
            guard let connection = endpoint.connection(handle), connection.isConfirmed else { continue }
            connections.append(try connection.exportSnapshot())
        }
        self.connections = connections
        moving = endpoint.moving
        plan = endpoint.environment.plan
        standstill = endpoint.environment.standstill
    }

    /// Fills an endpoint that has just been made.
    package func restore(to endpoint: Endpoint, now: Instant) throws(SnapshotError) {
        for connection in connections { _ = try endpoint.importConnection(connection, now: now) }
        endpoint.moving = moving
        endpoint.environment.plan = plan
        endpoint.environment.standstill = standstill
    }
}
