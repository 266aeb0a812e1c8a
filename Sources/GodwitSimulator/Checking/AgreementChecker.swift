public import GodwitWire

/// Holds both ends of a connection to the same end: programs report
/// ``Observation/ended(connection:role:outcome:)``, and the outcomes of client and server must be equal.
public final class AgreementChecker: Checker {
    private struct Outcomes {
        var client: String?
        var server: String?

        subscript(role: Role) -> String? {
            get { role == .client ? client : server }
            set { if role == .client { client = newValue } else { server = newValue } }
        }
    }

    /// `agreement`.
    public let name = "agreement"
    private var connections: [UInt64: Outcomes] = [:]
    private var released: Set<UInt64> = []

    /// A checker that has seen nothing.
    public init() {}

    /// Announces a connection, both ends of which must then be over at the end of the run.
    public func expect(connection: UInt64) {
        if connections[connection] == nil, !released.contains(connection) {
            connections[connection] = Outcomes()
        }
    }

    /// Gives up on a connection: one of its ends has forgotten it, and the other may end as it likes.
    public func release(connection: UInt64) {
        released.insert(connection)
        connections[connection] = nil
    }

    /// Whether both ends of every connection are over.
    public var isComplete: Bool { connections.values.allSatisfy { $0.client != nil && $0.server != nil } }

    /// Judges an end of a connection.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        guard case .ended(let connection, let role, let outcome) = observation,
            !released.contains(connection)
        else { return nil }
        let outcomes = connections[connection, default: Outcomes()]
        connections[connection, default: Outcomes()][role] = outcome
        if let earlier = outcomes[role] {
            return "connection \(connection) ended twice at its \(role): \(earlier), then \(outcome)"
        }
        guard let other = outcomes[role.peer], other != outcome else { return nil }
        return
            "connection \(connection) ended with \(outcome) at its \(role), with \(other) at its \(role.peer)"
    }

    /// Every connection is over at both ends.
    public func checkEnd(at time: Instant) -> [String] {
        connections.keys.sorted().flatMap { connection in
            [Role.client, Role.server].compactMap { role in
                guard let outcomes = connections[connection], outcomes[role] == nil else { return nil }
                return "connection \(connection) has not ended at its \(role)"
            }
        }
    }
}
