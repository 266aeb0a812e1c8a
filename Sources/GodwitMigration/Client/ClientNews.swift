import GodwitWire

/// What a frame of the server means to a client.
enum ClientNews: Hashable, Sendable {
    /// The server is going to be at one of the addresses.
    case destination([NetworkAddress])
    /// The server may be at one of the addresses some day.
    case pool([NetworkAddress])
    /// The server is going to move, and doesn't say where.
    case announced
    /// The server is where the packet came from.
    case arrived
    /// The server says that much about one of its addresses.
    case alternative(AlternativeAddressFrame)
}

extension TransportError {
    /// A frame that the client can't make sense of (Specs/server-migration.md 3.6).
    static func migrationViolation(_ reason: String, _ frameType: UInt64) -> TransportError {
        TransportError(.protocolViolation, reason, frameType: frameType)
    }
}
