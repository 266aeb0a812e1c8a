/// Names a host of a ``SimulatedNetwork``.
public struct HostID: Hashable, Sendable, Codable {
    let index: UInt32
}

/// Names one direction of a link of a ``SimulatedNetwork``.
public struct LinkID: Hashable, Sendable, Codable {
    let index: UInt32
}

/// Names an address translator of a ``SimulatedNetwork``.
public struct TranslatorID: Hashable, Sendable, Codable {
    let index: UInt32
}

/// Names an attacker of a ``SimulatedNetwork``.
public struct AttackerID: Hashable, Sendable, Codable {
    let index: UInt32
}
