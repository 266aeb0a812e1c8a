import GodwitWire

/// What a change among the paths asks of the connection.
enum PathAction: Codable, Sendable, Equatable {
    /// The peer was shown to own the path's remote address. A server sends new tokens now (RFC 9000 section
    /// 9.3).
    case validated(PathID)
    /// Data goes to another path from now on. With `resetCongestion` that path starts from the initial values
    /// (RFC 9000 section 9.4); otherwise it goes on with what was known of it, or of the path whose port
    /// changed.
    case activeChanged(from: PathID, to: PathID, resetCongestion: Bool)
    /// The path is gone. Its id is not used again; records of packets may still name it.
    case removed(PathID, PathRemoval)
    /// There is no connection id left for the path, so nothing can be sent on it until the peer issues one.
    case needsConnectionID(PathID)
    /// A path that we opened stays silent. Perhaps the peer has no connection id left for it, so it should be
    /// offered one: ``LocalConnectionIDs/offerReplacement()``.
    case peerMayLackConnectionID(PathID)
    /// No path works. When `isReachable`, the peer hears us but the path is too small for QUIC, and
    /// NO_VIABLE_PATH can be sent; otherwise the connection ends without a word (RFC 9000 sections 8.2.4,
    /// 9.3.2).
    case noViablePath(isReachable: Bool)
    case resetToken(ResetTokenChange)
}

/// Why a path went.
enum PathRemoval: UInt8, Codable, Sendable, Equatable {
    /// Its packets count as lost, which is no sign of congestion.
    case validationFailed
    /// Another path took over. What is still in flight on it counts as lost, which is no sign of congestion.
    case noLongerUsed
    /// Our local address was replaced under it: packets in flight may well have arrived, and the
    /// acknowledgements that come for its successor will tell.
    case replaced
}

/// A datagram that path validation wants sent now (RFC 9000 section 8.2).
///
/// It takes precedence over everything else, and may carry other frames; on a path that is not active only
/// probing ones (RFC 9000 section 9.1).
struct PathProbe: Sendable, Equatable {
    var path: PathID
    var local: NetworkAddress
    var remote: NetworkAddress
    /// The Destination Connection ID.
    var remoteID: ConnectionID
    var challenge: UInt64?
    var response: UInt64?
    /// Whether to add a PING, so that the packet is a non-probing one (RFC 9000 section 9.3.3).
    var includesPing: Bool
    /// Whether to expand the datagram to 1200 bytes.
    var isPadded: Bool
    /// The largest datagram that may go, in bytes.
    var maximumSize: Int
}

/// Where an incoming datagram stands, before anything of it was decrypted.
enum DatagramOrigin: Equatable, Sendable {
    case path(PathID)
    /// From a pair of addresses without a path. When a 1-RTT packet of it proves genuine and new,
    /// ``Paths/admit(from:to:size:destination:at:)`` opens one.
    case unknown
    /// To be dropped without an answer.
    case refused
}

/// Why a migration could not begin.
enum MigrationRefusal: UInt8, Error, Codable, Sendable, Equatable {
    /// Servers do not migrate in QUIC version 1 (RFC 9000 section 9).
    case clientsOnly
    /// RFC 9000 section 9.
    case handshakeNotConfirmed
    /// The peer sent disable_active_migration (RFC 9000 section 18.2).
    case disabledByPeer
    /// The peer uses no connection ids (RFC 9000 section 9.5).
    case linkable
    case alreadyThere
    case tooManyPaths
    /// Nothing can be sent to this address: no port, or not an address of one host.
    case unusableAddress
}
