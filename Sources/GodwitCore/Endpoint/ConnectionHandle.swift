/// Names a connection of an endpoint. Handles are not used again after their connection is gone.
public struct ConnectionHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

extension ConnectionHandle: CustomStringConvertible {
    /// The handle as it stands in logs.
    public var description: String { "\(slot).\(generation)" }
}
