public import GodwitWire

/// Holds datagrams of connections to what may happen to them (RFC 9221 section 5): each arrives once as it
/// was sent, or not at all.
///
/// Programs announce what they send and report ``Observation/datagram(connection:sender:bytes:)``.
public final class DatagramChecker: Checker {
    private struct Direction: Hashable {
        var connection: UInt64
        var sender: Role
    }

    private struct Traffic {
        /// How many datagrams of each content are under way.
        var underWay: [[UInt8]: Int] = [:]
        var count = 0
        var mustArrive = false
    }

    /// `datagrams`.
    public let name = "datagrams"
    private var traffic: [Direction: Traffic] = [:]
    /// In the order in which they came up: messages must not depend on a hash.
    private var order: [Direction] = []
    /// How many were handed to the transport.
    public private(set) var sent: UInt64 = 0
    /// How many came out at the other end.
    public private(set) var delivered: UInt64 = 0

    /// A checker that has seen nothing.
    public init() {}

    /// Announces a datagram that the transport has taken.
    public func send(_ bytes: [UInt8], on connection: UInt64, by sender: Role) {
        sent += 1
        withTraffic(connection, sender) {
            $0.underWay[bytes, default: 0] += 1
            $0.count += 1
        }
    }

    /// Says that nothing on the way drops anything, so that all has to arrive by the end of the run.
    public func expectAll(on connection: UInt64) {
        for sender in [Role.client, .server] { withTraffic(connection, sender) { $0.mustArrive = true } }
    }

    /// Gives up on a connection: what was announced on it need not arrive.
    public func release(connection: UInt64) {
        for sender in [Role.client, .server] { withTraffic(connection, sender) { $0.mustArrive = false } }
    }

    /// Whether a datagram that has to arrive has not, either way.
    public func isWaiting(on connection: UInt64) -> Bool {
        [Role.client, .server].contains { sender in
            let traffic = traffic[Direction(connection: connection, sender: sender)]
            return traffic.map { $0.mustArrive && $0.count > 0 } ?? false
        }
    }

    /// Judges a datagram that an application was given.
    public func check(_ observation: Observation, from host: HostID, at time: Instant) -> String? {
        guard case .datagram(let connection, let sender, let bytes) = observation else { return nil }
        delivered += 1
        return withTraffic(connection, sender) { traffic in
            let content = [UInt8](bytes)
            guard let count = traffic.underWay[content] else {
                return "a datagram of \(content.count) B from the \(sender) of connection \(connection) "
                    + "came again, or was never sent"
            }
            traffic.underWay[content] = count == 1 ? nil : count - 1
            traffic.count -= 1
            return nil
        }
    }

    /// What had to arrive has.
    public func checkEnd(at time: Instant) -> [String] {
        order.compactMap { direction in
            guard let traffic = traffic[direction], traffic.mustArrive, traffic.count > 0 else { return nil }
            return "\(traffic.count) datagrams from the \(direction.sender) of connection "
                + "\(direction.connection) were lost where nothing gets lost"
        }
    }

    private func withTraffic<Result>(
        _ connection: UInt64, _ sender: Role, _ body: (inout Traffic) -> Result
    ) -> Result {
        let direction = Direction(connection: connection, sender: sender)
        if traffic[direction] == nil { order.append(direction) }
        return body(&traffic[direction, default: Traffic()])
    }
}
